"""The terminal that the screen is written to, which may go away at any moment: a closed window, a lost connection."""

from __future__ import annotations

from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver


class Output:
    """What the driver writes to; once nobody is there to read it, it goes nowhere.

    Textual's thread that writes would end with the first error, and the app would then wait for it without end, with
    the session open and locked.

    Args:
        file: The terminal.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.gone = False
        """Whether the terminal has gone away."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write a text; gives its length."""
        if not self.gone:
            try:
                self._file.write(text)
            except OSError:
                self.gone = True
        return len(text)

    def flush(self) -> None:
        """Have the terminal show what was written."""
        if not self.gone:
            try:
                self._file.flush()
            except OSError:
                self.gone = True


class TerminalDriver(LinuxDriver):
    """Textual's driver for terminals, which survives its terminal long enough to leave in an orderly way."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._file: Any = Output(self._file)
