"""What the screen is set to: by the user's configuration, and by what they chose on it, which is kept between runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from agent_core.places import state_dir, user_file
from agent_core.screen_settings import ScreenConfig
from agent_core.small_files import put_in_place
from tui.actions import ACTIONS
from tui.actions.keys import Changes, UnusableKeys, remapped
from tui.layout import Shares
from tui.themes import THEMES

_log = logging.getLogger("tui")
_MOST = 64_000


class Choice(msgspec.Struct, frozen=True):
    """A setting that was chosen on the screen.

    Attributes:
        value: What was chosen.
        over: What the configuration said then: when it says something else later, that is the newer word.
    """

    value: str | bool
    over: str | bool


class Kept(msgspec.Struct, frozen=True):
    """What is kept between runs.

    Attributes:
        choices: By the name of the setting in ``[screen]``.
        sizes: How large the panes are, by size class and layout, as in ``wide columns``.
    """

    choices: Mapping[str, Choice] = {}
    sizes: Mapping[str, Shares] = {}


class Settings:
    """What is set.

    Args:
        config: What the configuration says.
        keys: Keys of the user's own.
        path: Where choices are kept; None keeps them for this run only.
    """

    def __init__(
        self, config: ScreenConfig | None = None, keys: Changes | None = None, path: Path | None = None
    ) -> None:
        self.keys: Changes = keys or {}
        self._config = config or ScreenConfig()
        self._path = path
        self._kept = _read(path) if path is not None else Kept()
        self.screen = self._chosen()
        """The settings in force."""

    def choose(self, **values: str | bool) -> None:
        """Set something, and keep it.

        Args:
            values: By the name of the setting.

        Raises:
            msgspec.ValidationError: There is no such setting, or not such a value of it.
        """
        over = msgspec.to_builtins(self._config)
        choices = {**self._kept.choices}
        for name, value in values.items():
            if value == over.get(name):
                choices.pop(name, None)
            else:
                choices[name] = Choice(value, over.get(name, ""))
        changed = msgspec.to_builtins(self.screen) | values
        self.screen = msgspec.convert(changed, ScreenConfig)
        self._keep(msgspec.structs.replace(self._kept, choices=choices))

    def shares(self, name: str) -> Shares | None:
        """How large the panes are in a size class and layout; None as it is by default."""
        return self._kept.sizes.get(name)

    def keep_shares(self, name: str, shares: Shares | None) -> None:
        """Keep how large the panes are; None for the default."""
        sizes = {key: value for key, value in self._kept.sizes.items() if key != name}
        if shares is not None:
            sizes[name] = shares
        self._keep(msgspec.structs.replace(self._kept, sizes=sizes))

    def _chosen(self) -> ScreenConfig:
        """The configuration under what was chosen since; what cannot be used of it is left."""
        base: dict[str, Any] = msgspec.to_builtins(self._config)
        for name, choice in self._kept.choices.items():
            if name not in base or base[name] != choice.over or (name == "theme" and choice.value not in THEMES):
                continue
            try:
                base = msgspec.to_builtins(msgspec.convert({**base, name: choice.value}, ScreenConfig))
            except msgspec.ValidationError as error:
                _log.warning("%s: %s is not used: %s", self._path, name, error)
        return msgspec.convert(base, ScreenConfig)

    def _keep(self, kept: Kept) -> None:
        if kept == self._kept:
            return
        self._kept = kept
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            put_in_place(self._path, msgspec.json.encode(kept))
        except OSError as error:
            _log.warning("%s: what was chosen is not kept: %s", self._path, error)


def _read(path: Path) -> Kept:
    """What was kept; a file that is damaged is worth a word in the log and nothing else."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MOST), type=Kept)
    except FileNotFoundError:
        return Kept()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        _log.warning("%s is not used: %s", path, error)
        return Kept()


def load_settings() -> Settings:
    """The settings of this user.

    Raises:
        ConfigError: Their configuration cannot be used; says where and why.
    """
    kept = state_dir() / "screen.json"
    if not user_file().exists():
        return Settings(path=kept)
    # What reads configurations is not free to import, and most have none.
    from agent_core.config import load_own  # noqa: PLC0415

    own = load_own()
    keys = {name: (keys,) if isinstance(keys, str) else keys for name, keys in own.config.keys.items()}
    try:
        remapped(ACTIONS, keys)
    except UnusableKeys as error:
        raise own.refusal(["keys", error.action], error.reason) from error
    if own.config.screen.theme not in THEMES:
        raise own.refusal(["screen", "theme"], f"there is no such theme; there are {', '.join(THEMES)}")
    return Settings(own.config.screen, keys, kept)
