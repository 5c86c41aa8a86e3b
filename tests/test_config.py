"""Where settings come from, which wins, and what is said when one cannot be used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_core.checks.settings import CommandConfig, JsonKeys
from agent_core.config import load, merge
from agent_core.config_tables import Config, HookConfig, McpConfig
from agent_core.errors import ConfigError
from agent_core.places import project_state, state_dir, user_file


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def complaint(project: Path, flags: dict[str, Any] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(project, flags or {}, {})
    return caught.value.message


def test_nothing_set_gives_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, {}, {}) == Config()


def test_later_sources_win_and_the_rest_stays(tmp_path: Path) -> None:
    write(
        user_file(),
        '[partner]\nmodel = "user"\nbase_url = "http://user"\ntimeout = 5\n[loop]\nmode = "auto"\nmax_attempts = 2\n',
    )
    assert load(tmp_path, {}, {}).partner.model == "user"
    write(tmp_path / "pairloop.toml", '[partner]\nmodel = "project"\n[loop]\nmax_steps = 7\n')
    project = load(tmp_path, {}, {})
    assert (project.partner.model, project.partner.base_url) == ("project", "http://user")
    assert (project.loop.mode, project.loop.max_steps) == ("auto", 7)
    environ = {"OPENAI_BASE_URL": "http://environment", "PAIRLOOP_MODEL": "environment"}
    environment = load(tmp_path, {}, environ)
    assert (environment.partner.model, environment.partner.base_url) == ("environment", "http://environment")
    flags = load(tmp_path, {"partner": {"model": "flag"}, "loop": {"mode": "step"}}, environ)
    assert (flags.partner.model, flags.partner.base_url) == ("flag", "http://environment")
    assert flags.loop.mode == "step"
    # What only the first source says holds all the way.
    assert flags.partner.timeout == 5.0
    assert flags.loop.max_attempts == 2


def test_merging_leaves_both_sides_as_they_were() -> None:
    base = {"loop": {"mode": "step"}}
    assert merge(base, {"loop": {"max_attempts": 1}}) == {"loop": {"mode": "step", "max_attempts": 1}}
    assert base == {"loop": {"mode": "step"}}


WRONG = {
    "unknown key": ("[loop]\nmodes = 1\n", 2, "loop.modes", "no such setting"),
    "unknown table": ("\n[lop]\nmode = 1\n", 2, "lop", "no such setting"),
    "unknown table inside": ("[loop]\n[loop.more]\na = 1\n", 2, "loop.more", "no such setting"),
    "inside an unknown table": ("[lop.more]\na = 1\n", 1, "lop", "no such setting"),
    "wrong type": ('[loop]\n\nmax_attempts = "many"\n', 3, "loop.max_attempts", "Expected `int`"),
    "truth for a number": ("[loop]\nmax_attempts = true\n", 2, "loop.max_attempts", "Expected `int`"),
    "wrong literal": ('[partner]\n# yes\n  api = "chats"\n', 3, "partner.api", "'chats'"),
    "wrong item": ('[checks]\noff = [\n  "ruff",\n  3,\n]\n', 2, "checks.off", "Expected `str`"),
    "dotted key": ('loop.mode = "steps"\n', 1, "loop.mode", "'steps'"),
    "spaced dotted key": ('a = 1\nloop . mode = "steps"\n', 1, "a", "no such setting"),
    "spaced dotted key alone": ('\nloop . mode = "steps"\n', 2, "loop.mode", "'steps'"),
    "quoted key": ('["loop"]\n"mode" = "steps"\n', 2, "loop.mode", "'steps'"),
    "single quoted key": ("['loop']\n'mode' = 'steps'\n", 2, "loop.mode", "'steps'"),
    "quoted key with a dot": ('x = 1\n"loop.mode" = "step"\n', 1, "x", "no such setting"),
    "quoted key with a dot alone": ('# x\n"loop.mode" = "step"\n', 2, "loop.mode", "no such setting"),
    "quoted key with a space": ('[loop]\n"max attempts" = 3\n', 2, "loop.max attempts", "no such setting"),
    "key with an umlaut": ('[loop]\n"größe" = 3\n', 2, "loop.größe", "no such setting"),
    "inline table": ('loop = { mode = "steps" }\n', 1, "loop.mode", "'steps'"),
    "a value for a table": ("\nloop = 3\n", 2, "loop", "Expected `object`"),
    "a list of tables": ("\n[[loop]]\nmode = 'step'\n", 2, "loop", "Expected `object`"),
    "the same key elsewhere": ('[partner]\ntimeout = 3\n[checks]\ntimeout = "x"\n', 4, "checks.timeout", "`float`"),
    "too small": ("[loop]\nmax_attempts = 0\n", 2, "loop.max_attempts", ">= 1"),
    "no time at all": ("[checks]\ntimeout = 0\n", 2, "checks.timeout", "> 0"),
    "not a number": ("[checks]\ntimeout = nan\n", 2, "checks.timeout", "> 0"),
    "fewer than no retries": ("[partner]\nmax_retries = -1\n", 2, "partner.max_retries", ">= 0"),
    "unknown key of a command": ('[checks.x]\nrun = "a"\nparce = "gcc"\n', 3, "checks.x.parce", "no such setting"),
    "unknown form": ('[checks.x]\nrun = "a"\nparse = "xml"\n', 3, "checks.x.parse", "'xml'"),
    "no setting and no command": ("[checks]\nmodes = 1\n", 2, "checks.modes", "no such setting"),
    "a command that is none": ("[checks.x]\nrun = 3\n", 2, "checks.x.run", "Expected `str | array`"),
    "an empty command": ("[checks.x]\nrun = []\n", 2, "checks.x.run", "empty"),
    "a blank command": ("[checks.x]\nrun = ' '\n", 2, "checks.x.run", "blank"),
    "a name for a path": ('[checks."../x"]\nrun = "a"\n', 1, "checks.../x", "letters, digits"),
    "a table for a list": ("[checks.off]\nrun = 'a'\n", 1, "checks.off", "Expected `array`"),
    "a pattern for nothing": ("[checks.x]\nrun = 'a'\npattern = 'b'\n", 3, "checks.x.pattern", "only parse"),
    "no pattern": ("[checks.x]\nrun = 'a'\nparse = 'regex'\n", 1, "checks.x", "needs a pattern"),
    "no regex": (
        "[checks.x]\nrun = 'a'\nparse = 'regex'\npattern = '('\n",
        4,
        "checks.x.pattern",
        "not a regular expression",
    ),
    "an unknown group": (
        "[checks.x]\nrun = 'a'\nparse = 'regex'\npattern = '(?P<msg>.)'\n",
        4,
        "checks.x.pattern",
        "cannot be named 'msg'",
    ),
    "no message": (
        "[checks.x]\nrun = 'a'\nparse = 'regex'\npattern = '(?P<path>.)'\n",
        4,
        "checks.x.pattern",
        "needs a group for the message",
    ),
    "keys for nothing": ("[checks.x]\nrun = 'a'\nkeys = { line = 'l' }\n", 3, "checks.x.keys", "have keys"),
    "an unknown place": (
        "[checks.x]\nrun = 'a'\nparse = 'json'\n[checks.x.keys]\nrow = 'l'\n",
        5,
        "checks.x.keys.row",
        "no such setting",
    ),
    "a report outside": ("[checks.x]\nrun = 'a'\nreport = '../r'\n", 3, "checks.x.report", "relative to it"),
    "an absolute glob": ("[checks.x]\nrun = 'a'\nwhen = ['/src/*']\n", 3, "checks.x.when", "relative"),
    "no good status": ("[checks.x]\nrun = 'a'\nok_codes = []\n", 3, "checks.x.ok_codes", "no exit status"),
    "a status for signals": ("[checks.x]\nrun = 'a'\nok_codes = [137]\n", 3, "checks.x.ok_codes", "<= 125"),
    "how a built-in one is read": ("[checks.ruff]\nparse = 'gcc'\n", 1, "checks.ruff", "needs run"),
    "bad TOML": ("[loop]\nmode = step\n", 2, "", "not valid TOML"),
    "twice": ("[loop]\nmode = 'step'\nmode = 'auto'\n", 3, "", "not valid TOML"),
    "cut off": ('[loop]\nmode = """\nste', 3, "", "not valid TOML"),
    "cut off in a list": ("[checks]\noff = [\n", 2, "", "not valid TOML"),
}


