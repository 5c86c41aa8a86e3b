"""Keys kept, found and taken away: in the environment, a keyring, a file."""

from __future__ import annotations

import os
import stat
import sys
import threading
import types
from pathlib import Path

import pytest

from agent_core import key_command
from agent_core.config_tables import Config, PartnerConfig
from agent_core.errors import ConfigError
from agent_core.key_command import KeyStore
from agent_core.keys.file import KeyEntry, KeyFile
from agent_core.keys.finding import KeyFinder
from agent_core.keys.ring import RingError, SystemRing
from agent_core.partners.build import endpoint_of
from agent_core.partners.several import Partners
from tests.support import calling

KEY, OTHER = "sk-9f8e7d6c5b4a39281706f5e4", "sk-0011223344556677aabbccdd"
HOST = "api.example.org"


class Ring:
    """A keyring in memory, that can be locked."""

    def __init__(self, **kept: str) -> None:
        self.kept = kept
        self.locked = False
        self.asked: list[str] = []

    def get(self, name: str, seconds: float = 0.0) -> str:
        del seconds
        self.asked.append(name)
        self._try()
        return self.kept.get(name, "")

    def put(self, name: str, key: str) -> None:
        self._try()
        self.kept[name] = key

    def drop(self, name: str) -> None:
        self._try()
        self.kept.pop(name, None)

    def _try(self) -> None:
        if self.locked:
            raise RingError("is locked")


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "conf" / "keys.toml")


def test_the_environment_goes_before_the_keyring_and_that_before_the_file(file: KeyFile) -> None:
    ring = Ring()
    file.put(HOST, KeyEntry(KEY))
    find = KeyFinder({"A_KEY": f" {OTHER}\n"}, file, ring).find
    assert (find("A_KEY", (HOST,), needed=True).reveal(), ring.asked) == (OTHER, [])
    find = KeyFinder({}, file, ring).find
    found = find("A_KEY", ("", HOST), needed=True)
    assert (found.reveal(), found.place, ring.asked) == (KEY, str(file.path), [])
    file.put(HOST, KeyEntry(keyring=True))
    ring.kept[HOST] = OTHER
    found = find("A_KEY", ("", HOST), needed=False)
    assert (found.reveal(), found.place) == (OTHER, "the system keyring")
    assert repr(found) == "Key($A_KEY, set)"


def test_a_keyring_is_only_asked_where_a_key_is_needed_or_known_to_be(file: KeyFile) -> None:
    ring = Ring(**{HOST: KEY})
    find = KeyFinder({}, file, ring).find
    assert not find("A_KEY", (HOST,), needed=False)
    assert ring.asked == []
    assert find("A_KEY", ("work", HOST), needed=True).reveal() == KEY
    assert ring.asked == ["work", HOST]
    ring.locked = True
    assert not find("A_KEY", (HOST,), needed=True)
    file.put(HOST, KeyEntry(keyring=True))
    with pytest.raises(ConfigError, match=r"The key for api.example.org is in the system keyring, which is locked."):
        find("A_KEY", (HOST,), needed=False)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_refused(file: KeyFile, mode: int) -> None:
    file.put(HOST, KeyEntry(KEY))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    file.path.chmod(mode)
    with pytest.raises(ConfigError, match="others can read or write it") as caught:
        KeyFinder({}, file, Ring()).find("A_KEY", (HOST,), needed=True)
    assert caught.value.hint == f"chmod 600 {file.path}"
    with pytest.raises(ConfigError):
        file.put("another", KeyEntry(OTHER))


def test_a_file_that_is_a_link_or_anothers_is_refused(file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.put(HOST, KeyEntry(KEY))
    link = KeyFile(file.path.with_name("link.toml"))
    link.path.symlink_to(file.path)
    with pytest.raises(ConfigError, match="it is a link"):
        link.read()
    folder = KeyFile(file.path.parent)
    with pytest.raises(ConfigError, match="it is no file"):
        folder.read()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="belongs to somebody else"):
        file.read()


@pytest.mark.parametrize("text", [f'[h]\nkey = "{KEY}', f'[h]\nkey = "{KEY}"\nother = 1\n', f'h = "{KEY}"\n', "\xff"])
def test_a_broken_file_is_told_without_what_is_in_it(file: KeyFile, text: str) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(text.encode("latin-1"))
    file.path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        file.read()
    assert str(file.path) in caught.value.message
    assert KEY not in f"{caught.value} {caught.value.__cause__!r}"


