"""The partners there are: that of the configuration, others beside it, and servers known by a name."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agent_core.config import unknown_partner
from agent_core.config_tables import Config, PartnerConfig
from agent_core.keys.finding import KeyFinder
from agent_core.partners.abilities import AbilityBook
from agent_core.partners.build import Partner, open_partner
from agent_core.partners.offline.partner import OfflineModel
from agent_core.partners.presets import BUILTIN, filled, presets
from agent_core.repair.desk import Desk


class Chosen(msgspec.Struct, frozen=True):
    """A partner that was opened.

    Attributes:
        name: ``[partners.NAME]``, a preset, ``builtin``, or empty for ``[partner]``.
        model: The model's id that was asked for; empty for the configured one, or the server's first.
        settings: Its settings.
        partner: The partner.
    """

    name: str
    model: str
    settings: PartnerConfig
    partner: Partner


class Partners:
    """Opens partners by their names.

    Args:
        config: The settings.
        environ: The environment.
        keys: Finds their keys; in the environment alone where it is None.
        book: Where it is kept what was found of models.

    Attributes:
        desk: Where the built-in partner asks for repairs.
    """

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        keys: KeyFinder | None = None,
        book: AbilityBook | None = None,
    ) -> None:
        self.config = config
        self.environ = environ
        self.keys = keys
        self.book = book
        self.desk = Desk()

    @property
    def names(self) -> tuple[str, ...]:
        """All there are: that of ``[partner]`` (empty), those of one's own, the presets, the built-in one."""
        return tuple(dict.fromkeys(("", *self.config.partners, *presets(), BUILTIN)))

    def is_built_in(self, name: str) -> bool:
        """Whether a name is that of the built-in partner, and not of one of the human's own."""
        return name == BUILTIN and name not in self.config.partners

    def settings(self, name: str, model: str = "") -> PartnerConfig:
        """What is configured for a partner, with what its preset knows.

        A table that is named as a preset begins with that preset.

        Args:
            name: See `Chosen`.
            model: Another model's id than the configured one; empty for that.

        Raises:
            ConfigError: There is no such partner, or its settings lack something.
        """
        if not name:
            found = self.config.partner
        elif name in self.config.partners:
            found = self.config.partners[name]
        elif name in {BUILTIN, *presets()}:
            found = PartnerConfig()
        else:
            raise unknown_partner(name, self.config.partners)
        if name in presets() and not found.preset:
            found = msgspec.structs.replace(found, preset=name)
        return filled(msgspec.structs.replace(found, model=model) if model else found)

    def open(self, name: str, model: str = "") -> Chosen:
        """Open a partner; nothing is sent yet. It may take seconds, where a keyring is asked.

        Args:
            name: See `Chosen`.
            model: Likewise.

        Raises:
            ConfigError: There is no such partner, or something is missing to use it; says what.
            PartnerError: Its script cannot be used.
        """
        settings = self.settings(name, model)
        if self.is_built_in(name):
            return Chosen(name, model, settings, Partner(OfflineModel(self.desk, self.config.repair.seconds), None))
        return Chosen(name, model, settings, open_partner(settings, self.environ, self.keys, name, self.book))
