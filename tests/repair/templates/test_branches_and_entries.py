"""Branches, missing entries, slips made several times, what is gone through twice: the right one among the variants."""

from __future__ import annotations

import pytest

from agent_core.repair.model import Value
from agent_core.repair.templates.alike import ALIKE
from agent_core.repair.templates.branches import BRANCHES
from agent_core.repair.templates.comparisons import COMPARISONS
from agent_core.repair.templates.conversions import gone_through_twice
from agent_core.repair.templates.entries import ENTRIES
from agent_core.repair.templates.fields import FIELDS
from tests.repair.trying import failing, lines, made, rank, variants

# -- branches

SCALED = """\
def scaled(value, factor):
    if isinstance(value, str):
        value = int(value)
    else:  # nothing but a number
        value = round(float(value), 2)  # here
    return value * factor
"""


def test_a_condition_for_an_else_of_what_type_something_is() -> None:
    right = SCALED.replace("else:", "elif not isinstance(value, int):")
    assert rank(BRANCHES, SCALED, right) <= 6
    seen = failing("", "AssertionError", 5, Value("value", "int", "3"))
    assert rank(BRANCHES, SCALED, right, failing=seen) == 1


def test_a_condition_for_an_else_from_what_the_function_asks() -> None:
    wrong = """\
    def state(task, late):
        if task.done:
            return "done"
        else:
            task.remind()  # here
        if not late:
            return "open"
        return "late"
    """
    assert rank(BRANCHES, wrong, wrong.replace("else:", "elif late:")) <= 12
    assert rank(BRANCHES, wrong, wrong.replace("else:", "elif not late:")) <= 12


@pytest.mark.parametrize(
    "code",
    [
        "def f(a):\n    for x in a:\n        pass\n    else:\n        return a  # here\n",
        "def f(a):\n    if a:\n        return 1\n    elif a is None:\n        return 2  # here\n",
        "def f(a):\n    if a:\n        return 1\n    else:\n        a += 1\n        return a  # here\n",
    ],
)
def test_only_the_first_statement_of_an_if_has_an_else_to_be_changed(code: str) -> None:
    assert not [one for one in variants(BRANCHES, code) if one.template == "condition for else"]


def test_no_condition_for_the_last_branch() -> None:
    wrong = """\
    def sign(x):
        if x > 0:
            return 1
        elif (x <
              0):  # here
            return -1
    """
    right = wrong.replace("elif (x <\n              0):", "else:")
    assert rank(BRANCHES, wrong, right) == 1
    assert not lines(BRANCHES, "def f(x):\n    if x:  # here\n        return 1\n")


# -- entries

DESCRIBED = """\
class Field:
    def __init__(self, name, kind, label, default):
        self.name = name
        self.kind = kind
        self.label = label
        self.default = default
    def described(self):
        return {  # here
            "name": self.name,
            "kind": self.kind,
        }
"""


def test_an_entry_made_like_its_neighbours() -> None:
    right = DESCRIBED.replace("self.kind,\n        }", 'self.kind,\n            "label": self.label,\n        }')
    assert rank(ENTRIES, DESCRIBED, right) == 1
    other = right.replace('label"', 'default"').replace("self.label,\n        }", "self.default,\n        }")
    assert rank(ENTRIES, DESCRIBED, other) == 2
    assert rank(ENTRIES, DESCRIBED, other, failing=failing("'default'", "KeyError")) == 1
    called = DESCRIBED.replace("self.name,\n            ", "str(self.name),\n            ").replace(
        "self.kind,\n        }", "str(self.kind),\n        }"
    )
    assert rank(ENTRIES, called, called.replace("kind),\n", 'kind),\n            "label": str(self.label),\n')) == 1


def test_an_entry_that_only_classes_below_have() -> None:
    wrong = """\
    class Shape:
        def __init__(self, name):
            self.name = name
        def info(self):
            return {"name": self.name}  # here
    class Circle(Shape):
        def __init__(self, radius):
            super().__init__("circle")
            self.radius = radius
    """
    assert rank(ENTRIES, wrong, 'return {"name": self.name, "radius": self.radius}') == 1


def test_an_entry_whose_key_an_error_names() -> None:
    wrong = "def totals():\n    return {'paid': 0, 'due': 0}  # here\n"
    told = failing("'late'", "KeyError")
    assert rank(ENTRIES, wrong, "return {'paid': 0, 'due': 0, 'late': 0}", failing=told) == 1
    assert lines(ENTRIES, wrong) == []


def test_a_function_that_is_in_no_table_of_its_like() -> None:
    wrong = """\
    def do_add(a, b):
        return a + b
    def do_drop(a, b):
        return a
    def do_swap(a, b):
        return b, a
    def other(a):
        return a
    TABLE = {"add": do_add, "drop": do_drop}  # here
    """
    assert rank(ENTRIES, wrong, 'TABLE = {"add": do_add, "drop": do_drop, "swap": do_swap}') == 1
    assert len(lines(ENTRIES, wrong)) == 1
    methods = """\
    class Shell:
        def cmd_add(self): ...
        def cmd_drop(self): ...
        def commands(self):
            return {"add": self.cmd_add}  # here
    """
    assert rank(ENTRIES, methods, 'return {"add": self.cmd_add, "drop": self.cmd_drop}') == 1


