"""Files of data: what can be read, what can't, and on which line."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent_core.checks.data_files import Kind, kind_of, misread

FINE: dict[str, tuple[Kind, str]] = {
    "toml": ("TOML", "a = 1\n[b]\nc = 'x'\n"),
    "json": ("JSON", '\ufeff{"a": [1, 2]}'),
    "yaml": ("YAML", "a: 1\nb:\n  - x\n  - y\n"),
    "empty yaml": ("YAML", ""),
    "several documents": ("YAML", "a: 1\n---\na: 2\n"),
    "tags of somebody's own": ("YAML", "a: !Ref Bucket\nb: !!python/name:os.system ''\n"),
    "a workflow": ("YAML", "on: push\njobs:\n  x:\n    env:\n      A: ${{ secrets.A }}\n"),
    "a template": ("YAML", "{{- if .Values.on }}\na: 1\n{{- end }}\n"),
    "a merged mapping": ("YAML", "a: &a {x: 1}\nb: {<<: *a, <<: *a}\n"),
    "a mapping in itself": ("YAML", "&a\nself: *a\n"),
    "a number and its text": ("YAML", "1: a\n'1': b\n"),
}


@pytest.mark.parametrize(("kind", "text"), FINE.values(), ids=FINE.keys())
def test_what_can_be_read(kind: Kind, text: str) -> None:
    assert misread(kind, text.encode()) is None


BROKEN: dict[str, tuple[Kind, bytes, int | None, str]] = {
    "toml": ("TOML", b"a = 1\nb = \n", 2, "Invalid value"),
    "json": ("JSON", b'{"a": 1,\n}', 2, "double quotes"),
    "yaml": ("YAML", b"a: 1\nb: [1, 2\nc: 3\n", 3, "expected"),
    "tabs": ("YAML", b"a:\n\t- 1\n", 2, "cannot start any token"),
    "a broken workflow": ("YAML", b"on: push\n  jobs: ${{ x }}\n", 2, "not allowed"),
    "a key twice": ("YAML", b"a: 1\nb:\n  c: 1\n  c: 2\n", 4, "'c' stands here a second time"),
    "not utf-8": ("YAML", b"a: 1\nb: \xff\n", 2, "not UTF-8"),
    "deep": ("JSON", b"[" * 100_000, None, "nested too deeply"),
}


@pytest.mark.parametrize(("kind", "data", "line", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_read(kind: Kind, data: bytes, line: int | None, words: str) -> None:
    bad = misread(kind, data)
    assert bad is not None
    assert (bad.line, words in bad.message) == (line, True), bad


def test_names() -> None:
    found = [kind_of(path) for path in ("a/b.yml", "b.YAML", "x.toml", "n.ipynb", "tsconfig.json", "json", ".yaml")]
    assert found == ["YAML", None, "TOML", "JSON", None, None, "YAML"]


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from(("TOML", "JSON", "YAML")))
def test_whatever_it_is_it_is_read_or_told(data: bytes, kind: Kind) -> None:
    bad = misread(kind, data)
    assert bad is None or bad.message
    if bad is None and kind != "YAML":
        reader: Any = tomllib.loads if kind == "TOML" else json.loads
        reader(data.decode("utf-8-sig"))


@given(st.recursive(st.integers() | st.text(max_size=8), lambda inner: st.dictionaries(st.text(max_size=4), inner)))
def test_what_is_written_as_yaml_is_read(value: Any) -> None:
    assert misread("YAML", yaml.safe_dump(value, allow_unicode=True).encode()) is None
