"""The user's own prices, ``prices.toml`` beside their ``config.toml``: by a model's id, or a pattern of ids.

["my-model"]
input = 0.5
cached = 0.05
output = 2.0

["gpt-5*".tiers.priority]
input = 2.5
output = 20.0
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec

from agent_core.config_tables import PriceConfig
from agent_core.errors import ConfigError
from agent_core.places import user_file


class ModelPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model costs, in US dollars per million tokens; see `agent_core.config_tables.PriceConfig`.

    Attributes:
        input: What is sent; None where only prices of tiers are given.
        output: What is answered, reasoning included.
        cached: What is sent and comes from the provider's cache; as much as other input where it is not said.
        tiers: Other prices by service tier, such as ``flex`` or ``priority``.
    """

    input: Annotated[float, msgspec.Meta(ge=0)] | None = None
    output: Annotated[float, msgspec.Meta(ge=0)] | None = None
    cached: Annotated[float, msgspec.Meta(ge=0)] | None = None
    tiers: dict[str, PriceConfig] = msgspec.field(default_factory=dict)

    def price(self, tier: str) -> PriceConfig | None:
        """The price in a service tier, empty for the standard one; None where it is not given."""
        if tier:
            return self.tiers.get(tier)
        if self.input is None or self.output is None:
            return None
        return PriceConfig(self.input, self.output, self.cached)


def price_file() -> Path:
    """Where they are."""
    return user_file().parent / "prices.toml"


def read_prices(path: Path | None = None) -> dict[str, ModelPrice]:
    """The prices by id or pattern; none when there is no file.

    Raises:
        ConfigError: The file cannot be used; names what is wrong.
    """
    path = path or price_file()
    try:
        found = msgspec.convert(tomllib.loads(path.read_text("utf-8-sig")), dict[str, ModelPrice])
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.") from error
    except msgspec.ValidationError as error:
        hint = 'A price looks like: ["my-model"] input = 0.5, cached = 0.05, output = 2.0, a line each.'
        raise ConfigError(f"{path}: {error}.", hint) from error
    for name, one in found.items():
        if (one.input is None) != (one.output is None) or (one.input is None and not one.tiers):
            raise ConfigError(f"{path}: {name}: has to say input and output, or prices of tiers.")
    return found


def price_of(prices: Mapping[str, ModelPrice], model: str, tier: str = "") -> PriceConfig | None:
    """The price of a model: by its id, else by the longest pattern that fits; None where none is given.

    Args:
        prices: As `read_prices` gives them.
        model: The model's id.
        tier: The service tier; empty for the standard one.
    """
    fits = [name for name in prices if name == model or fnmatchcase(model, name)]
    for name in sorted(fits, key=lambda name: (name != model, -len(name))):
        if (price := prices[name].price(tier)) is not None:
            return price
    return None
