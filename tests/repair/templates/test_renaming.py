"""A name or attribute exchanged at all of its places: the right program among the variants of the wrong one."""

from __future__ import annotations

import textwrap

import pytest

from agent_core.repair.model import Frame, TestRun
from agent_core.repair.templates.attributes import ATTRIBUTES
from agent_core.repair.templates.names import NAMES
from agent_core.repair.templates.renaming import RENAMING
from tests.repair.trying import PATH, lines, made, rank, variants


def lacking(attribute: str) -> list[TestRun]:
    """A failing test that says that an attribute is not there."""
    message = f"'Ledger' object has no attribute '{attribute}'"
    return [TestRun("t.py::t", "failed", 0.1, error="AttributeError", message=message, frames=(Frame(PATH, 1, "f"),))]


def test_a_name_misspelt_twice_is_mended_at_once() -> None:
    wrong = """\
    _MISSING = object()
    def lookup(table, key):
        found = table.get(key, _missing)  # here
        if found is _missing:
            raise LookupError(key)
        return found
    """
    right = wrong.replace("_missing", "_MISSING")
    assert rank(RENAMING, wrong, right) == 1
    assert rank([*RENAMING, *NAMES], wrong, right) == 1


@pytest.mark.parametrize(
    ("old", "new"), [("maxWidth", "max_width"), ("max_widht", "max_width"), ("MaxWidth", "max_width")]
)
def test_other_spellings_of_one_name_are_the_closest(old: str, new: str) -> None:
    wrong = f"""\
    def pad(text, max_width, min_width):
        if len(text) > {old}:  # here
            return text[:{old}]
        return text
    """
    assert rank(RENAMING, wrong, wrong.replace(old, new)) == 1


def test_a_name_within_texts_is_found_there() -> None:
    wrong = """\
    CACHE_FIELD = "_cached"
    def code(lines, deep):
        lines.append(f"if self.{_cache_field} is None:")  # here
        lines.append(f"{{{_cache_field}}} = " + f"{deep}, {_cache_field!r}")
        return _cache_field, "{_cache_field}"
    """
    right = """\
    CACHE_FIELD = "_cached"
    def code(lines, deep):
        lines.append(f"if self.{CACHE_FIELD} is None:")  # here
        lines.append(f"{{{CACHE_FIELD}}} = " + f"{deep}, {CACHE_FIELD!r}")
        return CACHE_FIELD, "{_cache_field}"
    """
    assert rank(RENAMING, wrong, right) == 1


def test_a_name_that_is_nowhere_is_mended_in_the_file_and_where_it_is_bound_it_stays() -> None:
    wrong = """\
    def _render(rows):
        return rows
    def table(rows):
        return _rendered(rows)  # here
    def page(rows):
        return _rendered(rows) + _rendered([])
    """
    assert textwrap.dedent(wrong).replace("_rendered", "_render") in made(RENAMING, wrong)
    bound = wrong.replace("def page(rows):", "def page(rows, _rendered):")
    assert not any("_render([])" in text for text in made(RENAMING, bound))


def test_several_names_that_are_not_there_are_mended_together() -> None:
    wrong = """\
    _SENTINEL, _OBJ_SET = object(), object.__setattr__
    def patch(cls, name):
        if getattr(cls, name, _sentinel) is not _sentinel:  # here
            cls.set = _obj_set
    """
    right = wrong.replace("_sentinel", "_SENTINEL").replace("_obj_set", "_OBJ_SET")
    assert rank(RENAMING, wrong, right) == 1
    from_elsewhere = "    from names import *\n" + wrong
    assert not [one for one in variants(RENAMING, from_elsewhere) if one.template == "misspelt names"]


def test_what_python_2_called_otherwise() -> None:
    wrong = """\
    def width(s):
        if isinstance(s, _text_type) or isinstance(s, _binary_type):  # here
            return len(s)
        return len(_text_type(s))
    """
    right = wrong.replace("_text_type", "str").replace("_binary_type", "bytes")
    assert rank(RENAMING, wrong, right) == 1


