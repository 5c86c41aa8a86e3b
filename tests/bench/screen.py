"""How fast the screen is: the real app under a pseudo-terminal, next to a bare Textual app on the same machine.

    python tests/bench/screen.py [paint|keys|fence|diff|findings|idle ...] [--runs N]

Times are those of somebody who presses a key and looks: from the write to the terminal until the terminal has been
sent what shows the effect. The partner is a server on loopback; a session of 1,000 messages is in the journal and is
resumed. The exit code says whether all targets are met.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agent_core import events as ev
from agent_core.conversation import AssistantItem, Usage, UserItem
from agent_core.journal import SqliteJournal, new_session
from agent_core.places import project_state
from tests.bench import first_paint
from tests.bench.streaming import FENCE_END, fence_tokens
from tests.bench.terminal import Terminal
from tests.projects import make_project

ROOT = first_paint.ROOT
MESSAGES = 1000
KEYS = 200
RATE = 500
FENCE_RATE = 1000
IDLE = 10.0
READY = "bare-panes"
_MESSAGE = (
    "## Step {0}\n\nThe **discount** of step {0} uses `floor` division, so everything behind the point is lost:\n\n"
    "```python\ndef total_{0}(prices: list[int]) -> int:\n    result = 0\n    for price in prices:\n"
    "        result += price\n    return result\n```\n\n- it rounds down, even for a `Decimal`, which nobody expects "
    "of a price\n- the tests only try round prices, so that none of them has failed so far\n\nDone with {0}."
)
# Letters that neither the streamed text nor the frame has, each of them once: what shows one is its key's effect.
_LETTERS = [chr(code) for code in range(0x430, 0x450)] + [chr(code) for code in range(0x3B1, 0x3C2)]


class Report:
    """Prints what was measured, and keeps whether a target was missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def row(self, what: str, value: float, unit: str, target: float | None = None, more: str = "") -> None:
        """Print a figure; with a target, whether it is met."""
        verdict = ""
        if target is not None:
            good = value <= target
            verdict = f"{'ok  ' if good else 'MISS'} (target {target:g} {unit})"
            if not good:
                self.missed.append(what)
        print(f"{what:<52}{value:>9.2f} {unit:<8}{verdict:<26}{more}", flush=True)


