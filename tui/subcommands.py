"""The commands, carried out: the one place that wires the parts together.

Only what every command needs is imported at the top: each imports the rest when it runs.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tui.command_line import parser
from tui.opening import open_here, open_plain, open_screen, wants_lines


def _flags(options: argparse.Namespace) -> dict[str, Any]:
    """The options as the configuration's nested tables."""
    flags: dict[str, dict[str, Any]] = {"partner": {}, "loop": {}}
    if "commit" in options:
        flags["git"] = {"commit": options.commit}
    if "partner" in options:
        flags["partner"]["use"] = options.partner
    if "model" in options:
        flags["partner"]["model"] = options.model
    if "script" in options:
        flags["partner"]["script"] = str(options.script.absolute())
    if "mode" in options:
        flags["loop"]["mode"] = options.mode
    if "max_attempts" in options:
        flags["loop"]["max_attempts"] = options.max_attempts
    return flags


def _project(options: argparse.Namespace) -> Path | None:
    return getattr(options, "project", None)


@contextlib.contextmanager
def _workplace(options: argparse.Namespace) -> Iterator[Path | None]:
    """The project's folder: with ``--worktree`` that in a worktree, of which is told at the end where it is."""
    if "worktree" not in options:
        yield _project(options)
        return
    from agent_core.output import complain  # noqa: PLC0415
    from agent_core.workspace.git import project_root  # noqa: PLC0415
    from agent_core.workspace.worktree import farewell, open_worktree  # noqa: PLC0415

    worktree = open_worktree(project_root(_project(options)), options.worktree)
    if worktree.made:
        complain(f"made the worktree {worktree.top} on branch {worktree.branch}.")
    try:
        yield worktree.root
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.write(farewell(worktree))


def _screen(options: argparse.Namespace) -> int:
    if options.web:
        if "worktree" in options:
            sys.stderr.write("pairloop: --worktree and --web do not go together: name a worktree with --project.\n")
            return 2
        return _serve(options.arguments, options.port)
    with _workplace(options) as project:
        return open_here(project, _flags(options), plain=options.plain, finished=options.resume)


def _serve(arguments: Sequence[str], port: int) -> int:
    """The full screen in a browser."""
    import asyncio  # noqa: PLC0415

    try:
        from tui.web import own_command, serve  # noqa: PLC0415
    except ModuleNotFoundError as error:
        sys.stderr.write(f"pairloop: --web needs {error.name}: pip install 'pairloop[web]'.\n")
        return 2
    # What serves has nothing to paint.
    gc.enable()
    return asyncio.run(serve(own_command(arguments), port, lambda text: print(text, flush=True)))


def _work_on(project: Path | None, flags: dict[str, Any], task: str, *, json: bool) -> int:
    """A task without a screen."""
    import asyncio  # noqa: PLC0415

    from agent_core.build import Engine  # noqa: PLC0415
    from agent_core.headless import execute  # noqa: PLC0415
    from tui.trouble import Log  # noqa: PLC0415

    flags["loop"].setdefault("mode", "until-green")
    Log().open()
    return asyncio.run(execute(Engine(project, flags, os.environ), task, json=json))


def _execute(options: argparse.Namespace) -> int:
    task = sys.stdin.read() if options.task == "-" else options.task
    if not task.strip():
        sys.stderr.write("pairloop: the task is empty.\n")
        return 2
    with _workplace(options) as project:
        return _work_on(project, _flags(options), task, json=options.json)


