"""Which old line a new one stands for, and blocks of which only some lines are taken."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.patch.pairing import pairs, weave


def test_large_blocks_are_paired_by_place_or_not_at_all() -> None:
    old, new = [f"old {n} {n * 7}" for n in range(300)], [f"new {n} {n * 7}" for n in range(300)]
    assert pairs(old, new) == [(n, n) for n in range(300)]
    assert pairs(old, new[:-1]) == []
    assert weave(old, new[:-1], {0, 300}) == [*old[1:], new[0]]


@given(st.lists(st.integers(), max_size=8), st.lists(st.text("abc =", max_size=4), max_size=8), st.data())
@settings(max_examples=150)
def test_a_woven_block_keeps_what_stays_and_what_comes_in_order(
    old: list[int], new: list[str], data: st.DataObject
) -> None:
    removed = [f"{n}" for n in old]
    chosen = data.draw(st.sets(st.integers(0, len(old) + len(new) - 1)) if old or new else st.just(set()))
    woven = weave(removed, new, chosen)
    stays = [line for at, line in enumerate(removed) if at not in chosen]
    comes = [line for at, line in enumerate(new, len(old)) if at in chosen]
    assert sorted(woven) == sorted(stays + comes)
    assert is_within(stays, woven)
    assert is_within(comes, woven)


def is_within(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(line in rest for line in part)


@given(st.integers(1, 12), st.data())
@settings(max_examples=60)
def test_pairs_taken_of_as_many_lines_go_where_the_old_ones_were(count: int, data: st.DataObject) -> None:
    old, new = [f"old{n}" for n in range(count)], [f"new{n}" for n in range(count)]
    chosen = data.draw(st.sets(st.integers(0, count - 1)))
    wanted = [new[at] if at in chosen else old[at] for at in range(count)]
    assert weave(old, new, chosen | {count + at for at in chosen}) == wanted
