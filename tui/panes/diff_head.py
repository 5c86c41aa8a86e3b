"""What stands above a proposal and above its files: what became of it, what would land now, its files."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.checks.model import Verdict
from agent_core.file_modes import SYMLINK
from agent_core.patch.model import FilePatch
from agent_core.review import Review, parts_taken, takes_all
from agent_core.state import LandingState, ProposalState, State
from tui.panes.diff_signs import SIGNS, counts, file_state, file_words, states_of
from tui.panes.diff_stale import open_places
from tui.widgets.lines import Line, Piece, clean

MOST_LISTED = 12
"""A list of more files is folded until it is asked for."""
_EXECUTABLE = 0o111
_NAMED = 3


def _fate(proposal: ProposalState, state: State) -> Piece:
    """What became of a proposal, in a word or two."""
    if proposal.stale and proposal.decision is None:
        return "! stale: files have changed since", "warn"
    if state.waiting == proposal.number:
        return _waiting(proposal)
    part = f" {proposal.taken} of {proposal.of}" if proposal.of else ""
    if proposal.decision == "accept":
        landing = _landing(proposal.number, state)
        word = {"landed": "✓ landed", "undone": "↶ taken back", "abandoned": "! not landed"}
        style = {"landed": "good", "undone": "warn", "abandoned": "warn"}
        if landing is not None and landing.stands in word:
            return f"{word[landing.stands]}{part}", style[landing.stands]
        return f"→ accepted{part}", "good"
    if proposal.decision is not None:
        return ("✗ rejected", "bad") if proposal.decision == "reject" else ("→ gone on from", "dim")
    checked = proposal.verdict is not None and proposal.verdict.complete
    at_work = state.task is not None and state.task.number == proposal.task
    return ("◌ being checked", "accent") if at_work and not checked else ("not decided", "dim")


def _origin(proposal: ProposalState) -> Piece:
    """Where it comes from."""
    if proposal.by == "repair":
        return "  found without a model  ", "accent"
    return f"  attempt {proposal.attempt}  ", "dim"


def _waiting(proposal: ProposalState) -> Piece:
    """How a proposal looks on which the human has to decide."""
    verdict = proposal.verdict
    if verdict is not None and verdict.green:
        well = ("✓ green, waits for you", "good")
        return well if verdict.complete else ("◌ green so far, waits for you", "accent")
    return "✗ red, waits for you", "bad"


def _landing(number: int, state: State) -> LandingState | None:
    return next((one for one in reversed(state.landings) if one.proposal == number and not one.undoes), None)


def _verdict(part: Verdict) -> Piece:
    """What the checks say of what is taken."""
    if part.green:
        return ("✓ just these are green", "good") if part.complete else ("◌ just these: green so far", "accent")
    names = [finding.code or finding.message for finding in part.broken]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    said = f"break {', '.join(names[:_NAMED])}{more}" if names else "are red"
    return clean(f"✗ just these {said}"), "bad"


def part_line(proposal: ProposalState) -> Line | None:
    """What would land now, and what the checks say of exactly that; none where nothing was said yet."""
    review = proposal.review
    if not review:
        return None
    taken, of = parts_taken(proposal.patch, review)
    what = "block" if all(file.blocks for file in proposal.patch.files) else "part"
    pieces: list[Piece]
    if not taken:
        pieces = [("⊘ ", "bad"), (f"nothing of {of} {what}{'s' * (of != 1)} is taken", "text")]
        return Line([*pieces, ("  nothing would land", "dim")])
    if takes_all(proposal.patch, review):
        if proposal.part_trouble:
            return Line([("✓ ", "good"), ("all of it is taken", "text"), _trouble(proposal)])
        return Line([("✓ ", "good"), ("all of it is taken", "text"), ("  it lands whole", "dim")])
    sign, style, _ = SIGNS["partial"]
    lines = any(mark.taken and mark.lines is not None for mark in review.blocks.values())
    words = f"{taken} of {of} {what}{'s' * (of != 1)} taken{', not every line' if lines else ''}"
    pieces = [(f"{sign} ", style), (words, "text")]
    if proposal.part_trouble:
        pieces.append(_trouble(proposal))
    elif proposal.part is not None:
        text, style = _verdict(proposal.part)
        pieces += [("  ", ""), (text, style)]
    else:
        pieces.append(("  ◌ checking just these ...", "accent"))
    return Line(pieces)


def _trouble(proposal: ProposalState) -> Piece:
    return f"  ! {clean(proposal.part_trouble)}", "warn"


def _met_line(proposal: ProposalState) -> Line | None:
    """Whether the human has written at the same places, or beside them; none where they have not."""
    places = sum(bool(one.block) for one in proposal.overlaps)
    if not places:
        text = "carried over to your edits since, and checked over them"
        return Line(((text, "dim"),), lead=(("· ", "dim"),)) if proposal.carried and not proposal.overlaps else None
    left = open_places(proposal)
    met = f"your edits meet {places} block{'s' * (places != 1)}"
    said = "you have said what is to stand there" if not left else "yours stays unless you say otherwise"
    if left and left != places:
        said = f"{left} still open, where yours stays"
    return Line(((f"{met}: {said}", "warn" if left else "dim"),), lead=(("! " if left else "· ", "warn"),))


def head_lines(proposal: ProposalState, state: State) -> list[Line]:
    """What stands above a proposal."""
    files = proposal.patch.files
    fate, style = _fate(proposal, state)
    pieces: list[Piece] = [
        (f"proposal {proposal.number}", "strong"),
        _origin(proposal),
        *counts(sum(file.added for file in files), sum(file.removed for file in files)),
        (f"  {fate}", style),
    ]
    head = [Line(pieces)]
    if state.waiting == proposal.number and (part := part_line(proposal)) is not None:
        head.append(part)
    if proposal.decision is None and (line := _met_line(proposal)) is not None:
        head.append(line)
    if proposal.note:
        head.append(Line(((clean(proposal.note), "dim"),), lead=(("· ", "dim"),)))
    if proposal.reason:
        head.append(Line(((clean(proposal.reason), "dim"),), lead=(("“ ", "dim"),)))
    return head


def file_list(files: Sequence[FilePatch], review: Review, *, shown: bool, marks: bool) -> list[Line]:
    """The files of a patch of several, each to be clicked.

    Args:
        files: The files.
        review: What was marked.
        shown: Whether they are listed, or only counted.
        marks: Say how each stands.
    """
    if len(files) < 2:
        return []
    sign = "▾" if shown else "▸"
    rows = [Line(((f"{sign} {len(files)} files", "dim@list_files"),))]
    if not shown:
        return rows
    for at, file in enumerate(files):
        states = states_of(file, review)
        mark, style, _ = SIGNS[file_state(states)] if marks else (" ", "", "")
        words = file_words(states) if marks else ""
        name = (clean(file.path), f"text@to_file({at})")
        pieces: list[Piece] = [name, ("  ", ""), *counts(file.added, file.removed)]
        pieces += [(f"  {words}", "dim")] if words else []
        rows.append(Line(pieces, lead=((f"  {mark} ", style),), words=False))
    return rows


def _what(file: FilePatch) -> str:
    words = {"add": "new", "delete": "deleted", "move": f"moved from {clean(file.old_path)}", "update": ""}[file.kind]
    modes = ""
    if file.kind in {"update", "move"} and file.before_mode != file.after_mode:
        modes = "now executable" if file.after_mode & _EXECUTABLE else "no longer executable"
    elif SYMLINK in {file.before_mode, file.after_mode}:
        modes = "symbolic link"
    elif not file.blocks and file.before != file.after:
        modes = "no text" if file.before_mode and file.after_mode else ""
    return ", ".join(word for word in (words, modes) if word)


def file_header(file: FilePatch, review: Review | None = None, *, cursor: Piece = (" ", "")) -> Line:
    """The line above a file's changes.

    Args:
        file: The file.
        review: What was marked; None where there is nothing to mark.
        cursor: Stands before it.
    """
    pieces: list[Piece] = [(clean(file.path), "strong"), ("  ", ""), *counts(file.added, file.removed)]
    if what := _what(file):
        pieces.append((f"  {what}", "dim"))
    lead: list[Piece] = [cursor]
    right: Piece | None = None
    if review is not None:
        states = states_of(file, review)
        sign, style, _ = SIGNS[file_state(states)]
        words = file_words(states)
        right = (f"{words} " if words else "", "dim")
        lead.append((f"{sign} ", style))
    return Line(pieces, lead=lead, base="file-row", words=False, right=right)