def test_any_name_and_key_is_read_as_it_was_written(file: KeyFile) -> None:
    entries = {'a"b\\': KeyEntry('k"\\\t=#'), "ö.example:8080": KeyEntry(KEY), "work": KeyEntry(keyring=True)}
    for name, entry in entries.items():
        file.put(name, entry)
    assert file.read() == entries
    assert KEY not in repr(file.read())
    file.put("work", None)
    assert "work" not in file.read()
    assert [path.name for path in file.path.parent.iterdir()] == ["keys.toml"]


def test_a_key_goes_to_the_keyring_and_else_to_the_file(file: KeyFile) -> None:
    ring = Ring()
    store = KeyStore(file, ring)
    assert store.put(HOST, KEY) == f"The key for {HOST} is in the system keyring."
    assert (ring.kept, file.read()) == ({HOST: KEY}, {HOST: KeyEntry(keyring=True)})
    ring.locked = True
    assert "as the system keyring is locked" in store.put(HOST, OTHER)
    assert file.read() == {HOST: KeyEntry(OTHER)}
    assert str(file.path) in store.drop(HOST)
    ring.locked = False
    assert store.drop(HOST) == f"The key for {HOST} is out of the system keyring."
    assert (store.drop(HOST), ring.kept, file.read()) == ("", {}, {})


def test_a_keyring_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    stuck = types.SimpleNamespace(get_password=lambda *_: never.wait(20))
    monkeypatch.setitem(sys.modules, "keyring", stuck)
    with pytest.raises(RingError, match="did not answer within"):
        SystemRing().get("name", 0.05)
    never.set()


def test_a_backend_that_forgets_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = types.SimpleNamespace(get_password=lambda *_: None, set_password=lambda *_: None)
    monkeypatch.setitem(sys.modules, "keyring", silent)
    with pytest.raises(RingError, match="keeps nothing here"):
        SystemRing().put("name", KEY)


def test_a_partner_of_ones_own_has_a_key_of_its_own(file: KeyFile) -> None:
    file.put("api.openai.com", KeyEntry(KEY))
    file.put("work", KeyEntry(OTHER))
    finder = KeyFinder({}, file, Ring())
    config = Config(partners={"work": PartnerConfig(model="gpt-5.1")})
    assert endpoint_of(config.partner, {}, finder).key.reveal() == KEY
    assert endpoint_of(config.partners["work"], {}, finder, "work").key.reveal() == OTHER
    assert Partners(config, {}, finder).open("work").partner.model.info.model == "gpt-5.1"


@pytest.mark.parametrize(
    ("partner", "name"),
    [
        ("", "api.openai.com"),
        ("work", "work"),
        ("openrouter", "openrouter.ai"),
        ("https://me:pw@LLM.example.org:8443/v1", "llm.example.org:8443"),
        ("LLM.example.org", "llm.example.org"),
    ],
)
def test_what_a_key_is_kept_under(partner: str, name: str) -> None:
    config = Config(partners={"work": PartnerConfig()})
    assert key_command.name_for(config, partner)[0] == name


# -- on the command line


def test_keys_on_the_command_line_are_never_shown(
    tmp_path: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ""

    def call(*arguments: str, typed: str = "") -> int:
        nonlocal said
        done = calling.call(["key", *arguments], tmp_path, typed)
        said = done.out + done.err
        assert KEY not in said
        assert OTHER not in said
        return done.code

    assert call("list") == 1
    assert "There are no keys" in said
    assert call("set", typed=f"{KEY}\n") == 0
    file = private_home / "config" / "pairloop" / "keys.toml"
    assert str(file) in said
    assert KEY in file.read_text()
    assert call("set", "openrouter", typed=f"{OTHER}\n") == 0
    assert call("set", typed="\n") == 1
    assert call("set", typed="two words\n") == 2
    assert call("set", "nobody", typed=KEY) == 2
    assert call("list") == 0
    assert [line.split()[0] for line in said.splitlines()] == ["api.openai.com", "openrouter.ai"]
    monkeypatch.setenv("OPENAI_API_KEY", OTHER)
    assert call("set", typed=f"{KEY}\n") == 0
    assert "$OPENAI_API_KEY is set, and goes before it." in said
    assert call("list") == 0
    assert said.startswith("$OPENAI_API_KEY")
    assert call("rm") == 0
    assert call("rm") == 1
    assert KEY not in file.read_text()
    # Where everybody could see it: it is no argument, and what was typed is not said again.
    assert calling.call(["key", "set", "openrouter", KEY], tmp_path).code == 2
