"""Mechanisms are tried, not assumed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.process import run_blocking
from agent_core.protocols import Layer
from agent_core.sandbox.bubblewrap import find_bubblewrap
from agent_core.sandbox.choose import choose, try_out
from agent_core.sandbox.copy import Copy
from agent_core.sandbox.layer import RunLayer, hidden_folders, refuse_home, usable_home, with_removals
from agent_core.sandbox.secrets import Hidden
from agent_core.sandbox.shelter import Shelter
from tests.workspace.opening import contents

SHELTER = Shelter(Path.home())
NOTHING_HIDDEN = Hidden((), ())


class Nothing(Copy):
    """A mechanism that says it overlays and does nothing."""


class Leaky(Copy):
    """One that shows the upper layer, and lets commands write to the project."""

    def wrap(self, argv: Sequence[str], layer: Layer) -> tuple[str, ...]:
        show = 'cp "$1"/.[!.]* "$0"; cd "$0"; shift; exec "$@"'
        return ("sh", "-c", show, str(layer.project), str(layer.upper), *argv)


async def test_a_mechanism_that_does_nothing_is_found_out(tmp_path: Path) -> None:
    assert await try_out(Nothing(SHELTER), tmp_path)
    assert contents(tmp_path) == {}


async def test_a_leak_is_found_out(tmp_path: Path) -> None:
    assert await try_out(Leaky(SHELTER), tmp_path) == "what commands write reaches the project"


async def test_the_choice_says_what_is_weaker(tmp_path: Path) -> None:
    copy = await choose("copy", tmp_path, SHELTER)
    assert not copy.overlays
    assert "without a sandbox" in copy.note
    auto = await choose("auto", tmp_path, SHELTER)
    if await find_bubblewrap() and not auto.overlays:
        assert "bubblewrap:" in auto.note


async def test_it_works_where_paths_are_strange(tmp_path: Path) -> None:
    strange = tmp_path / "a:b,c\\d 'e' \"f\" $g"
    strange.mkdir()
    plain = await choose("auto", tmp_path, SHELTER)
    if not plain.overlays:
        pytest.skip(plain.note)
    assert (await choose("auto", strange, SHELTER)).name == plain.name


def test_homes(tmp_path: Path) -> None:
    project = tmp_path / "home" / "p"
    project.mkdir(parents=True)
    assert refuse_home(tmp_path / "home", project) == ""
    assert "home folder" in refuse_home(project, project)
    assert "home folder" in refuse_home(project / "below", project)
    assert usable_home(tmp_path / "home", project) == tmp_path / "home"
    assert usable_home(Path("/"), project) is None
    assert usable_home(tmp_path / "missing", project) is None


def test_only_hidden_folders_are_shown_again(tmp_path: Path) -> None:
    inside = tmp_path / "p" / ".venv"
    other = tmp_path / "other"
    for folder in (inside, other):
        folder.mkdir(parents=True)
    layer = RunLayer(tmp_path / "p", tmp_path, visible=(Path("/usr"), other, inside, tmp_path / "missing"))
    in_tmp = any(tmp_path.is_relative_to(os.path.realpath(name)) for name in ("/tmp", "/var/tmp"))
    assert hidden_folders(layer, None, NOTHING_HIDDEN) == ((other,) if in_tmp else ())


@given(
    st.lists(st.text("ab'\" $\\\n-*;", min_size=1, max_size=8), max_size=6), st.lists(st.text("x'\" $\n", max_size=5))
)
def test_removals_quote_everything(names: list[str], words: list[str]) -> None:
    argv = ["printf", "%s\\0", "end", *words]
    command = with_removals(argv, names)
    # `rm` shown instead of run: what it would get is what was named.
    shown = [part.replace("rm -rf --", "printf '%s\\0'") for part in command]
    done = run_blocking(shown, cwd=Path("/"), timeout=20)
    assert done.stdout.split(b"\0")[:-1] == [word.encode() for word in (*names, "end", *words)]
