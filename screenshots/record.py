"""Records the app at work on the bundled sample, in a real terminal, as an asciicast and as an animated picture.

python screenshots/record.py [FOLDER]
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from screenshots.animate import frames, picture
from screenshots.emulator import Screen
from tests.bench.terminal import Terminal

SIZE = (124, 36)
_PATIENCE = 120.0
_F2, _F4, _F6 = "\x1bOQ", "\x1bOS", "\x1b[17~"


class Recorder:
    """Keeps what is written, and when; knows what is to be seen."""

    def __init__(self) -> None:
        self.screen = Screen(*SIZE)
        self.events: list[tuple[float, str, str]] = []
        self._begun = time.monotonic()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def hear(self, data: bytes) -> None:
        """Take what was written."""
        text = self._decoder.decode(data)
        self.events.append((round(time.monotonic() - self._begun, 3), "o", text))
        self.screen.feed(text)

    def save(self, path: Path) -> None:
        """Write an asciicast, version 2."""
        head = {
            "version": 2,
            "width": SIZE[0],
            "height": SIZE[1],
            "title": "pairloop",
            "env": {"TERM": "xterm-256color"},
        }
        # What comes after the screen has been left is no part of it.
        left = next((at for at, (_, _, text) in enumerate(self.events) if "\x1b[?1049l" in text), len(self.events))
        path.write_text("".join(f"{json.dumps(one)}\n" for one in (head, *self.events[:left])))


def _until(terminal: Terminal, recorder: Recorder, true: Callable[[str], bool]) -> None:
    """Go on until something is to be seen.

    Raises:
        TimeoutError: It never was.
    """
    end = time.monotonic() + _PATIENCE
    while not true(recorder.screen.text):
        if time.monotonic() > end:
            message = f"That was never to be seen; this is:\n{recorder.screen.text}"
            raise TimeoutError(message)
        terminal.drain(0.05)


def _play(terminal: Terminal, recorder: Recorder) -> None:
    """What happens in the recording."""
    _until(terminal, recorder, lambda text: "find the cause" in text and "opening" not in text)
    terminal.drain(1.5)
    terminal.send("\r")
    _until(terminal, recorder, lambda text: "✗ breaks 1" in text and "so far" not in text)
    terminal.drain(2.5)
    terminal.send(_F6)  # to the diff
    terminal.drain(0.8)
    for key in "jjk":
        terminal.send(key)
        terminal.drain(0.6)
    terminal.send(_F4)  # go on from it
    _until(terminal, recorder, lambda text: "✓ green" in text and "so far" not in text)
    terminal.drain(2.5)
    terminal.send(_F2)  # accept
    _until(terminal, recorder, lambda text: "Landed" in text)
    terminal.drain(2.5)
    terminal.send("\x11")
    with contextlib.suppress(TimeoutError):  # it ends
        terminal.drain(20)


def main() -> None:
    """Record."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as state:
        environ = {
            **{name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}},
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "PAIRLOOP_STATE_DIR": state,
            "XDG_CONFIG_HOME": state,
            "TMPDIR": state,
        }
        with Terminal([sys.executable, "-m", "tui", "try"], environ, SIZE, recorder.hear) as terminal:
            _play(terminal, recorder)
    cast = folder / "pairloop.cast"
    recorder.save(cast)
    (folder / "pairloop.svg").write_text(picture(*frames(cast)))


if __name__ == "__main__":
    main()
