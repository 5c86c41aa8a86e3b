"""Garbage is collected, and what stays is not looked at over and over."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tui import garbage
from tui.garbage import Collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    threshold = gc.get_threshold()
    one = Collector()
    one.begin()
    yield one
    one.end()
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_what_outlives_a_long_collection_is_set_aside(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_TOO_LONG", 0.0)
    kept = [[number] for number in range(10_000)]
    before = gc.get_freeze_count()
    gc.collect()
    assert gc.get_freeze_count() >= before + len(kept)
    collector.look_at_all()
    assert gc.get_freeze_count() == 0


def test_short_collections_set_nothing_aside(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_TOO_LONG", 1000.0)
    before = gc.get_freeze_count()
    kept = [[number] for number in range(10_000)]
    gc.collect()
    assert gc.get_freeze_count() <= before < before + len(kept)
    collector.end()
    assert not any(getattr(one, "__self__", None) is collector for one in gc.callbacks)
