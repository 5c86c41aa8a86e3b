"""How a project is built and written, in a few lines: drawn from what its tools are set to, not all they are told."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from agent_core.text import printable, shortened

Read = Callable[[str], bytes | None]

_MOST_NAMES = 25
_LONGEST = 400
_LONGEST_FILE = 200_000
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_EDITORCONFIG = {
    "indent_style": "indent with {}s",
    "indent_size": "indent by {}",
    "end_of_line": "line ends {}",
    "max_line_length": "line length {}",
    "insert_final_newline": "",
}


def how_it_is_built(read: Read, paths: Collection[str]) -> tuple[str, str]:
    """What a project needs and how its code is written.

    Args:
        read: Gives the bytes of a file.
        paths: All files of the project.

    Returns:
        The files it was drawn from, and the lines; both empty where nothing says anything.
    """
    sources: list[str] = []
    lines: list[str] = []
    style: list[str] = []

    def taken(path: str, found: list[str], into: list[str]) -> None:
        if found:
            sources.append(path)
            into += found

    there = frozenset(paths)
    project = _toml(read, "pyproject.toml", there)
    tool = _table(project, "tool")
    taken("pyproject.toml", _python(project), lines)
    taken("package.json", _node(_json(read, "package.json", there)), lines)
    taken(
        "pyproject.toml",
        [*_ruff(_table(tool, "ruff")), *_black(_table(tool, "black")), *_mypy(_table(tool, "mypy"))],
        style,
    )
    for path in ("ruff.toml", ".ruff.toml"):
        taken(path, _ruff(_toml(read, path, there)), style)
    for path in ("mypy.ini", ".mypy.ini", "setup.cfg"):
        ini = _ini(read, path, there)
        taken(path, [*_mypy(ini.get("mypy", {})), *_flake8(ini.get("flake8", {}))], style)
    taken(".flake8", _flake8(_ini(read, ".flake8", there).get("flake8", {})), style)
    taken(".prettierrc", _prettier(_json(read, ".prettierrc", there)), style)
    taken(".editorconfig", _editorconfig(_ini(read, ".editorconfig", there)), style)
    if style:
        lines.append(f"Style: {'; '.join(dict.fromkeys(style))}")
    text = "\n".join(shortened(printable(line).replace("\n", " "), _LONGEST) for line in lines)
    return ", ".join(dict.fromkeys(sources)), text


def _python(project: Mapping[str, Any]) -> list[str]:
    about = _table(project, "project")
    poetry = _table(_table(project, "tool"), "poetry")
    found = []
    name = about.get("name") or poetry.get("name")
    python = about.get("requires-python") or _table(poetry, "dependencies").get("python")
    head = [str(part) for part in (name, f"Python {python}" if python else "") if part]
    if head:
        found.append(", ".join(head))
    needs = _names(about.get("dependencies")) or _names([*_table(poetry, "dependencies")])
    if needs:
        found.append(f"Needs: {needs}")
    groups = {**_table(about, "optional-dependencies"), **_table(project, "dependency-groups")}
    extra = _names([entry for group in groups.values() if isinstance(group, list) for entry in group])
    if extra:
        found.append(f"For development and on wish: {extra}")
    if scripts := _table(about, "scripts"):
        found.append("Commands: " + ", ".join(f"{key} = {value}" for key, value in [*scripts.items()][:_MOST_NAMES]))
    if paths := _table(_table(_table(project, "tool"), "pytest"), "ini_options").get("testpaths"):
        found.append(f"Tests: {' '.join(map(str, paths)) if isinstance(paths, list) else paths}")
    return found


def _node(package: Mapping[str, Any]) -> list[str]:
    found = []
    kind = "ES modules" if package.get("type") == "module" else ""
    if head := [str(part) for part in (package.get("name"), kind) if part]:
        found.append(", ".join(head))
    if needs := _names([*_table(package, "dependencies")]):
        found.append(f"Needs: {needs}")
    if extra := _names([*_table(package, "devDependencies")]):
        found.append(f"For development: {extra}")
    if scripts := _table(package, "scripts"):
        found.append("Scripts: " + ", ".join([*scripts][:_MOST_NAMES]))
    return found


def _ruff(ruff: Mapping[str, Any]) -> list[str]:
    found = []
    if length := ruff.get("line-length"):
        found.append(f"line length {length}")
    layout, lint = _table(ruff, "format"), {**ruff, **_table(ruff, "lint")}
    if quotes := layout.get("quote-style"):
        found.append(f"{quotes} quotes")
    if layout.get("indent-style") == "tab":
        found.append("indent with tabs")
    if isinstance(rules := lint.get("select") or lint.get("extend-select"), list):
        found.append(f"ruff rules {' '.join(map(str, rules))}")
    if convention := _table(lint, "pydocstyle").get("convention"):
        found.append(f"{convention} docstrings")
    return found


def _black(black: Mapping[str, Any]) -> list[str]:
    if not black:
        return []
    found = ["formatted by black", f"line length {black.get('line-length', 88)}"]
    return [*found, "quotes as they are"] if black.get("skip-string-normalization") else found


def _mypy(mypy: Mapping[str, Any]) -> list[str]:
    if not mypy:
        return []
    if str(mypy.get("strict", "")).lower() in {"true", "1", "yes"}:
        return ["mypy strict"]
    strict = str(mypy.get("disallow_untyped_defs", "")).lower() in {"true", "1", "yes"}
    return ["mypy, all functions annotated"] if strict else ["checked by mypy"]


def _flake8(flake8: Mapping[str, Any]) -> list[str]:
    length = flake8.get("max-line-length") or flake8.get("max_line_length")
    return [f"line length {length}"] if length else []


def _prettier(prettier: Mapping[str, Any]) -> list[str]:
    words: dict[str, str | dict[bool, str]] = {
        "printWidth": "line length {}",
        "tabWidth": "indent by {}",
        "semi": {True: "semicolons", False: "no semicolons"},
        "singleQuote": {True: "single quotes", False: "double quotes"},
        "useTabs": {True: "indent with tabs", False: "indent with spaces"},
    }
    found = []
    for key, word in words.items():
        value = prettier.get(key)
        if isinstance(word, str):
            found += [word.format(value)] if type(value) is int else []
        elif isinstance(value, bool):
            found.append(word[value])
    return found


def _editorconfig(sections: Mapping[str, Mapping[str, str]]) -> list[str]:
    found = []
    for section, values in sections.items():
        said = [
            word.format(printable(values[key]))
            for key, word in _EDITORCONFIG.items()
            if word and key in values and values[key].lower() not in {"unset", "off"}
        ]
        if said:
            found.append(", ".join(said) + ("" if section == "*" else f" in {section}"))
    return found


def _names(entries: object) -> str:
    """The names of packages, without their versions."""
    if not isinstance(entries, list):
        return ""
    found = [match[0] for entry in entries if isinstance(entry, str) and (match := _NAME.match(entry.strip(" @")))]
    found = list(dict.fromkeys(name for name in found if name != "python"))
    more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    return ", ".join(found[:_MOST_NAMES]) + more


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key)
    return found if isinstance(found, dict) else {}


def _text(read: Read, path: str, there: Collection[str]) -> str:
    data = read(path) if path in there else None
    return "" if data is None or len(data) > _LONGEST_FILE else data.decode("utf-8-sig", "replace")


def _toml(read: Read, path: str, there: Collection[str]) -> Mapping[str, Any]:
    try:
        return tomllib.loads(_text(read, path, there))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _json(read: Read, path: str, there: Collection[str]) -> Mapping[str, Any]:
    try:
        found = json.loads(_text(read, path, there) or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _ini(read: Read, path: str, there: Collection[str]) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, default_section="\0")
    text = _text(read, path, there)
    try:
        # What an .editorconfig says before its first section is about the file itself.
        parser.read_string(text if path != ".editorconfig" else f"[\1]\n{text}")
    except configparser.Error:
        return {}
    return {name: dict(parser[name]) for name in parser.sections() if name != "\1"}
