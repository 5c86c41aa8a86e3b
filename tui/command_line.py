"""The words of the command line: commands and options; ``command_help`` has what is told below them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from agent_core import __version__
from tui import command_help
from tui.arguments import Arguments

# argparse has no public name for this one.
_Commands: TypeAlias = "argparse._SubParsersAction[Arguments]"  # noqa: SLF001


def parser() -> Arguments:
    """The parser of ``pairloop``."""
    top = Arguments(
        prog="pairloop",
        description="A pair-programmer for the terminal: the model proposes, tools judge, you decide.",
    )
    top.add_argument("--version", action="version", version=f"pairloop {__version__}")
    _add_settings(top, modes=("step", "until-green", "auto"))
    top.add_argument(
        "--resume",
        action="store_true",
        help="choose from the sessions of this project; where there is only one it is offered, whatever is left open",
    )
    top.add_argument(
        "--web", action="store_true", help="the same screen in a browser on this machine; prints the address to open"
    )
    top.add_argument("--port", type=_port, metavar="N", default=0, help="with --web: the port (default: a free one)")
    _add_plain(top, default=False)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands (none opens the screen)")

    run = _command(commands, "exec", "work on one task without a screen", command_help.EXEC)
    run.add_argument("task", metavar="TASK", help="what is wanted; - reads it from standard input")
    run.add_argument("--json", action="store_true", help="write events as JSON lines")
    _add_settings(run, modes=("until-green", "auto"))

    _add_fix(commands)
    _add_check(commands)
    patch = commands.add_parser("patch", help="apply a patch by the rules of the engine")
    _add_apply(patch.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True))
    _add_landing_commands(commands)
    _add_session_commands(commands)
    _add_memory(commands)
    _add_permissions(commands)
    _add_models(commands)
    _add_usage(commands)
    _add_key(commands)
    _add_mcp(commands)

    acp = _command(
        commands, "acp", "offer pairloop to an editor that speaks the Agent Client Protocol", command_help.ACP
    )
    _add_settings(acp, modes=("step", "until-green", "auto"), folder=False)
    doctor = commands.add_parser("doctor", help="say what was found here, and what to do about what is missing")
    _add_settings(doctor, modes=())
    sample = commands.add_parser("try", help="open pairloop on a bundled sample project with a real bug")
    _add_plain(sample, default=argparse.SUPPRESS)
    return top


def _command(commands: _Commands, name: str, text: str, epilog: str) -> Arguments:
    return commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_fix(commands: _Commands) -> None:
    fix = _command(commands, "fix", "repair what is red by search, without a model", command_help.FIX)
    fix.add_argument("tests", metavar="TEST", nargs="*", help="tests that are to pass (default: whatever fails)")
    fix.add_argument(
        "--seconds", type=_positive, metavar="N", default=argparse.SUPPRESS, help="most time of a search (default: 60)"
    )
    fix.add_argument("--kind", choices=("tests", "types", "lint", "syntax", "names"), help="mend only what is of it")
    fix.add_argument("--all", action="store_true", help="tell every repair that was found; nothing is proposed")
    fix.add_argument("--dry-run", action="store_true", help="tell the best repair; nothing is proposed")
    fix.add_argument(
        "--json", action="store_true", help="write events as JSON lines; one object where none is proposed"
    )
    how = fix.add_mutually_exclusive_group()
    how.add_argument("--yes", action="store_true", help="land it when all is green, as --mode auto does")
    how.add_argument("--mode", choices=("until-green", "auto"), default=argparse.SUPPRESS, help="when you are asked")
    fix.add_argument(
        "--commit", action="store_true", default=argparse.SUPPRESS, help="commit what lands: its lines and nothing else"
    )
    _add_project(fix)


def _add_apply(actions: _Commands) -> None:
    apply = _command(actions, "apply", "apply a patch from standard input to the project's files", command_help.APPLY)
    apply.add_argument(
        "--format",
        choices=("auto", "envelope", "blocks", "unified"),
        default="auto",
        help="the format it is in (default: found out)",
    )
    apply.add_argument(
        "--base", metavar="REV", help="it was written against that git revision: merge it into what is there now"
    )
    apply.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID_OR_PATH",
        help="apply only this block or file, as --check --json names them; may be given several times",
    )
    apply.add_argument("--check", action="store_true", help="say what would be done, and write nothing")
    apply.add_argument("--json", action="store_true", help="write the outcome as one JSON object")
    _add_project(apply)


def _add_check(commands: _Commands) -> None:
    check = _command(
        commands, "check", "judge the working tree as a proposal is judged, without a model", command_help.CHECK
    )
    check.add_argument("paths", metavar="PATHS", type=Path, nargs="*", help="files and folders (default: all)")
    check.add_argument("--base", metavar="REV", help="compare with that git revision (default: HEAD)")
    check.add_argument(
        "--stage",
        choices=("first", "affected", "all"),
        default="all",
        help="how far to go: the checks that answer at once, the tests that the change can reach too, or all",
    )
    check.add_argument(
        "--all",
        action="store_true",
        help="leave nothing out: what was there before, every test's name, all that was said of a failure",
    )
    check.add_argument("--json", action="store_true", help="write each verdict as one JSON object")
    only = check.add_mutually_exclusive_group()
    only.add_argument("--watch", action="store_true", help="again after every save")
    only.add_argument("--list", action="store_true", help="say which checks there are, which are on, and why")
    _add_project(check)


def _add_landing_commands(commands: _Commands) -> None:
    undo = _command(commands, "undo", "take a landing back, whichever session made it", command_help.UNDO)
    undo.add_argument(
        "landing", metavar="N", type=_positive, nargs="?", default=0, help="its number (default: the last that stands)"
    )
    _add_project(undo)
    redo = _command(commands, "redo", "land again what was taken back", command_help.REDO)
    redo.add_argument(
        "landing", metavar="N", type=_positive, nargs="?", default=0, help="its number (default: what was undone last)"
    )
    _add_project(redo)
    commit = _command(commands, "commit", "commit what a landing wrote, and nothing else", command_help.COMMIT)
    commit.add_argument(
        "landing",
        metavar="N",
        type=_positive,
        nargs="?",
        default=0,
        help="its number (default: the last one to commit)",
    )
    commit.add_argument("-m", "--message", metavar="TEXT", default="", help="what the commit says")
    commit.add_argument("-y", "--yes", action="store_true", help="take the message as it is written, without an editor")
    commit.add_argument("--show", action="store_true", help="only write the message out")
    _add_project(commit)
    log = _command(commands, "log", "list what has landed in the project, newest first", command_help.LOG)
    log.add_argument("landing", metavar="N", type=_positive, nargs="?", default=0, help="only this landing")
    log.add_argument("-n", dest="count", type=_positive, metavar="COUNT", default=0, help="only the last COUNT")
    log.add_argument("-p", "--patch", action="store_true", help="with the diffs; what is new in each request in full")
    log.add_argument("--json", action="store_true", help="write one JSON object a landing or request")
    log.add_argument(
        "--prompts",
        metavar="N",
        type=_positive,
        nargs="?",
        const=0,
        help="what was sent to the partner instead; with a number only that request, and what was new in it in full",
    )
    log.add_argument(
        "--session", metavar="ID", default="", help="with --prompts: of that session, by the beginning of its id"
    )
    _add_project(log)


def _add_session_commands(commands: _Commands) -> None:
    sessions = _command(commands, "sessions", "list the sessions of the project", command_help.SESSIONS)
    sessions.add_argument("--all", action="store_true", help="also those that you have hidden")
    sessions.add_argument("--json", action="store_true", help="write one JSON object a session")
    _add_project(sessions)
    export = _command(commands, "export", "write out a session, to be read or kept", command_help.EXPORT)
    export.add_argument(
        "session", metavar="SESSION", nargs="?", default="", help="its id or the beginning of it (default: the last)"
    )
    export.add_argument("--format", choices=("md", "json"), default="md", help="Markdown or JSON (default: md)")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to (default: standard output)")
    _add_project(export)


def _add_memory(commands: _Commands) -> None:
    memory = _command(
        commands, "memory", "list, search and change what is remembered of the project", command_help.MEMORY
    )
    memory.set_defaults(all=False, json=False)
    _add_project(memory)
    actions = memory.add_subparsers(dest="action", metavar="ACTION", title="actions (none lists them)")
    listing = actions.add_parser("list", help="those that wait for your word first, then the newest")
    listing.add_argument("--all", action="store_true", help="also those that are not wanted")
    search = actions.add_parser("search", help="those in which all words occur, the best first")
    search.add_argument("words", metavar="WORD", nargs="+")
    for one in (listing, search):
        one.add_argument("--json", action="store_true", help="write one JSON object a lesson")
    add = actions.add_parser("add", help="remember something in your own words")
    keep = actions.add_parser("keep", help="agree to a lesson, as it is or in other words")
    forget = actions.add_parser("forget", help="have a lesson neither kept nor proposed again")
    for one in (keep, forget):
        one.add_argument("id", metavar="ID", help="its id or the beginning of it")
    add.add_argument("words", metavar="TEXT", nargs="+")
    keep.add_argument("words", metavar="TEXT", nargs="*", help="what it is to say (default: as it is)")
    share = actions.add_parser("share", help="have git take the file along, for all who have the project")
    share.add_argument("--stop", action="store_true", help="have git leave it out again")
    for one in (listing, search, add, keep, forget, share):
        _add_project(one)


def _add_mcp(commands: _Commands) -> None:
    mcp = _command(commands, "mcp", "say which MCP servers are configured, and whether they work", command_help.MCP)
    mcp.set_defaults(server="", json=False)
    _add_project(mcp)
    actions = mcp.add_subparsers(dest="action", metavar="ACTION", title="actions (none lists them)")
    listing = actions.add_parser("list", help="those that are configured; none is started")
    test = actions.add_parser("test", help="start them, and say which tools they offer")
    test.add_argument("server", metavar="NAME", nargs="?", default="", help="only this one (default: all)")
    for one in (listing, test):
        one.add_argument("--json", action="store_true", help="write one JSON object a server")
        _add_project(one)


def _add_permissions(commands: _Commands) -> None:
    permissions = _command(
        commands, "permissions", "list and forget rules on what the partner may do", command_help.PERMISSIONS
    )
    permissions.set_defaults(json=False)
    _add_project(permissions)
    actions = permissions.add_subparsers(dest="action", metavar="ACTION", title="actions (none lists them)")
    listing = actions.add_parser("list", help="those that you have kept for this project, then the configuration's")
    listing.add_argument("--json", action="store_true", help="write one JSON object a rule")
    drop = actions.add_parser("rm", help="forget a rule that you have kept: you are asked again")
    drop.add_argument("rule", metavar="RULE", nargs="+", help="the rule, as it is listed; in quotes where it has a *")
    for one in (listing, drop):
        _add_project(one)


def _add_usage(commands: _Commands) -> None:
    usage = _command(commands, "usage", "say what was spent, over all projects", command_help.USAGE)
    usage.add_argument("--days", type=_positive, metavar="N", default=0, help="only the last N days, today being one")
    usage.add_argument(
        "--by",
        choices=("day", "model", "project", "session"),
        default="day",
        help="what requests are counted by (default: by day, and by model in it)",
    )
    usage.add_argument("--json", action="store_true", help="write one JSON object a line of the table")


def _add_key(commands: _Commands) -> None:
    key = _command(commands, "key", "keep the keys of partners, out of sight", command_help.KEY)
    actions = key.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    put = actions.add_parser("set", help="keep a key, which is asked for, or read from standard input")
    put.add_argument("--file", action="store_true", help="keep it in a file, also where there is a system keyring")
    drop = actions.add_parser("rm", help="keep it no more")
    for one in (put, drop):
        one.add_argument(
            "partner",
            metavar="PARTNER",
            nargs="?",
            default="",
            help="a partner's name, such as openrouter, or a server's host (default: the partner in use)",
        )
    listing = actions.add_parser("list", help="say which keys there are, and where; never the keys themselves")
    for one in (put, drop, listing):
        _add_project(one)


def _add_models(commands: _Commands) -> None:
    models = _command(commands, "models", "list the partners there are, and their models", command_help.MODELS)
    models.add_argument("--partner", metavar="NAME", default="", help="only those of that partner")
    models.add_argument("--json", action="store_true", help="write one JSON object a partner")
    _add_project(models)


def _add_plain(one: argparse.ArgumentParser, *, default: bool | str) -> None:
    one.add_argument(
        "--plain",
        action="store_true",
        default=default,
        help="sentences and numbered questions instead of a screen, for screen readers, dumb terminals and pipes",
    )


def _add_project(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--project",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="the project's folder (default: the repository, or else the folder, that this is called in)",
    )


def _add_settings(one: argparse.ArgumentParser, modes: tuple[str, ...], *, folder: bool = True) -> None:
    """Options that set the same things as the configuration files; `folder`: and which project is worked on."""
    nothing = argparse.SUPPRESS
    if folder:
        _add_project(one)
    one.add_argument(
        "--partner",
        metavar="NAME",
        default=nothing,
        help="who proposes: one of your [partners.NAME], or a server known by name, such as ollama or openrouter",
    )
    one.add_argument("--model", metavar="M", default=nothing, help="the model's id")
    if modes:
        one.add_argument("--mode", choices=modes, default=nothing, help="when you are asked")
        one.add_argument("--max-attempts", type=_positive, metavar="N", default=nothing, help="proposals per task")
        one.add_argument(
            "--commit", action="store_true", default=nothing, help="commit each landing: its lines and nothing else"
        )
        if folder:
            _add_worktree(one)
        one.add_argument(
            "--script", type=Path, metavar="FILE", default=nothing, help="play a script of turns as partner"
        )


def _add_worktree(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--worktree",
        metavar="BRANCH",
        nargs="?",
        const="",
        default=argparse.SUPPRESS,
        help="work in a git worktree of its own, on that branch (default: a new one); your checkout stays as it is",
    )


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return number


def _port(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return number