def test_a_keyword_handed_over_like_the_others() -> None:
    wrong = """\
    def opened(path, mode, encoding):
        if path == "-":
            return None
        return start(path, mode=mode)  # here
    """
    assert rank(ENTRIES, wrong, "return start(path, mode=mode, encoding=encoding)") == 1
    starred = "def f(a, b, **more):\n    return g(a=a, **more)  # here\n"
    assert rank(ENTRIES, starred, "return g(a=a, b=b, **more)") == 1


def test_a_text_that_a_test_names_in_a_list_of_texts() -> None:
    wrong = 'def known(unit):\n    return unit in ("kg", "g")  # here\n'
    tests = {"t.py": 'def test_it():\n    assert known("mg")\n    assert not known("a long line of words")\n'}
    runs = failing()
    assert rank(ENTRIES, wrong, 'return unit in ("kg", "g", "mg")', tests, runs) == 1
    assert not any("a long line" in line for line in lines(ENTRIES, wrong, tests, runs))


# -- the same slip at several places


def test_operators_changed_alike() -> None:
    wrong = """\
    def grade(points):
        if points > 90:  # here
            return "a"
        elif points > 70:
            return "b"
        elif points > 50:
            return "c"
        return "d"
    """
    assert rank(ALIKE, wrong, wrong.replace("points >", "points >=")) == 1
    both = "def area(w, h):\n    return w + h + w + h  # here\n"
    assert rank(ALIKE, both, "return w - h - w - h") == 1
    assert lines(ALIKE, "def f(a, b):\n    return a < b  # here\n") == []


def test_constants_changed_alike() -> None:
    wrong = """\
    def clock(seconds):
        minutes = seconds // 59  # here
        rest = seconds % 59
        return minutes, rest
    """
    assert rank(ALIKE, wrong, wrong.replace("59", "60")) == 1
    texts = 'def f(row):\n    return row["Id"] or row.get("Id")  # here\n'
    tests = {"t.py": 'def test_it():\n    assert f({"id": 1})\n'}
    assert rank(ALIKE, texts, 'return row["id"] or row.get("id")', tests, failing()) == 1


def test_none_asked_for_alike() -> None:
    wrong = """\
    def shown(name, prefix):
        if name is None:  # here
            name = prefix
        if prefix and name is not None:
            return name
        return ""
    """
    right = wrong.replace("if name is None", "if not name").replace("and name is not None", "and name")
    assert rank(ALIKE, wrong, right) == 1
    assert rank(ALIKE, right, wrong) == 1
    assert lines(ALIKE, "def f(a):\n    if a is None:  # here\n        return a\n") == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('"{:d}{} {{}}".format(width, align)', '"{}{:d} {{}}".format(align, width)'),
        ('"%5d%% of %s" % (width, align)', '"%s%% of %5d" % (align, width)'),
        ('f"{width:{align}}-{{}}{align!r}"', 'f"{align!r}-{{}}{width:{align}}"'),
    ],
)
def test_fields_exchanged_with_their_formats(wrong: str, right: str) -> None:
    code = f"def f(width, align):\n    return {wrong}  # here\n"
    assert rank(FIELDS, code, f"return {right}") == 1


def test_fields_that_are_named_stay() -> None:
    assert lines(FIELDS, 'def f(a, b):\n    return "{0}{1}".format(a, b)  # here\n') == []
    assert lines(FIELDS, 'def f(a, b):\n    return "{}{}".format(*a, b, b)  # here\n') == []


# -- what is gone through twice


def test_a_list_of_what_is_gone_through_twice() -> None:
    wrong = '''\
    def spread(values, width):
        """Docs."""
        if not values:
            return 0
        low, high = min(values), max(values)  # here
        return (high - low) / width
    '''
    right = wrong.replace("        if not values", "        values = list(values)\n        if not values", 1)
    assert rank(gone_through_twice, wrong, right) == 1
    plain = variants(gone_through_twice, wrong)
    seen = variants(
        gone_through_twice, wrong, None, failing("", "ValueError", 5, Value("values", "generator", "<...>"))
    )
    assert seen[0].cost < plain[0].cost
    listed = failing("", "ValueError", 5, Value("values", "list", "[1]"))
    assert lines(gone_through_twice, wrong, None, listed) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(xs):\n    return sum(xs)  # here\n",
        "def f(xs: dict):\n    return sum(xs) + len(xs)  # here\n",
        "def f(*xs):\n    return sum(xs) + len(xs)  # here\n",
        "def f():\n    xs = []\n    return sum(xs) + len(xs)  # here\n",
    ],
)
def test_what_is_a_list_or_gone_through_once_stays(code: str) -> None:
    assert made(gone_through_twice, code) == []


# -- comparisons


def test_what_cannot_be_ordered_was_asked_something_else() -> None:
    wrong = "def ends(part, pad):\n    return part[-1] < pad  # here\n"
    error = failing("'<' not supported between instances of 'int' and 'str'", "TypeError", 2)
    assert rank(COMPARISONS, wrong, "return part[-1] is pad") > 4
    assert rank(COMPARISONS, wrong, "return part[-1] is pad", failing=error) <= 4
    assert rank(COMPARISONS, wrong, "return part[-1] == pad", failing=error) <= 2


def test_texts_are_not_ordered_and_zero_is_a_case_of_its_own() -> None:
    assert rank(COMPARISONS, 'def f(h):\n    return h <= "first"  # here\n', 'return h == "first"') == 1
    assert rank(COMPARISONS, "def f(v):\n    return v > 0  # here\n", "return v >= 0") == 1
    assert rank(COMPARISONS, "def f(v):\n    return v > 0  # here\n", "return v != 0") <= 4
