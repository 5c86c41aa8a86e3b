"""How long until there is a prompt: pairloop next to a bare Textual app with three empty panes.

Both run under a pseudo-terminal, in turn, so that a busy machine hits both alike. The time is from exec until the
terminal has been sent the text that shows the first screen is there. The first run of each is not counted: it
leaves the bytecode, which an installation has.

    python tests/bench/first_paint.py [--runs N] [--project DIR]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
TARGET = 1.3
_OF_THE_MACHINE = {"PYTHONDONTWRITEBYTECODE", "COLUMNS", "LINES", "NO_COLOR"}

# The cursor stands on the first letter, so that the rest of the placeholder is what comes in one piece.
PROMPT = "hat should be changed?"
BARE_MARK = "bare panes"
BARE = """
from textual.app import App
from textual.containers import Horizontal
from textual.widgets import Static

class Bare(App):
    CSS = "Static { width: 1fr; height: 1fr; border: round green; }"
    def compose(self):
        with Horizontal():
            yield Static()
            yield Static()
            yield Static()
    def on_mount(self):
        self.query(Static).first().border_title = "bare panes"

Bare().run()
"""


def environment(folder: Path) -> dict[str, str]:
    """The environment to measure in: bytecode, state and configuration in a folder of their own."""
    return {
        **{name: value for name, value in os.environ.items() if name not in _OF_THE_MACHINE},
        "PYTHONPYCACHEPREFIX": f"{folder}/bytecode",
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PAIRLOOP_STATE_DIR": f"{folder}/state",
        "XDG_CONFIG_HOME": f"{folder}/config",
    }


def measure(runs: int, project: Path, folder: Path) -> dict[str, list[float]]:
    """Seconds until the first screen is there, of each program and run.

    Args:
        runs: How many count; one more is made.
        project: What pairloop is started on.
        folder: A scratch folder.
    """
    bare = folder / "bare.py"
    bare.write_text(BARE)
    environ = environment(folder)
    programs = {
        "bare": ([sys.executable, str(bare)], BARE_MARK),
        "pairloop": ([sys.executable, "-m", "tui"], PROMPT),
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    for run in range(runs + 1):
        for name, (argv, mark) in programs.items():
            with Terminal(argv, environ, folder=project) as terminal:
                seconds = terminal.until(mark) - terminal.started
            if run:  # the first one compiles and warms the disk
                times[name].append(seconds)
    return times


def main() -> int:
    """Measure, print, and say by the exit code whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--project", type=Path, default=ROOT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(options.runs, options.project, Path(folder))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        print(f"{name:<9} median {medians[name]:.3f} s   best {min(values):.3f}   worst {max(values):.3f}")
    ratio = medians["pairloop"] / medians["bare"]
    print(f"ratio     {ratio:.2f}   (target: at most {TARGET})")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
