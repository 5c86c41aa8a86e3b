"""The configuration: where it is read from, and what is wrong with it. Its settings are in `config_tables`.

Read in this order, later ones winning: the user's ``config.toml``, the project's ``pairloop.toml``,
environment variables, command-line flags. All files are optional. A project's file comes with the project, whoever
wrote it: it cannot choose where keys are sent, how commands are shut in, or that patches land unasked.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent_core.checks.settings import CommandConfig, trouble
from agent_core.config_tables import (
    COMMANDS,
    ChecksConfig,
    Config,
    HookConfig,
    McpConfig,
    PartnerConfig,
    PermissionsConfig,
    SandboxConfig,
)
from agent_core.errors import ConfigError
from agent_core.keys.known import KNOWN
from agent_core.partners.presets import BUILTIN, DEFAULT_KEY, presets
from agent_core.permissions import rules_trouble
from agent_core.places import user_file
from agent_core.small_files import open_regular
from agent_core.text import shortened

DEFAULT_MODEL = "gpt-6.2-sol"
PROJECT_FILE = "pairloop.toml"
_MOST_BYTES = 1_000_000

_KEY = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# Tables of tables, each with a name that the human gives it.
_NAMED: dict[str, type[msgspec.Struct]] = {"partners": PartnerConfig, "mcp": McpConfig, "hooks": HookConfig}


class OwnConfig(msgspec.Struct, frozen=True):
    """What the user's own file says.

    Attributes:
        config: Its settings, and the defaults for the rest.
        text: The file's text, for saying on which line something is wrong.
    """

    config: Config = msgspec.field(default_factory=Config)
    text: str = ""

    def refusal(self, keys: Sequence[str], reason: str) -> ConfigError:
        """The error that says that one of its settings cannot be used.

        Args:
            keys: The table and the key.
            reason: Why not, without a full stop.
        """
        return _refusal(user_file(), self.text, list(keys), reason)


def _dotted(text: str) -> list[str]:
    """The parts of a dotted key at the start of a text; none when there is no key."""
    found = _DOTTED.match(text)
    return [part.strip("\"'") for part in re.findall(_KEY, found.group(1))] if found else []


# What a project must not choose for whoever clones it: where the key goes, what shuts its code in, what lands unasked,
# and which key says so. None stands for all there is in a table.
_NOT_FOR_PROJECTS: dict[str, tuple[str, ...] | None] = {
    "partner": ("use", "preset", "base_url", "key_env", "price", "aside", "api_version", "discover"),
    "partners": None,
    "budget": None,
    "tools": ("fetch",),
    "permissions": ("allow",),
    "mcp": None,
    "hooks": None,
    "sandbox": SandboxConfig.__struct_fields__,
    "loop": ("mode",),
    "memory": ("file",),
    "git": None,
    "screen": None,
    "keys": None,
}


def _line_of(text: str, keys: list[str]) -> int | None:
    """1-based line on which a dotted key is set, as far as a scan of plain TOML can tell."""
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[{1,2}(?=.*\])", line):
            table = _dotted(line[header.end() :])
            if keys and table[: len(keys)] == keys:
                return number
        elif (found := _DOTTED.match(line)) and line[found.end() :].startswith("="):
            path = table + _dotted(line)
            if path[: len(keys)] == keys or keys[: len(path)] == path:
                return number
    return None


def _explain(path: Path, text: str, error: msgspec.ValidationError, *above: str) -> ConfigError:
    """Turn msgspec's message (``... - at `$.loop.mode```) about a table into one with file, line and key."""
    message = str(error)
    found = re.search(r" - at `\$\.?([^`]*)`$", message)
    keys = [part for part in re.sub(r"\[[^\]]*\]", "", found.group(1)).split(".") if part] if found else []
    reason = message[: found.start()] if found else message
    if unknown := re.search(r"unknown field `([^`]*)`", reason):
        keys = [*keys, unknown.group(1)]
        reason = "there is no such setting"
    return _refusal(path, text, [*above, *keys], reason)


def _refusal(path: Path, text: str, keys: list[str], reason: str) -> ConfigError:
    line = _line_of(text, keys)
    place = f"{path}:{line}" if line else str(path)
    return ConfigError(f"{place}: {'.'.join(keys) or 'configuration'}: {reason}.", "README lists all settings.")


