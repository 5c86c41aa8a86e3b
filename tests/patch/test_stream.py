"""A patch is readable while its JSON arguments stream in."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from agent_core.patch.stream import PatchText

# Lone surrogates cannot be sent as UTF-8, so no model's text has them.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT, st.lists(st.integers(0, 400)), st.booleans())
def test_any_text_cut_anywhere_comes_back(text: str, cuts: list[int], ascii_only: bool) -> None:
    arguments = json.dumps({"patch": text, "why": 'a "patch": "x"'}, ensure_ascii=ascii_only)
    places = sorted({0, len(arguments), *(cut for cut in cuts if cut < len(arguments))})
    pieces = [arguments[start:end] for start, end in itertools.pairwise(places)]
    stream = PatchText()
    assert "".join(stream.feed(piece) for piece in pieces) == text


def test_text_is_given_as_soon_as_it_is_there() -> None:
    stream = PatchText()
    assert stream.feed('{"patch": "*** Begin') == "*** Begin"
    assert stream.feed(" Patch\\") == " Patch"
    assert stream.feed("n+x\\u00e") == "\n+x"
    assert stream.feed('9"}') == "é"