@pytest.mark.parametrize(("text", "line", "key", "reason"), WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("which", ["user", "project"])
def test_what_is_wrong_has_file_line_and_key(
    tmp_path: Path, which: str, text: str, line: int, key: str, reason: str
) -> None:
    file = write(user_file() if which == "user" else tmp_path / "pairloop.toml", text)
    said = complaint(tmp_path)
    assert said.startswith(f"{file}:{line}: {key}: " if key else f"{file}:{line}: ")
    assert reason in said
    assert said.endswith(".")
    assert "$" not in said


def test_the_right_file_is_named_when_the_other_is_fine(tmp_path: Path) -> None:
    write(user_file(), '[loop]\nmode = "nonsense"\n')
    write(tmp_path / "pairloop.toml", '[loop]\nmode = "auto"\n')
    # The project's file would win, but a setting that cannot be used is told all the same.
    assert complaint(tmp_path).startswith(f"{user_file()}:2: loop.mode: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "pairloop.toml"
    file.write_bytes(b"[loop]\nmode = '\xff'\n")
    assert complaint(tmp_path).startswith(f"{file}: cannot be read: ")
    file.unlink()
    file.mkdir()
    assert complaint(tmp_path).startswith(f"{file}: cannot be read: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    file = write(tmp_path / "pairloop.toml", "[loop]\n")
    file.chmod(0)
    assert complaint(tmp_path).startswith(f"{file}: cannot be read: ")


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "pairloop.toml").write_bytes(b"\xef\xbb\xbf[loop]\r\nmax_steps = 3\r\n")
    assert load(tmp_path, {}, {}).loop.max_steps == 3


RISKY = {
    "partner.base_url": '"http://elsewhere"',
    "partner.key_env": '"AWS_SECRET_ACCESS_KEY"',
    "sandbox.candidate": '"copy"',
    "sandbox.network": "true",
    "loop.mode": '"auto"',
    "screen.theme": '"light"',
    "keys.accept": '"a"',
}


@pytest.mark.parametrize(("key", "value"), RISKY.items())
@pytest.mark.parametrize("form", ["# hello\n{key} = {value}\n", "[{table}]\n{name} = {value}\n"])
def test_a_project_cannot_choose_what_could_hurt(tmp_path: Path, key: str, value: str, form: str) -> None:
    table, name = key.split(".")
    text = form.format(key=key, value=value, table=table, name=name)
    file = write(tmp_path / "pairloop.toml", text)
    assert complaint(tmp_path) == f"{file}:2: {key}: a project cannot set this for you."
    file.rename(write(user_file(), ""))
    assert load(tmp_path, {}, {}) != Config()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"loop": {"mode": "steps"}}, "command line: loop.mode: "),
        ({"loop": {"max_attempts": -3}}, "command line: loop.max_attempts: "),
        ({"loops": {}}, "command line: loops: there is no such setting"),
    ],
)
def test_flags_are_checked_too(tmp_path: Path, flags: dict[str, Any], said: str) -> None:
    assert complaint(tmp_path, flags).startswith(said)


