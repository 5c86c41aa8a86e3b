"""How long until there is a prompt: pairloop next to a bare Textual app with three empty panes.

Both run under a pseudo-terminal, in turn, so that a busy machine hits both alike. The time is from exec until the
terminal has been sent the text that shows the first screen is there. The first run of each is not counted: it
leaves the bytecode, which an installation has.

    python tests/bench/first_paint.py [--runs N] [--project DIR]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TARGET = 1.3
ROOT = Path(__file__).resolve().parents[2]

# The cursor stands on the first letter, so that the rest of the placeholder is what comes in one piece.
PROMPT = b"hat should be changed?"
BARE_MARK = b"bare panes"
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


def paint_seconds(argv: Sequence[str], mark: bytes, environ: Mapping[str, str], *, limit: float = 60.0) -> float:
    """Start a program under a pseudo-terminal and wait until it has written something.

    Args:
        argv: The program.
        mark: What it has to write.
        environ: Its environment.
        limit: Seconds after which it is given up.

    Returns:
        Seconds from exec to the mark.

    Raises:
        TimeoutError: It did not write the mark.
    """
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], list(argv), dict(environ))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    try:
        while mark not in seen:
            left = limit - (time.perf_counter() - start)
            if left <= 0 or not select.select([terminal], [], [], left)[0]:
                message = f"{argv} did not paint within {limit} s: {seen[-2000:]!r}"
                raise TimeoutError(message)
            try:
                seen += os.read(terminal, 65536)
            except OSError as error:
                message = f"{argv} ended before it painted: {seen[-2000:]!r}"
                raise TimeoutError(message) from error
        return time.perf_counter() - start
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def main() -> int:
    """Measure, print, and say by the exit code whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--project", type=Path, default=ROOT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        environ = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": f"{folder}/bytecode",
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "PAIRLOOP_STATE_DIR": f"{folder}/state",
            "XDG_CONFIG_HOME": f"{folder}/config",
        }
        programs = {
            "bare": ([sys.executable, str(bare)], BARE_MARK),
            "pairloop": ([sys.executable, "-m", "tui", "--project", str(options.project)], PROMPT),
        }
        times: dict[str, list[float]] = {name: [] for name in programs}
        for run in range(options.runs + 1):
            for name, (argv, mark) in programs.items():
                seconds = paint_seconds(argv, mark, environ)
                if run:  # the first one compiles and warms the disk
                    times[name].append(seconds)
        medians = {name: statistics.median(values) for name, values in times.items()}
        for name, values in times.items():
            print(f"{name:<9} median {medians[name]:.3f} s   best {min(values):.3f}   worst {max(values):.3f}")
        ratio = medians["pairloop"] / medians["bare"]
        print(f"ratio     {ratio:.2f}   (target: at most {TARGET})")
        return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
