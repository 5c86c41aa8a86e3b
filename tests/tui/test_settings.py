"""What the screen is set to, what is kept of what was chosen, and keys of the user's own."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
import pytest

from agent_core.errors import ConfigError
from agent_core.places import state_dir, user_file
from agent_core.screen_settings import ScreenConfig
from tests.tui.driving import MEDIUM, running
from tests.tui.proposals import waiting
from tests.tui.test_diff_review import into_diff
from tui.actions import ACTIONS, BY_ID
from tui.actions.keys import UnusableKeys, remapped
from tui.layout import Shares
from tui.panes.diff import DiffPane
from tui.settings import Settings, load_settings


def configure(text: str) -> Path:
    path = user_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_choices_are_kept_until_the_configuration_says_something_else(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    settings = Settings(ScreenConfig(), path=path)
    settings.choose(theme="light", wrap=False)
    settings.keep_shares("wide columns", Shares((1, 2, 3), (1,)))
    again = Settings(ScreenConfig(), path=path)
    assert (again.screen.theme, again.screen.wrap, again.screen.layout) == ("light", False, "auto")
    assert again.shares("wide columns") == Shares((1, 2, 3), (1,))
    assert again.shares("medium stacked") is None
    later = Settings(ScreenConfig(theme="nord"), path=path)
    assert (later.screen.theme, later.screen.wrap) == ("nord", False)
    again.choose(theme="dark")
    again.keep_shares("wide columns", None)
    last = Settings(ScreenConfig(), path=path)
    assert last.screen.theme == "dark"
    assert last.shares("wide columns") is None


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"choices": {"theme": 3}}', b'{"sizes": {"wide columns": {"columns": "x"}}}'],
)
def test_a_damaged_file_is_ignored_and_said_in_the_log(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "screen.json"
    path.write_bytes(damage)
    with caplog.at_level(logging.WARNING):
        settings = Settings(ScreenConfig(), path=path)
    assert settings.screen == ScreenConfig()
    assert [str(path) in record.getMessage() for record in caplog.records] == [True]
    settings.choose(theme="light")
    assert Settings(ScreenConfig(), path=path).screen.theme == "light"


@pytest.mark.parametrize("choice", ["theme", "layout", "unheard-of"])
def test_a_choice_that_is_none_any_more_is_left(tmp_path: Path, choice: str) -> None:
    path = tmp_path / "screen.json"
    over = msgspec.to_builtins(ScreenConfig()).get(choice, "x")
    path.write_bytes(msgspec.json.encode({"choices": {choice: {"value": "gone", "over": over}}}))
    assert Settings(ScreenConfig(), path=path).screen == ScreenConfig()


def test_what_cannot_be_written_holds_for_this_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings = Settings(ScreenConfig(), path=blocked / "screen.json")
    settings.choose(theme="light")
    assert settings.screen.theme == "light"
    assert "not kept" in caplog.text
    assert list(tmp_path.iterdir()) == [blocked]


def test_nothing_unheard_of_is_chosen() -> None:
    settings = Settings()
    with pytest.raises(msgspec.ValidationError):
        settings.choose(layout="diagonal")
    with pytest.raises(msgspec.ValidationError):
        settings.choose(colour="red")
    assert settings.screen == ScreenConfig()


def test_the_user_s_configuration_is_read() -> None:
    configure('[screen]\ntheme = "nord"\nlayout = "tabs"\n[keys]\naccept = ["f6", "Y"]\ndiff = "f2"\n' + UNTANGLED)
    settings = load_settings()
    assert (settings.screen.theme, settings.screen.layout) == ("nord", "tabs")
    changed = remapped(ACTIONS, settings.keys)
    assert changed["accept"].keys == {"everywhere": ("f6",), "panes": ("Y",)}
    settings.choose(theme="light")
    assert (state_dir() / "screen.json").is_file()
    assert load_settings().screen.theme == "light"


# Moving the diff to F2 means that all who had F2 have to go.
UNTANGLED = 'allow = "f13"\nresume = "f13"\nspend_more = "f13"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[screen]\n\ntheme = "nrod"\n', ":3: screen.theme: there is no such theme; there are dark, light, "),
        ('[screen]\nlayout = "x"\n', ":2: screen.layout: "),
        ('[screen]\nmouse = "x"\n', ":2: screen.mouse: "),
        ('[screen]\ncolour = "x"\n', ":2: screen.colour: there is no such setting"),
        ('[keys]\naccpet = "f10"\n', ":2: keys.accpet: there is no action of that id"),
        ('[keys]\nhelp = "f1"\naccept = "f99"\n', ":3: keys.accept: there is no key “f99”"),
        ('[keys]\naccept = "f4"\n', ":2: keys.accept: F4 is the key of go_on (go on) there too"),
        ('[keys]\naccept = "i"\n', ":2: keys.accept: i is the key of prompt (prompt) there too"),
        ('[keys]\nsend = "s"\n', ":2: keys.send: “s” is needed for writing"),
        ('[keys]\nhelp = "backspace"\n', ":2: keys.help: “backspace” is needed for writing"),
        ("[keys]\nquit = []\n", ":2: keys.quit: there has to be a way out"),
        ("[keys]\nhelp = 3\n", ":1: keys: Expected "),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(text: str, said: str) -> None:
    path = configure(text)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert caught.value.message.startswith(f"{path}{said}")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("F10", "f10"),
        ("^t", "ctrl+t"),
        ("Ctrl+T", "ctrl+t"),
        ("shift+f2", "shift+f2"),
        ("alt+enter", "alt+enter"),
        ("page up", "pageup"),
        ("esc", "escape"),
    ],
)
def test_keys_are_written_as_people_do(written: str, key: str) -> None:
    assert remapped((BY_ID["help"],), {"help": (written,)})["help"].keys == {"everywhere": (key,)}


@pytest.mark.parametrize(("written", "key"), [("!", "exclamation_mark"), ("Q", "Q"), ("shift+q", "Q"), ("ä", "ä")])
def test_what_writes_something_acts_in_panes_only(written: str, key: str) -> None:
    assert remapped((BY_ID["help"],), {"help": (written,)})["help"].keys == {"panes": (key,)}


@pytest.mark.parametrize("written", ["", " ", "ctrl+", "hyperdrive+a", "f0", "two words", "a,b"])
def test_what_is_no_key_is_refused(written: str) -> None:
    with pytest.raises(UnusableKeys, match="there is no key"):
        remapped(ACTIONS, {"help": (written,)})


def test_actions_that_never_meet_may_share_a_key() -> None:
    changed = remapped(ACTIONS, dict.fromkeys(("accept", "allow", "resume"), ("f13",)))
    assert {action.keys["everywhere"] for action in changed.values()} == {("f13",)}


def test_an_action_may_have_no_key_at_all() -> None:
    assert remapped(ACTIONS, {"undo": ()})["undo"].keys == {}


def is_beside(pane: DiffPane) -> bool:
    return pane.look.beside


async def test_how_it_is_laid_out_is_set_and_what_is_chosen_instead_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    settings = Settings(ScreenConfig(layout="tabs", diff="split", wrap=False), path=path)
    async with running(MEDIUM, settings=settings) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        pane = driver.app.main.diff
        assert is_beside(pane)
        assert not pane.look.wrap
        await driver.press("t", "w")
        assert not is_beside(pane)
    again = Settings(ScreenConfig(layout="tabs", diff="split", wrap=False), path=path).screen
    assert (again.diff, again.wrap) == ("unified", True)


async def test_where_it_does_not_fit_the_key_says_so_and_what_is_set_stays() -> None:
    async with running(MEDIUM, settings=Settings(ScreenConfig(layout="columns", diff="split"))) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("t")
        assert "needs 100 cells" in driver.text
        assert driver.app.settings.screen.diff == "split"
