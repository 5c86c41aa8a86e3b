"""The command line's beginning and end: streams that can be used, errors as sentences, exit codes."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def _have_streams() -> None:
    """See to it that there is something to read and write, whatever the caller closed or the terminal lacks."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the encoding lacks is written as question marks, rather than to end over it.
            stream.reconfigure(errors="replace")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows the program's name; those of this process by default.

    Returns:
        The exit code.
    """
    # Nothing is worth collecting before there is something to see; the app turns it on again.
    gc.disable()
    _have_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    from agent_core.errors import PairloopError  # noqa: PLC0415

    try:
        if not arguments:
            # As pairloop is called mostly: the screen is there sooner without all that reads options.
            from tui.opening import open_here  # noqa: PLC0415

            return open_here(None, {"partner": {}, "loop": {}})
        from tui.subcommands import carry_out  # noqa: PLC0415

        return carry_out(arguments)
    except PairloopError as error:
        from agent_core.output import complain  # noqa: PLC0415

        complain(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell, and Python must not try at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
