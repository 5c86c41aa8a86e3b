"""README and the maps of the house say what is so."""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import get_args

import msgspec
import pytest

from agent_core import config as configuration
from agent_core import patch, repair
from agent_core.checks.settings import CommandConfig, Parse
from agent_core.config import PROJECT_FILE, load
from agent_core.config_tables import Config, McpConfig, PriceConfig
from agent_core.partners.own_prices import read_prices
from agent_core.partners.presets import presets
from agent_core.repair import beyond
from tui.actions import markdown_table
from tui.command_line import parser

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
SETTINGS = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
"""What is shown of configuration files."""
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
    (whole,) = [text for text in SETTINGS if "[loop]" in text]
    shown = tomllib.loads(whole)
    defaults = msgspec.to_builtins(Config())
    # Commands of the project's own have no default; they are shown apart.
    del defaults["checks"]["*"]
    # What is not set by default is shown as a comment: with its sign taken away it can be used.
    assert defaults["partner"].pop("price") is None
    commented = re.search(r"^# (price = .*)$", whole, re.MULTILINE)
    assert commented is not None
    assert msgspec.convert(tomllib.loads(commented.group(1))["price"], PriceConfig).input > 0
    assert {table: set(keys) for table, keys in shown.items()} == {t: set(keys) for t, keys in defaults.items()}
    shown["partner"]["model"] = ""
    assert shown == {
        table: {k: list(v) if isinstance(v, tuple) else v for k, v in keys.items()} for table, keys in defaults.items()
    }


def test_the_commands_shown_can_be_used_and_leave_no_setting_out(tmp_path: Path) -> None:
    shown = [text for text in SETTINGS if "[checks." in text]
    assert len(shown) == 1
    (tmp_path / PROJECT_FILE).write_text(shown[0])
    assert set(load(tmp_path, {}, {}).checks.commands) >= {"eslint", "spelling"}
    table = re.search(r"<!-- check settings -->\n(.*?)\n<!-- /check settings -->", README, re.DOTALL)
    assert table is not None
    assert re.findall(r"^\| `(\w+)`", table[1], re.MULTILINE) == list(CommandConfig.__struct_fields__)
    forms = re.findall(r'"([a-z-]+)"', next(row for row in table[1].splitlines() if row.startswith("| `parse`")))
    assert set(forms) == set(get_args(Parse))


def test_what_is_shown_of_settings_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own" / "config.toml"
    own.parent.mkdir()
    monkeypatch.setattr(configuration, "user_file", lambda: own)
    kinds = set()
    for text in SETTINGS:
        if "checks." in text or "[loop]" in text:
            continue
        if "tiers" in text:
            (own.parent / "prices.toml").write_text(text)
            assert read_prices(own.parent / "prices.toml")
        else:
            own.write_text(text)
            load(tmp_path, {}, {})
        kinds |= set(tomllib.loads(text))
    assert {"partners", "permissions", "mcp", "hooks"} <= kinds


def test_settings_of_servers_are_all_told() -> None:
    table = re.search(r"\| Setting of `\[mcp\.NAME\]` .*?\n\n", README, re.DOTALL)
    assert table is not None
    told = [
        name for row in re.findall(r"^\| (`.*?) \|", table[0], re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    assert set(told) == set(McpConfig.__struct_fields__)


def test_all_servers_known_by_name_are_told() -> None:
    known = README[README.index("Known by name:") :].split("\n\n")[0]
    assert set(presets()) <= set(re.findall(r"`(\w+)`", known))


def test_all_commands_are_told() -> None:
    commands = set(re.findall(r"pairloop ([a-z]+)\b", README))
    named = next(one for one in parser()._actions if isinstance(one, argparse._SubParsersAction))
    assert set(named.choices) <= commands


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


@pytest.mark.parametrize("package", [patch, repair, beyond], ids=["patch", "repair", "beyond"])
def test_the_map_of_a_package_names_every_module(package: ModuleType) -> None:
    files = {path.stem for path in Path(package.__path__[0]).glob("*.py")} - {"__init__"}
    assert files - set(re.findall(r"[a-z_]+", package.__doc__ or "")) == set()