def _convert(path: Path, text: str, data: Mapping[str, Any]) -> Config:
    """Settings as a `Config`.

    Raises:
        ConfigError: Something in them cannot be used.
    """
    checks = data.get("checks")
    if isinstance(checks, Mapping):
        own = {field.encode_name for field in msgspec.structs.fields(ChecksConfig)}
        tables = {key: value for key, value in checks.items() if isinstance(value, Mapping) and key not in own}
        commands = {name: _command(path, text, name, table) for name, table in tables.items()}
        rest = {key: value for key, value in checks.items() if key not in tables}
        data = {**data, "checks": {**rest, COMMANDS: commands} if commands else rest}
    for table, kind in _NAMED.items():
        if isinstance(named := data.get(table), Mapping):
            data = {**data, table: {name: _named(path, text, (table, name), one, kind) for name, one in named.items()}}
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise _explain(path, text, error) from error
    _check_partners(path, text, config)
    return config


def _named(path: Path, text: str, keys: tuple[str, str], value: object, kind: type[msgspec.Struct]) -> msgspec.Struct:
    """One table ``[partners.NAME]``, ``[mcp.NAME]`` or ``[hooks.NAME]``."""
    if not _NAME.fullmatch(keys[1]):
        raise _refusal(path, text, list(keys), "a name is made of letters, digits, dots, dashes and underscores")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _explain(path, text, error, *keys) from error


def _check_partners(path: Path, text: str, config: Config) -> None:
    """Refuse a preset that there is none of, where it can be said on which line."""
    for keys, one in ((["partner"], config.partner), *((["partners", name], p) for name, p in config.partners.items())):
        if one.preset and one.preset not in presets():
            reason = f'there is no preset "{one.preset}"; there are {", ".join(presets())}'
            raise _refusal(path, text, [*keys, "preset"], reason)
        if one.use and keys != ["partner"]:
            raise _refusal(path, text, [*keys, "use"], "only [partner] says which one to use")


def _command(path: Path, text: str, name: str, table: Mapping[str, Any]) -> CommandConfig:
    """One table ``[checks.NAME]``."""
    try:
        command = msgspec.convert(table, CommandConfig)
    except msgspec.ValidationError as error:
        raise _explain(path, text, error, "checks", name) from error
    if wrong := trouble(name, command):
        key, reason = wrong
        raise _refusal(path, text, ["checks", name, *([key] if key in table else [])], reason)
    return command


def _read(path: Path, *, own: bool) -> dict[str, Any]:
    """One configuration file as a dictionary, checked on its own so that errors name the right file.

    Args:
        path: The file; one that is not there is empty.
        own: It is the human's own; a project's may not set everything.
    """
    text = _text_of(path)
    data = _parsed(path, text)
    config = _convert(path, text, data)
    for table, one in (
        (data.get("partner"), config.partner),
        *((data["partners"][n], p) for n, p in config.partners.items()),
    ):
        if table is not None and one.script:
            table["script"] = str((path.parent / one.script).resolve())
    if not own:
        _refuse_risky(path, text, data)
    _check_rules(path, text, config.permissions)
    return data


def _check_rules(path: Path, text: str, rules: PermissionsConfig) -> None:
    """Refuse what is no rule: one that is misspelt would allow, or deny, nothing.

    Raises:
        ConfigError: One cannot be used; names the line it is on.
    """
    for key in rules.__struct_fields__:
        for rule in getattr(rules, key):
            if reason := rules_trouble(rule):
                error = _refusal(path, text, ["permissions", key], f"“{shortened(rule, 80)}”: {reason}")
                lines = text.splitlines()
                first = _line_of(text, ["permissions", key]) or 1
                at = next((at for at, line in enumerate(lines[first - 1 :], first) if rule in line), first)
                raise ConfigError(error.message.replace(f"{path}:{first}:", f"{path}:{at}:", 1), error.hint)


def _all_rules(*layers: Mapping[str, Any]) -> dict[str, list[str]]:
    """The rules of all files: who comes later adds to them, and takes none away."""
    tables = [layer.get("permissions", {}) for layer in layers]
    return {key: [rule for table in tables for rule in table.get(key, ())] for key in ("allow", "ask", "deny")}


