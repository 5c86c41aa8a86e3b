"""Whether files of data can be read at all: TOML, JSON (notebooks are JSON), YAML."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, Literal, NamedTuple

Kind = Literal["TOML", "JSON", "YAML"]

_KINDS: dict[str, Kind] = {".toml": "TOML", ".json": "JSON", ".ipynb": "JSON", ".yaml": "YAML", ".yml": "YAML"}
# Files that their tools read as JSON with comments.
_WITH_COMMENTS = re.compile(r"(^|/)(tsconfig[^/]*|jsconfig[^/]*|devcontainer|\.vscode/[^/]*|api-extractor)\.json$")
# What has to be filled in first, as in a template of Helm, Jinja or cookiecutter; GitHub's ``${{`` is plain text.
_PLACEHOLDER = re.compile(r"(?<!\$)\{\{|\{%")


class Misread(NamedTuple):
    """Why a file cannot be read.

    Attributes:
        message: What is wrong.
        line: 1-based line, None where it is not known.
    """

    message: str
    line: int | None = None


def kind_of(path: str) -> Kind | None:
    """What a file's name says it is; None for anything else."""
    _, dot, ending = path.rpartition("/")[2].rpartition(".")
    kind = _KINDS.get(f"{dot}{ending}")
    return None if kind == "JSON" and _WITH_COMMENTS.search(path) else kind


def misread(kind: Kind, data: bytes) -> Misread | None:
    """Try to read some data.

    A template that is no YAML until its placeholders are filled in is left alone.

    Args:
        kind: What it is to be.
        data: The file's bytes.

    Returns:
        What is wrong with it; None when nothing is.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Misread(f"not UTF-8: {error.reason}", data.count(b"\n", 0, error.start) + 1)
    try:
        if kind == "TOML":
            tomllib.loads(text)
        elif kind == "JSON":
            json.loads(text)
        else:
            return _misread_yaml(text)
    except json.JSONDecodeError as error:
        return Misread(error.msg, error.lineno)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column \d+\)", str(error))
        return Misread(re.sub(r"\s*\(at .*\)$", "", str(error)), int(place.group(1)) if place else None)
    except RecursionError:
        return Misread("nested too deeply")
    return None


def _misread_yaml(text: str) -> Misread | None:
    import yaml  # noqa: PLC0415 - few projects change YAML often

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # Nodes only: tags of the file's own tool are none of our business, and aliases are not followed.
        for document in yaml.compose_all(text, Loader=loader):
            if (twice := _key_twice(document)) is not None:
                return twice
    except yaml.MarkedYAMLError as error:
        if _PLACEHOLDER.search(text):
            return None
        mark = error.problem_mark or error.context_mark
        return Misread(str(error.problem or error.context), mark.line + 1 if mark is not None else None)
    except (yaml.YAMLError, ValueError) as error:
        return Misread(str(error).split("\n", 1)[0])
    return None


def _key_twice(document: Any) -> Misread | None:
    """A key that stands twice in one mapping, of which most tools silently drop one (YAML 1.2, section 3.2.1.3)."""
    todo, seen = [document], set()
    while todo:
        node = todo.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if node.id == "sequence":
            todo += node.value
        elif node.id == "mapping":
            keys = set()
            for key, value in node.value:
                todo += (key, value)
                if key.id != "scalar" or key.value == "<<":
                    continue
                if (key.tag, key.value) in keys:
                    return Misread(f"the key {key.value!r} stands here a second time", key.start_mark.line + 1)
                keys.add((key.tag, key.value))
    return None