class Bench:
    """What all measurements share.

    Args:
        folder: A scratch folder.
        report: Where figures go.
        runs: How often what is quick is measured.
    """

    def __init__(self, folder: Path, report: Report, runs: int) -> None:
        self.folder = folder
        self.report = report
        self.runs = runs
        self._opened = 0
        self.environ = first_paint.environment(folder)
        os.environ["PAIRLOOP_STATE_DIR"] = self.environ["PAIRLOOP_STATE_DIR"]
        self.project = make_project(
            folder / "project",
            {"pairloop.toml": '[checks]\noff = ["mypy", "pytest", "ruff", "syntax"]\n', "a.py": "x = 1\n"},
        )

    def program(self, scene: str) -> list[str]:
        """The command that runs a scene of `tests/bench/screen_app.py`."""
        return [sys.executable, str(ROOT / "tests/bench/screen_app.py"), scene, READY]

    def write_session(self) -> None:
        """Leave a session of 1,000 messages in the journal."""
        journal = SqliteJournal(project_state(self.project) / "journal.db")
        name = new_session()
        journal.create(name)
        journal.append(name, ev.SessionStarted(name, str(self.project), "0"))
        for number in range(1, MESSAGES // 2 + 1):
            asked, said = f"Please look at step {number}.", _MESSAGE.format(number)
            journal.append(name, ev.Asked(number, asked))
            journal.append(name, ev.ItemsAppended((UserItem(asked), AssistantItem(said))))
            journal.append(name, ev.AnswerFinished(said, Usage(1000, 900, 100, 0)))
            journal.append(name, ev.TaskFinished(number, "answered", ""))
        journal.close()

    @contextmanager
    def resumed(self, rate: float = RATE, seconds: float = 5.0) -> Iterator[Terminal]:
        """The app on the session of 1,000 messages, with a partner that streams."""
        self._opened += 1
        # Each run has a journal of its own: of several sessions one would have to choose.
        state = f"{self.folder}/state-{self._opened}"
        os.environ["PAIRLOOP_STATE_DIR"] = self.environ["PAIRLOOP_STATE_DIR"] = state
        self.write_session()
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/bench/streaming.py"), str(rate), str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
            environ = {**self.environ, "OPENAI_BASE_URL": url, "PAIRLOOP_MODEL": "test", "OPENAI_API_KEY": "none"}
            argv = [sys.executable, "-m", "tui", "--project", str(self.project), "--resume"]
            with Terminal(argv, environ, (140, 44)) as terminal:
                terminal.until("Go on with")
                terminal.drain(0.7)  # an offer takes no answer in its first half second
                terminal.forget()
                terminal.send("y\r")
                terminal.until("Done with 500")
                terminal.drain(1.5)
                yield terminal
        finally:
            server.kill()
            server.wait()


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _keys(terminal: Terminal, count: int) -> list[float]:
    """Milliseconds from each of so many key presses until what it wrote is drawn."""
    times = []
    chance = random.Random(1)
    for number in range(count):
        letter = _LETTERS[number % len(_LETTERS)]
        if number and number % len(_LETTERS) == 0:
            terminal.send("\x7f" * len(_LETTERS))
            terminal.drain(0.5)
        terminal.forget()
        begun = time.perf_counter()
        terminal.send(letter)
        times.append(1000 * (terminal.until(letter, 10) - begun))
        terminal.drain(chance.uniform(0.03, 0.09))
    return times


def _opened(bench: Bench, scene: str, mark: str, page: Callable[[int], tuple[str, str]]) -> tuple[float, list[float]]:
    """Milliseconds until a scene is seen after it has happened, and those of each page.

    Args:
        bench: What is shared.
        scene: Which.
        mark: What shows that it is seen.
        page: Gives, for the n-th page, the keys to press and what shows that they have had their effect.
    """
    opened, pages = [], []
    for _ in range(bench.runs):
        with Terminal(bench.program(scene), bench.environ, (160, 44)) as terminal:
            terminal.until("read shop/pricing.py")
            terminal.drain(1.0)
            terminal.forget()
            begun = time.perf_counter()
            terminal.signal(signal.SIGUSR1)
            opened.append(1000 * (terminal.until(mark) - begun))
            terminal.drain(1.0)
            for number in range(20):
                keys, shows = page(number)
                terminal.forget()
                begun = time.perf_counter()
                terminal.send(keys)
                if shows:
                    pages.append(1000 * (terminal.until(shows, 10) - begun))
                terminal.drain(0.1)
    return statistics.median(opened), pages


def paint(bench: Bench) -> None:
    """First paint, next to the bare app's."""
    times = first_paint.measure(bench.runs * 2 + 1, ROOT, bench.folder)
    bare, ours = (statistics.median(times[name]) for name in ("bare", "pairloop"))
    bench.report.row("first paint / bare", ours / bare, "", first_paint.TARGET, f"{ours:.3f} s / {bare:.3f} s")


def keys(bench: Bench) -> None:
    """Key to paint: the bare app at rest, ours at rest, ours while an answer streams into 1,000 messages."""
    with Terminal(bench.program("bare"), bench.environ, (140, 44)) as terminal:
        terminal.until(READY)
        terminal.drain(1.0)
        bare = _keys(terminal, KEYS)
    with bench.resumed(RATE, 60.0) as terminal:
        calm = _keys(terminal, KEYS)
        terminal.send("\x7f" * len(_LETTERS))
        terminal.drain(0.5)
        terminal.send("say something\r")
        terminal.until("floor division", 20)
        used, begun, sent = terminal.cpu(), time.perf_counter(), terminal.amount
        streaming = _keys(terminal, KEYS)
        seconds = time.perf_counter() - begun
        busy = 100 * (terminal.cpu() - used) / seconds
        rate = (terminal.amount - sent) / seconds / 1000
    row = bench.report.row
    row("key to paint, bare, at rest: p50", statistics.median(bare), "ms", None, f"p95 {_p95(bare):.1f} ms")
    row("key to paint, 1,000 messages, at rest: p50", statistics.median(calm), "ms", None, f"p95 {_p95(calm):.1f} ms")
    row(
        f"key to paint while {RATE} tokens/s stream: p95",
        _p95(streaming),
        "ms",
        50,
        f"p50 {statistics.median(streaming):.1f}, worst {max(streaming):.0f} ms; {busy:.0f} % core, {rate:.0f} kB/s",
    )


def fence(bench: Bench) -> None:
    """300 lines of code in a fence at 1,000 tokens/s: how much later than the stream the screen is done."""
    due = len(fence_tokens()) / FENCE_RATE
    with bench.resumed(FENCE_RATE) as terminal:
        terminal.send("a fence please")
        terminal.drain(0.5)
        terminal.forget()
        used, begun = terminal.cpu(), time.perf_counter()
        terminal.send("\r")
        took = terminal.until(FENCE_END, 240) - begun
        busy = 100 * (terminal.cpu() - used) / took
    late = f"{took:.2f} s, the stream alone {due:.2f} s; {busy:.0f} % of a core"
    bench.report.row("300 lines of a fence, 1,000 tokens/s / the stream", took / due, "", 1.3, late)


def diff(bench: Bench) -> None:
    """A diff of 50,000 lines: to open it, and a page of it."""
    seen = [0]

    def page(number: int) -> tuple[str, str]:
        if number == 0:
            return "\x1b[17~", ""  # F6: to the diff
        seen[0] = 0 if number == 1 else seen[0]
        return ("\x1b[6~", "value_") if number % 2 else ("\x1b[5~", "value_")

    opened, pages = _opened(bench, "diff", "value_5 ", page)
    bench.report.row("open a diff of 50,000 lines", opened, "ms", 150)
    bench.report.row("a page of it: p95", _p95(pages), "ms", 30, f"p50 {statistics.median(pages):.1f} ms")


def findings(bench: Bench) -> None:
    """100,000 findings: to show them, and a page of them."""

    def page(number: int) -> tuple[str, str]:
        if number == 0:
            return "\x1b[18~", ""  # F7: to the checks
        return ("\x1b[6~", "\x1b[") if number % 2 else ("\x1b[5~", "\x1b[")

    opened, pages = _opened(bench, "findings", "breaks 100000", page)
    bench.report.row("show 100,000 findings", opened, "ms", 500)
    bench.report.row("a page of them: p95", _p95(pages), "ms", 30, f"p50 {statistics.median(pages):.1f} ms")


def idle(bench: Bench) -> None:
    """What it takes at rest, with 1,000 messages: processor and memory."""
    with Terminal(bench.program("bare"), bench.environ) as terminal:
        terminal.until(READY)
        terminal.drain(2.0)
        used = terminal.cpu()
        terminal.drain(IDLE)
        bare = 100 * (terminal.cpu() - used) / IDLE
        bare_memory = terminal.memory()
    with bench.resumed() as terminal:
        terminal.drain(3.0)
        used, sent = terminal.cpu(), terminal.amount
        terminal.drain(IDLE)
        ours = 100 * (terminal.cpu() - used) / IDLE
        drawn = terminal.amount - sent
        memory = terminal.memory()
    bench.report.row("idle", ours, "% core", 0.5, f"bare {bare:.2f} %; {drawn} bytes drawn")
    bench.report.row("memory of 1,000 messages (PSS)", memory[0], "MB", 150, f"bare {bare_memory[0]:.0f} MB")


MEASUREMENTS: dict[str, Callable[[Bench], None]] = {
    "paint": paint,
    "keys": keys,
    "fence": fence,
    "diff": diff,
    "findings": findings,
    "idle": idle,
}


def main() -> int:
    """Measure, print, and say by the exit code whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"of {', '.join(MEASUREMENTS)} (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="how often what is quick is measured")
    options = parser.parse_args()
    if unknown := set(options.what) - set(MEASUREMENTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), report, options.runs)
        for name in options.what or MEASUREMENTS:
            MEASUREMENTS[name](bench)
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
