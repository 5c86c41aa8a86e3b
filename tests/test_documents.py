"""README and the maps of the house say what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import msgspec

from agent_core import patch
from agent_core.checks.settings import CommandConfig, Parse
from agent_core.config import PROJECT_FILE, load
from agent_core.config_tables import Config, PriceConfig
from tui.actions import markdown_table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
AGENTS = (ROOT / "AGENTS.md").read_text()


def test_the_first_commands_are_make_try_and_make_test() -> None:
    commands = re.findall(r"^ {4}(.+)$", README, re.MULTILINE)
    assert commands[0].startswith("make try")
    assert commands[1].startswith("make test")


def test_the_key_table_is_the_registry() -> None:
    found = re.search(r"<!-- keys.*?-->\n(.*?)\n<!-- /keys -->", README, re.DOTALL)
    assert found is not None
    assert found.group(1).strip() == markdown_table().strip()


def test_the_configuration_shown_is_whole_and_has_the_defaults() -> None:
    found = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert found is not None
    shown = tomllib.loads(found.group(1))
    defaults = msgspec.to_builtins(Config())
    # Commands of the project's own have no default; they are shown apart.
    del defaults["checks"]["*"]
    # What is not set by default is shown as a comment: with its sign taken away it can be used.
    assert defaults["partner"].pop("price") is None
    commented = re.search(r"^# (price = .*)$", found.group(1), re.MULTILINE)
    assert commented is not None
    assert msgspec.convert(tomllib.loads(commented.group(1))["price"], PriceConfig).input > 0
    assert {table: set(keys) for table, keys in shown.items()} == {t: set(keys) for t, keys in defaults.items()}
    shown["partner"]["model"] = ""
    assert shown == {
        table: {k: list(v) if isinstance(v, tuple) else v for k, v in keys.items()} for table, keys in defaults.items()
    }


def test_the_commands_shown_can_be_used_and_leave_no_setting_out(tmp_path: Path) -> None:
    shown = [text for text in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[checks." in text]
    assert len(shown) == 1
    (tmp_path / PROJECT_FILE).write_text(shown[0])
    assert set(load(tmp_path, {}, {}).checks.commands) >= {"eslint", "spelling"}
    table = re.search(r"<!-- check settings -->\n(.*?)\n<!-- /check settings -->", README, re.DOTALL)
    assert table is not None
    assert re.findall(r"^\| `(\w+)`", table[1], re.MULTILINE) == list(CommandConfig.__struct_fields__)
    forms = re.findall(r'"([a-z-]+)"', next(row for row in table[1].splitlines() if row.startswith("| `parse`")))
    assert set(forms) == set(get_args(Parse))


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_the_map_of_the_house_shows_every_room() -> None:
    engine = ROOT / "agent_core"
    files = {path.name for path in engine.glob("*.py")} - {"__init__.py"}
    assert {name for name in re.findall(r"\b[a-z_]+\.py\b", AGENTS) if (engine / name).exists()} == files
    folders = {path.name for path in engine.iterdir() if (path / "__init__.py").exists()}
    assert {name for name in folders if f"      {name}/" not in AGENTS} == set()


def test_the_map_of_the_screen_shows_every_room() -> None:
    shown = AGENTS[AGENTS.index("\n    tui/ ") :].split("\n## ")[0]
    names = set(re.findall(r"[a-z_]+", shown))
    families = tuple(re.findall(r"([a-z_]+)\*", shown))
    screen = ROOT / "tui"
    rooms = {
        path.stem
        for path in (*screen.glob("*.py"), *(screen / "panes").glob("*.py"), *(screen / "screens").glob("*.py"))
        if path.name != "__init__.py"
    }
    rooms |= {path.name for path in screen.iterdir() if (path / "__init__.py").exists()}
    assert {room for room in rooms - names if not room.startswith(families)} == set()


def test_the_map_of_the_patch_engine_names_every_module() -> None:
    files = {path.stem for path in Path(patch.__path__[0]).glob("*.py")} - {"__init__"}
    assert files - set(re.findall(r"``([a-z_]+)``", patch.__doc__ or "")) == set()