def _text_of(path: Path) -> str:
    try:
        # A project that was cloned may have a link to something without an end in its place.
        with open_regular(path, follow=True) as file:
            return file.read(_MOST_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        # What never ends is noticed at the end of the file.
        place = f"{path}:{found.group(1) if found else len(text.splitlines())}"
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise ConfigError(f"{place}: not valid TOML: {reason}.") from error


def load_own() -> OwnConfig:
    """The user's own configuration alone: what the screen needs of it before there is a project.

    Raises:
        ConfigError: It cannot be used; names path, line and key.
    """
    path = user_file()
    text = _text_of(path)
    return OwnConfig(_convert(path, text, _parsed(path, text)), text)


def _refuse_risky(path: Path, text: str, data: Mapping[str, Any]) -> None:
    """Refuse settings that a cloned project could use against the one who opens it."""
    for table, names in _NOT_FOR_PROJECTS.items():
        for name in data.get(table, {}):
            if names is None or name in names:
                line = _line_of(text, [table, name])
                raise ConfigError(
                    f"{path}:{line or 1}: {table}.{name}: a project cannot set this for you.",
                    f"If you want it, put it into {user_file()}, or give it as a flag or in the environment.",
                )


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Put one nested dictionary over another, table by table."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def load(project: Path, flags: Mapping[str, Any], environ: Mapping[str, str]) -> Config:
    """Read the configuration for a project.

    Args:
        project: The project's folder.
        flags: Settings from the command line, as nested tables.
        environ: The environment; ``OPENAI_BASE_URL`` and ``PAIRLOOP_MODEL`` are read.

    Raises:
        ConfigError: A file or flag cannot be used; names path, line and key.
    """
    own, shared = _read(user_file(), own=True), _read(project / PROJECT_FILE, own=False)
    data = merge(own, shared)
    data = merge(merge(data, _environment(data, environ)), _for_the_one_in_use(data, flags))
    data["permissions"] = _all_rules(own, shared, flags)
    config = _convert(Path("command line"), "", data)
    known = (*config.partners, BUILTIN, *presets())
    for setting, name in (("use", config.partner.use), ("aside", config.partner.aside)):
        if name and name not in known:
            raise unknown_partner(name, config.partners, f"partner.{setting}: ")
    # Known before any program is started.
    for preset in presets().values():
        KNOWN.add(environ.get(preset.key_env, "").strip())
    for variable in _key_variables(config):
        KNOWN.withhold(environ.get(variable, "").strip())
    return config


def _key_variables(config: Config) -> Iterator[str]:
    """The variables with keys of partners that are set up, or are named to be used."""
    partners = {"": config.partner, **config.partners}
    for name, one in partners.items():
        preset = presets().get(one.preset or name)
        yield one.key_env or (preset.key_env if preset is not None else DEFAULT_KEY)
        yield from (presets()[used].key_env for used in (one.use, one.aside) if used in presets())


def unknown_partner(name: str, partners: Iterable[str], where: str = "") -> ConfigError:
    """The error for the name of a partner that there is none of.

    Args:
        name: The name.
        partners: Names of those that are configured.
        where: What said so, with a colon; empty where the human did.
    """
    own = ", ".join(partners)
    mine = f"Yours are {own}. " if own else ""
    return ConfigError(
        f'{where}there is no partner "{name}".' if where else f'There is no partner "{name}".',
        f"{mine}Known by name are {', '.join((BUILTIN, *presets()))}; another is [partners.{name}] in {user_file()}.",
    )


def _environment(data: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Settings from the environment. Its address is not for a server that is named, nor for the key of that."""
    partner = data.get("partner", {})
    found: dict[str, Any] = {}
    if (url := environ.get("OPENAI_BASE_URL")) and not partner.get("preset"):
        found["base_url"] = url
    if model := environ.get("PAIRLOOP_MODEL"):
        found["model"] = model
    return {"partner": found} if found else {}


def _for_the_one_in_use(data: Mapping[str, Any], flags: Mapping[str, Any]) -> Mapping[str, Any]:
    """The flags, their model being meant for the partner that they, or the configuration, take."""
    given = flags.get("partner", {})
    if "script" in given:
        # Whoever plays a script wants that, whatever is configured.
        return merge(flags, {"partner": {"use": ""}})
    use = given.get("use", data.get("partner", {}).get("use", ""))
    if not use or "model" not in given:
        return flags
    if use == BUILTIN not in data.get("partners", {}):
        raise ConfigError("The built-in partner has no models to choose from.", "Leave out --model.")
    if use not in (*data.get("partners", {}), *presets()):
        raise unknown_partner(use, data.get("partners", {}))
    partner = {name: value for name, value in given.items() if name != "model"}
    return {**flags, "partner": partner, "partners": {use: {"model": given["model"]}}}