def _fix(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.build import Engine  # noqa: PLC0415
    from agent_core.fix_command import FixWish, fix, list_repairs  # noqa: PLC0415
    from agent_core.partners.presets import BUILTIN  # noqa: PLC0415
    from tui.trouble import Log  # noqa: PLC0415

    flags = _flags(options)
    flags["partner"]["use"] = BUILTIN
    flags["loop"].setdefault("mode", "auto" if options.yes else "until-green")
    if "seconds" in options:
        flags["repair"] = {"seconds": options.seconds}
    engine = Engine(_project(options), flags, os.environ)
    seconds = engine.config().repair.seconds
    wish = FixWish(
        tuple(options.tests),
        options.kind,
        seconds=seconds,
        every=options.all,
        json=options.json,
    )
    Log().open()
    if options.all or options.dry_run:
        return asyncio.run(list_repairs(_project(options), wish, os.environ))
    return asyncio.run(fix(engine, wish, os.environ))


def _apply(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.patch_command import Wish, apply_patch, tell  # noqa: PLC0415

    if sys.stdin.isatty():
        sys.stderr.write("pairloop: give the patch here, and end it with ctrl+d on a line of its own.\n")
    data = sys.stdin.buffer.read()
    form = None if options.format == "auto" else options.format
    wish = Wish(form, options.base, tuple(options.only), check=options.check)
    outcome, recovered = asyncio.run(apply_patch(data, _project(options), wish))
    return tell(outcome, recovered, json=options.json)


def _check(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.check_command import check, list_checks  # noqa: PLC0415
    from agent_core.checker import CheckWish  # noqa: PLC0415

    if options.list:
        return asyncio.run(list_checks(_project(options), os.environ, json=options.json))
    wish = CheckWish(tuple(options.paths), options.base, options.stage, json=options.json, every=options.all)
    if options.watch:
        # The watcher's library is for those who watch.
        from agent_core.watch_command import watch  # noqa: PLC0415

        return asyncio.run(watch(_project(options), wish, os.environ))
    return asyncio.run(check(_project(options), wish, os.environ))


def _turn(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.landing_commands import turn  # noqa: PLC0415

    return asyncio.run(turn(_project(options), options.landing, again=options.command == "redo"))


def _commit(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.commit_command import CommitWish, commit  # noqa: PLC0415

    async def edit(text: str) -> str:
        from tui.editors import edited  # noqa: PLC0415
        from tui.plain.writing import in_foreground  # noqa: PLC0415

        new = await edited(text, name="COMMIT_EDITMSG", run=in_foreground)
        return text if new is None else new

    asks = not options.yes and sys.stdin.isatty() and sys.stdout.isatty()
    wish = CommitWish(options.landing, options.message, options.show)
    return asyncio.run(commit(_project(options), wish, edit if asks else None))


def _log(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    if options.prompts is not None:
        from agent_core.build import Engine  # noqa: PLC0415
        from agent_core.prompts_sent import log_prompts  # noqa: PLC0415

        engine = Engine(_project(options), {}, os.environ)
        sent = log_prompts(
            engine,
            session=options.session,
            number=options.prompts,
            count=options.count,
            full=options.patch,
            json=options.json,
        )
        return asyncio.run(sent)
    from agent_core.landing_commands import log  # noqa: PLC0415

    wanted = log(_project(options), number=options.landing, count=options.count, diff=options.patch, json=options.json)
    return asyncio.run(wanted)


def _sessions(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.build import Engine  # noqa: PLC0415
    from agent_core.session_commands import list_sessions  # noqa: PLC0415

    engine = Engine(_project(options), {}, os.environ)
    return asyncio.run(list_sessions(engine, hidden=options.all, json=options.json))


def _export(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.build import Engine  # noqa: PLC0415
    from agent_core.session_commands import export  # noqa: PLC0415

    engine = Engine(_project(options), {}, os.environ)
    return asyncio.run(export(engine, options.session, options.format, options.output))


def _memory(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core import memory_command as memory  # noqa: PLC0415
    from agent_core.build import Engine  # noqa: PLC0415

    engine = Engine(_project(options), {}, os.environ)
    match options.action:
        case "search":
            return asyncio.run(memory.search(engine, options.words, json=options.json))
        case "add":
            return asyncio.run(memory.change(engine, "add", "", options.words))
        case "keep":
            return asyncio.run(memory.change(engine, "keep", options.id, options.words))
        case "forget":
            return asyncio.run(memory.change(engine, "forget", options.id, ()))
        case "share":
            return asyncio.run(memory.share(engine, shared=not options.stop))
        case _:
            return asyncio.run(memory.list_lessons(engine, dropped=options.all, json=options.json))


def _permissions(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core import permission_command as permissions  # noqa: PLC0415
    from agent_core.build import Engine  # noqa: PLC0415

    engine = Engine(_project(options), {}, os.environ)
    if options.action == "rm":
        return asyncio.run(permissions.forget(engine, " ".join(options.rule)))
    return asyncio.run(permissions.list_rules(engine, json=options.json))


def _usage(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.usage_command import usage  # noqa: PLC0415

    return asyncio.run(usage(days=options.days, by=options.by, json=options.json))


def _key(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core import key_command as keys  # noqa: PLC0415
    from agent_core.build import Engine  # noqa: PLC0415

    def read(name: str) -> str:
        if not sys.stdin.isatty():
            return sys.stdin.readline()
        import getpass  # noqa: PLC0415

        return getpass.getpass(f"Key for {name} (not shown): ")

    config = Engine(_project(options), {}, os.environ).config()
    match options.action:
        case "set":
            return asyncio.run(keys.set_key(config, options.partner, read, plain=options.file))
        case "rm":
            return asyncio.run(keys.drop_key(config, options.partner))
        case _:
            return asyncio.run(keys.list_keys(config))


def _mcp(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.build import Engine  # noqa: PLC0415
    from agent_core.mcp.command import servers  # noqa: PLC0415
    from tui.trouble import Log  # noqa: PLC0415

    Log().open()
    engine = Engine(_project(options), {}, os.environ)
    settings, test = engine.config().mcp, options.action == "test"
    return asyncio.run(servers(settings, engine.root, os.environ, options.server, test=test, json=options.json))


def _models(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.build import Engine  # noqa: PLC0415
    from agent_core.models_command import list_models  # noqa: PLC0415

    engine = Engine(_project(options), {}, os.environ)
    return asyncio.run(list_models(engine, options.partner, json=options.json))


def _doctor(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from agent_core.doctor import examine, render  # noqa: PLC0415
    from agent_core.output import write_out  # noqa: PLC0415

    report = asyncio.run(examine(_project(options), _flags(options), os.environ))
    told = write_out([render(report)])
    return 0 if told and all(entry.level != "bad" for entry in report) else 1


def _try(options: argparse.Namespace) -> int:
    """The sample: on the screen where there is a terminal, headless where there is none."""
    from agent_core import sample  # noqa: PLC0415
    from agent_core.partners.presets import BUILTIN  # noqa: PLC0415

    folder, task = sample.unpack(sample.SHOP), sample.SHOP.task
    flags: dict[str, Any] = {"partner": {"use": BUILTIN}, "loop": {}}
    if wants_lines(plain=options.plain):
        code = open_plain(folder, flags, draft=task)
    elif sys.stdin.isatty() and sys.stdout.isatty():
        code = open_screen(folder, flags, draft=task)
    else:
        sys.stdout.write(f"The sample project is in {folder}\nTask: {task}\n\n")
        flags["loop"]["mode"] = "auto"
        code = _work_on(folder, flags, task, json=False)
    sys.stdout.write(f"The sample project stays in {folder}\n")
    return code


def _acp(options: argparse.Namespace) -> int:
    """The engine for an editor."""
    import asyncio  # noqa: PLC0415

    from agent_core.acp.serve import serve  # noqa: PLC0415
    from tui.trouble import Log  # noqa: PLC0415

    Log().open()
    return asyncio.run(serve(_flags(options), os.environ))


_COMMANDS: dict[str | None, Callable[[argparse.Namespace], int]] = {
    None: _screen,
    "exec": _execute,
    "check": _check,
    "patch": _apply,
    "undo": _turn,
    "redo": _turn,
    "commit": _commit,
    "log": _log,
    "fix": _fix,
    "sessions": _sessions,
    "export": _export,
    "memory": _memory,
    "permissions": _permissions,
    "usage": _usage,
    "key": _key,
    "acp": _acp,
    "mcp": _mcp,
    "models": _models,
    "doctor": _doctor,
    "try": _try,
}


def carry_out(arguments: Sequence[str]) -> int:
    """Do what a command line asks for.

    Args:
        arguments: What follows the program's name.

    Returns:
        The exit code.

    Raises:
        PairloopError: It cannot be done.
    """
    options = parser().parse_args(arguments, argparse.Namespace(arguments=tuple(arguments)))
    if options.command is not None:
        gc.enable()
    return _COMMANDS[options.command](options)