def test_an_attribute_is_exchanged_where_it_is_asked_for_by_name_too() -> None:
    wrong = """\
    def merge(into, more):
        if callable(getattr(more, "iteritems", None)):  # here
            for key, value in more.iteritems():
                into[key] = value
    """
    assert rank(RENAMING, wrong, wrong.replace("iteritems", "items")) == 1


def test_an_attribute_that_an_error_names_is_the_closest_that_is_there() -> None:
    wrong = """\
    class Ledger:
        def __init__(self):
            self.entries = []
        def add(self, one):
            self.entrys.append(one)  # here
            return len(self.entrys)
    """
    right = wrong.replace("entrys", "entries")
    assert rank(RENAMING, wrong, right) == 1
    other = """\
    def total(ledger):
        ledger.recompute()
        ledger.recompute()
        return ledger.recmpute() + ledger.recmpute()  # here
    """
    assert rank(RENAMING, other, other.replace("recmpute", "recompute"), failing=lacking("recmpute")) == 1
    assert lines(RENAMING, other) == [], "nobody knows that it is not there"


def test_another_attribute_in_all_of_a_block() -> None:
    wrong = """\
    class Choice:
        def __init__(self, options):
            self.options = set(options)
            self._given_options = options
        def check(self, value):
            known = value in self.options
            if not known:
                text = f"{value!r} is none of {self.options!r}"
                raise ValueError(text, self.options)  # here
    """
    right = wrong.replace("{self.options!r}", "{self._given_options!r}").replace("text, self.", "text, self._given_")
    assert rank(RENAMING, wrong, right) <= 3


def test_another_attribute_within_a_text() -> None:
    wrong = """\
    class Choice:
        def __init__(self, options):
            self.options = set(options)
            self._given_options = options
        def __repr__(self):
            return f"<one of {self.options!r} or of {self.options!r}>"  # here
    """
    right = 'return f"<one of {self._given_options!r} or of {self.options!r}>"'
    assert rank(ATTRIBUTES, wrong, right) <= 2
    assert (
        rank(ATTRIBUTES, wrong.replace(" or of {self.options!r}", ""), right.replace(" or of {self.options!r}", ""))
        == 1
    )


def test_another_name_in_all_of_a_statement_but_not_where_it_is_bound() -> None:
    wrong = """\
    def area(width, height, depth):
        depth = depth or 1
        return width * depth + width * depth  # here
    """
    right = wrong.replace("width * depth + width * depth", "width * height + width * height")
    assert rank(RENAMING, wrong, right) <= 6
    assert not any("height = " in text for text in made(RENAMING, wrong))


def test_a_name_that_is_known_is_not_unknown() -> None:
    code = "import os\ndef f(a):\n    return os.path.join(a, later)  # here\nlater = 1\n"
    assert lines(RENAMING, code) == []
    assert lines(RENAMING, "def f(a):\n    return print(len(a))  # here\n") == []


def test_what_is_not_there_comes_before_what_may_be_wrong() -> None:
    code = "def f(count, most):\n    return cuont < most  # here\n"
    told = [TestRun("t.py::t", "failed", 0.1, error="NameError", message="name 'cuont' is not defined")]
    cost = variants(RENAMING, code)[0].cost
    assert variants(RENAMING, code, None, told)[0].cost < cost < 1.0
    elsewhere = variants(RENAMING, "from names import *\n" + code)
    assert elsewhere[0].cost == 1.0


def test_none_has_no_misspelt_attributes() -> None:
    code = "def f(a):\n    a.recompute()\n    a.recompute()\n    return a.recmpute() + a.recmpute()  # here\n"
    message = "'NoneType' object has no attribute 'recmpute'"
    assert lines(RENAMING, code, failing=[TestRun("t.py::t", "failed", 0.1, message=message)]) == []


def test_single_places_stay_possible() -> None:
    code = "def f(count):\n    return cuont + cuont  # here\n"
    assert lines([*RENAMING, *NAMES, *ATTRIBUTES], code)[0] == "return count + count"
    assert "return count + cuont" in lines([*RENAMING, *NAMES], code)
