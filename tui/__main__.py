"""The command line, and the one place that wires the parts together.

Only what every call needs is imported at the top: each command imports the rest when it runs.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent_core import __version__

_EXIT_CODES = """exit codes of exec:
  0 green (and landed, in mode auto)     3 the partner could not be reached or refused
  1 not green                            4 a landing conflict
  2 usage or configuration               130 interrupted"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pairloop",
        description="A pair-programmer for the terminal: the model proposes, tools judge, you decide.",
    )
    parser.add_argument("--version", action="version", version=f"pairloop {__version__}")
    _add_settings(parser, modes=("step", "until-green", "auto"))
    parser.add_argument(
        "--resume", action="store_true", help="offer the last session also when nothing in it was left open"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands (none opens the screen)")

    run = commands.add_parser(
        "exec",
        help="work on one task without a screen",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("task", metavar="TASK", help="what is wanted; - reads it from standard input")
    run.add_argument("--json", action="store_true", help="write events as JSON lines")
    _add_settings(run, modes=("until-green", "auto"))

    doctor = commands.add_parser("doctor", help="say what was found here, and what to do about what is missing")
    _add_settings(doctor, modes=())
    commands.add_parser("try", help="open pairloop on a bundled sample project with a real bug")
    return parser


def _add_settings(parser: argparse.ArgumentParser, modes: tuple[str, ...]) -> None:
    """Options that set the same things as the configuration files."""
    nothing = argparse.SUPPRESS
    parser.add_argument(
        "--project", type=Path, metavar="DIR", default=nothing, help="the project's folder (default: here)"
    )
    parser.add_argument("--model", metavar="M", default=nothing, help="the model's id")
    if modes:
        parser.add_argument("--mode", choices=modes, default=nothing, help="when you are asked")
        parser.add_argument("--max-attempts", type=_positive, metavar="N", default=nothing, help="proposals per task")
        parser.add_argument(
            "--script", type=Path, metavar="FILE", default=nothing, help="play a script of turns as partner"
        )


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return number


def _flags(options: argparse.Namespace) -> dict[str, Any]:
    """The options as the configuration's nested tables."""
    flags: dict[str, dict[str, Any]] = {"partner": {}, "loop": {}}
    if "model" in options:
        flags["partner"]["model"] = options.model
    if "script" in options:
        flags["partner"]["script"] = str(options.script.absolute())
    if "mode" in options:
        flags["loop"]["mode"] = options.mode
    if "max_attempts" in options:
        flags["loop"]["max_attempts"] = options.max_attempts
    return flags


def _open_screen(project: Path | None, flags: dict[str, Any], *, draft: str = "", finished: bool = False) -> int:
    """The full screen; what costs time to import comes after the first paint."""
    from tui.app import PairloopApp  # noqa: PLC0415
    from tui.engine import Engine  # noqa: PLC0415

    def engine() -> Engine:
        from agent_core.build import Engine as Real  # noqa: PLC0415

        return Real(project, flags, os.environ, finished=finished)

    app = PairloopApp(engine, draft=draft)
    app.run()
    return app.return_code or 0


def _execute(project: Path | None, flags: dict[str, Any], task: str, *, json: bool) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.build import Engine  # noqa: PLC0415
    from agent_core.headless import execute  # noqa: PLC0415
    from tui.trouble import Log  # noqa: PLC0415

    if task == "-":
        task = sys.stdin.read()
    if not task.strip():
        sys.stderr.write("pairloop: the task is empty.\n")
        return 2
    flags["loop"].setdefault("mode", "until-green")
    Log().open()
    return asyncio.run(execute(Engine(project, flags, os.environ), task, json=json))


def _doctor(project: Path | None, flags: dict[str, Any]) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.doctor import examine, render  # noqa: PLC0415

    report = asyncio.run(examine(project, flags, os.environ))
    sys.stdout.write(render(report))
    return 0 if all(entry.level != "bad" for entry in report) else 1


def _try() -> int:
    """The sample: on the screen where there is a terminal, headless where there is none."""
    from agent_core import sample  # noqa: PLC0415

    folder = sample.unpack()
    flags: dict[str, Any] = {"partner": {"script": str(sample.script())}, "loop": {}}
    if sys.stdin.isatty() and sys.stdout.isatty():
        code = _open_screen(folder, flags, draft=sample.TASK)
    else:
        sys.stdout.write(f"The sample project is in {folder}\nTask: {sample.TASK}\n\n")
        flags["loop"]["mode"] = "auto"
        code = _execute(folder, flags, sample.TASK, json=False)
    sys.stdout.write(f"The sample project stays in {folder}\n")
    return code


def _run(options: argparse.Namespace) -> int:
    project: Path | None = getattr(options, "project", None)
    match options.command:
        case "exec":
            return _execute(project, _flags(options), options.task, json=options.json)
        case "doctor":
            return _doctor(project, _flags(options))
        case "try":
            return _try()
        case _:
            if not (sys.stdin.isatty() and sys.stdout.isatty()):
                sys.stderr.write("pairloop: there is no terminal here. `pairloop exec TASK` works without one.\n")
                return 2
            return _open_screen(project, _flags(options), finished=options.resume)


def _be_able_to_write() -> None:
    """Have what the terminal's encoding lacks written as question marks, rather than end over it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
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
    _be_able_to_write()
    options = _parser().parse_args(arguments)
    if options.command is not None:
        gc.enable()
    from agent_core.errors import PairloopError  # noqa: PLC0415

    try:
        return _run(options)
    except PairloopError as error:
        from agent_core.text import printable  # noqa: PLC0415

        sys.stderr.write(f"pairloop: {printable(str(error))}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell, and Python must not try at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
