"""Proposals to decide on in the diff: several files, several blocks each, and what is said of them."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.checks.model import Verdict
from agent_core.patch.model import FileKind, FilePatch, Patch
from agent_core.review import Review, between
from tests.tui import scenes
from tests.tui.fake_session import FakeSession

LINES = [f"line {number}\n" for number in range(1, 61)]


def file_of(session: FakeSession, path: str, old: str, new: str, kind: FileKind = "update") -> FilePatch:
    """A file's patch whose blocks are named by the file, too."""
    file = scenes.file_patch(session, path, old, new, kind)
    name = path.rpartition("/")[2][0]
    blocks = tuple(msgspec.structs.replace(block, id=f"{name}{at}") for at, block in enumerate(file.blocks))
    return msgspec.structs.replace(file, blocks=blocks)


def changed(*, at: tuple[int, ...] = (5, 30, 55), word: str = "changed") -> str:
    """The 60 lines, of which some are others: the line itself, and one more after it."""
    lines = list(LINES)
    for number in at:
        lines[number - 1] = f"{word} {number}\nmore {number}\n"
    return "".join(lines)


def patch_of(session: FakeSession, **words: str) -> Patch:
    """Three blocks in ``a.py``, one in the new ``b.py``, a mode and a picture."""
    script = msgspec.structs.replace(file_of(session, "run", "x\n", "x\n"), after_mode=0o100755)
    picture = FilePatch("z.png", "add", None, session.put(b"\x89PNG\0"), 0, 0o100644, ())
    old = "".join(LINES)
    return Patch(
        (
            file_of(session, "a.py", old, changed(**words)),  # type: ignore[arg-type]
            file_of(session, "b.py", "", "import os\nprint(os.sep)\n", "add"),
            script,
            picture,
        )
    )


def waiting(session: FakeSession, number: int = 1, patch: Patch | None = None) -> None:
    """A green proposal waits."""
    if number == 1:
        scenes.start(session)
        scenes.ask(session)
    session.emit(
        ev.ProposalMade(number, number, f"c{number}", patch or patch_of(session), "t0", f"t{number}", "", ""),
        ev.VerdictReached(number, Verdict(f"t{number}", "t0", True, (), summary="green: breaks nothing")),
        ev.DecisionAwaited(number, f"Proposal {number} is green: breaks nothing"),
    )


def review(session: FakeSession, marks: Review, tree: str = "tp", trouble: str = "") -> None:
    """Something was marked."""
    proposal = session.state.proposal
    assert proposal is not None
    session.emit(ev.Reviewed(proposal.number, between(proposal.review, marks), tree, trouble))