def test_a_script_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    write(user_file(), '[partner]\nscript = "mine.json"\n')
    assert load(tmp_path, {}, {}).partner.script == str(user_file().parent.resolve() / "mine.json")
    project = tmp_path / "project"
    write(project / "pairloop.toml", '[partner]\nscript = "../demo/turns.json"\n')
    assert load(project, {}, {}).partner.script == str(tmp_path.resolve() / "demo/turns.json")
    (project / "pairloop.toml").write_text(f'[partner]\nscript = "{tmp_path}/absolute.json"\n')
    assert load(project, {}, {}).partner.script == str(tmp_path.resolve() / "absolute.json")
    (project / "pairloop.toml").write_text('[partner]\nscript = ""\n')
    assert load(project, {}, {}).partner.script == ""


def test_every_setting_has_a_sentence() -> None:
    tables = {table.name: table.type for table in msgspec.structs.fields(Config)}
    for named in ("keys", "partners", "mcp", "hooks"):
        # Whatever is in it is a name.
        assert f"{named}: " in (Config.__doc__ or "")
        del tables[named]
    named_tables = {"checks.NAME": CommandConfig, "checks.NAME.keys": JsonKeys, "mcp": McpConfig, "hooks": HookConfig}
    for name, table in {**tables, **named_tables}.items():
        for field in msgspec.structs.fields(table):
            assert f"{field.name}: " in table.__doc__, f"{name}.{field.name}"


def test_commands_of_the_projects_own(tmp_path: Path) -> None:
    write(user_file(), '[checks.spelling]\nrun = "aspell"\ntimeout = 5\n[checks.eslint]\non = false\n')
    write(
        tmp_path / "pairloop.toml",
        '[checks]\noff = ["mypy", "anything"]\n[checks.spelling]\nrun = ["codespell", "{files}"]\nwhen = ["*.md"]\n'
        '[checks.commands]\nrun = "x"\nparse = "json"\nkeys = { items = "a.b" }\n',
    )
    checks = load(tmp_path, {"checks": {"spelling": {"timeout": 7.0}}}, {}).checks
    assert checks.off == ("mypy", "anything")
    assert checks.commands == {
        "spelling": CommandConfig(run=("codespell", "{files}"), when=("*.md",), timeout=7.0),
        "eslint": CommandConfig(on=False),
        "commands": CommandConfig(run="x", parse="json", keys=JsonKeys(items="a.b")),
    }
    assert complaint(tmp_path, {"checks": {"x": {"run": 3}}}).startswith("command line: checks.x.run: Expected")


def test_projects_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOP_STATE_DIR", str(tmp_path / "state"))
    assert state_dir() == tmp_path / "state"
    names = [Path("/a/shop"), Path("/b/shop"), Path("/"), Path("/a/" + "ä" * 100), Path("/a/../etc")]
    folders = [project_state(name) for name in names]
    assert len(set(folders)) == len(names)
    assert {folder.parent for folder in folders} == {tmp_path / "state" / "projects"}
    assert all(len(folder.name) < 60 and folder.name.isascii() for folder in folders)


@pytest.mark.parametrize("kind", ["zero", "pipe", "folder"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "pairloop.toml"
    if kind == "zero":
        place.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    with pytest.raises(ConfigError, match=r"pairloop\.toml: cannot be read"):
        load(tmp_path, {}, {})
