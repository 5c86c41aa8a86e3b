"""The app on a session in memory, for `tests/bench/screen.py`: what a scene is about happens when SIGUSR1 comes.

python tests/bench/screen_app.py diff|findings|bare [TEXT]
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static, TextArea

from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding, Verdict
from agent_core.patch.model import Patch
from tests.tui import scenes
from tests.tui.fake_session import FakeEngine, FakeSession
from tui.app import PairloopApp

DIFF_LINES = 50_000
FINDINGS = 100_000


class Bare(App[None]):
    """What a screen of this shape costs at the least: three empty panes and a text area."""

    CSS = "Static { width: 1fr; height: 1fr; border: round green; } TextArea { height: 5; }"

    def compose(self) -> ComposeResult:
        """Its widgets."""
        with Horizontal():
            yield Static()
            yield Static()
            yield Static()
        yield TextArea(sys.argv[2])

    def on_mount(self) -> None:
        """Write where the human writes."""
        self.query_one(TextArea).focus()


def _diff(session: FakeSession) -> Callable[[], None]:
    """A proposal that adds a file of as many lines."""
    text = "".join(f"value_{number} = compute({number}, '{number:06}')\n" for number in range(1, DIFF_LINES + 1))
    patch = Patch((scenes.file_patch(session, "big.py", "", text, "add"),))
    return lambda: session.emit(ev.ProposalMade(1, 1, "c1", patch, "t0", "t1", "", ""))


def _findings(session: FakeSession) -> Callable[[], None]:
    """A verdict with as many findings, in a thousand files."""
    patch = Patch((scenes.file_patch(session, "a.py", "x = 1\n", "x = 2\n"),))
    found = tuple(
        Finding("ruff", f"name number-{number} is not used", f"pkg/file_{number % 1000}.py", number, f"F{number % 50}")
        for number in range(FINDINGS)
    )
    result = CheckResult("ruff", "failed", "t1", f"{FINDINGS} found", found, FINDINGS, 1.0)
    verdict = Verdict("t1", "t0", False, (result,), found, summary=f"breaks {FINDINGS}")
    session.emit(ev.ProposalMade(1, 1, "c1", patch, "t0", "t1", "", ""), ev.CheckStarted("ruff", "candidate", "t1"))
    return lambda: session.emit(
        ev.CheckFinished("candidate", result), ev.VerdictReached(1, verdict), ev.DecisionAwaited(1, verdict.summary)
    )


_SCENES = {"diff": _diff, "findings": _findings}


class _Engine(FakeEngine):
    """Opens its session and then waits for the signal."""

    happens: Callable[[], None]

    async def open(self, resume: str | None) -> FakeSession:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.happens)
        return await super().open(resume)


def main() -> None:
    """Run the app of a scene."""
    if sys.argv[1] == "bare":
        Bare().run()
        return
    session = FakeSession()
    scenes.start(session)
    scenes.ask(session)
    engine = _Engine(session)
    engine.happens = _SCENES[sys.argv[1]](session)
    PairloopApp(lambda: engine).run()


if __name__ == "__main__":
    main()
