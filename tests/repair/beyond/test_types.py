"""Findings of mypy, in its words, and what is made of them; that it is content then, test_mending sees."""

from __future__ import annotations

import pytest

from agent_core.checks.model import Finding
from agent_core.repair.beyond.types import type_variants
from tests.repair.beyond.finding import applied, made, project_of, source_of


def first(message: str, text: str, *, code: str = "", detail: str = "") -> str:
    return made(type_variants, message, text, code=code, detail=detail)[0]


# -- what may be None

_UPPER = 'Item "None" of "str | None" has no attribute "upper"'


def test_what_may_be_none_is_guarded_as_the_function_can() -> None:
    text = """
        def f(x: str | None) -> {0}:
            print(x.upper())  # here
    """
    assert "    if x is None:\n        return\n    print" in first(_UPPER, text.format("None"))
    assert "    if x is None:\n        return None\n    print" in first(_UPPER, text.format("int | None"))
    assert '    if x is None:\n        raise ValueError("x is missing")\n    print' in first(_UPPER, text.format("int"))


def test_what_is_raised_is_what_the_file_raises() -> None:
    text = """
        def f(x: str | None) -> str:
            if x == "no":
                raise RuntimeError("no")
            return x.upper()  # here
    """
    assert 'raise RuntimeError("x is missing")' in first(_UPPER, text)


def test_in_a_loop_the_next_one_is_gone_on_with() -> None:
    text = """
        def f(some: list[str | None]) -> int:
            for x in some:
                print(x.upper())  # here
            return 1
    """
    assert "        if x is None:\n            continue\n" in "".join(made(type_variants, _UPPER, text)[:2])


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("if x.upper() == 'A': pass  # here", "if x is not None and x.upper() == 'A': pass"),
        ("while x.upper() or 1: pass  # here", "while x is not None and (x.upper() or 1): pass"),
    ],
)
def test_a_condition_asks_first(line: str, right: str) -> None:
    assert right in first(_UPPER, f"def f(x: str | None) -> int:\n    {line}\n    return 1\n")


def test_a_comprehension_leaves_out_what_is_none() -> None:
    text = "def f(some: list[str | None]) -> list[str]:\n    return [x.upper() for x in some]  # here\n"
    assert "[x.upper() for x in some if x is not None]" in first(_UPPER, text)


def test_what_has_no_name_gets_one() -> None:
    text = """
        import re


        def f(x: str) -> str:
            return re.search("a", x).group(0)  # here
    """
    found = first('Item "None" of "Match[str] | None" has no attribute "group"', text)
    assert (
        '    match = re.search("a", x)\n    if match is None:\n        raise ValueError("match is missing")\n' in found
    )
    assert "    return match.group(0)  # here" in found


def test_a_key_that_must_be_there_is_asked_for_as_such() -> None:
    text = "def f(d: dict[str, int], k: str) -> int:\n    return d.get(k) + 1  # here\n"
    found = made(
        type_variants,
        'Unsupported operand types for + ("None" and "int")',
        text,
        detail='Left operand is of type "int | None"',
    )
    assert any("return d[k] + 1" in one for one in found)
    assert any("return d.get(k, 0) + 1" in one for one in found)


@pytest.mark.parametrize(
    ("message", "line", "guarded"),
    [
        ('Argument 1 to "len" has incompatible type "str | None"; expected "Sized"', "print(len(x))", "x"),
        ('Value of type "list[int] | None" is not indexable', "print(x[0])", "x"),
        ('Item "None" of "list[int] | None" has no attribute "__iter__" (not iterable)', "for y in x: print(y)", "x"),
        ('Unsupported operand types for < ("int" and "None")', "print(1 < x)", "x"),
        ('Item "None" of "str | None" has no attribute "upper"', "print(self.x.upper())", "self.x"),
    ],
)
def test_each_way_to_use_what_is_none_is_guarded(message: str, line: str, guarded: str) -> None:
    text = f"def f(self, x) -> None:\n    {line}  # here\n"
    assert f"    if {guarded} is None:\n        return\n    {line}" in first(message, text)


# -- annotations


def test_a_default_of_none_is_said() -> None:
    message = 'Incompatible default for parameter "x" (default has type "None", parameter has type "int")'
    assert first(message, "def f(x: int = None) -> int: return 1  # here\n").startswith("def f(x: int | None = None)")
    found = first(
        message, "from typing import Any, Optional\n\ndef f(x: int = None) -> Optional[Any]: return 1  # here\n"
    )
    assert "def f(x: Optional[int] = None)" in found
    old = first(message, "def f(x: int = None) -> int: return 1  # here\n")
    assert "Optional" not in old


def test_an_old_python_gets_optional_and_its_import() -> None:
    message = 'Incompatible default for parameter "x" (default has type "None", parameter has type "int")'
    found = made(
        type_variants,
        message,
        "def f(x: int = None) -> int: return 1  # here\n",
        others={"pyproject.toml": '[project]\nrequires-python = ">=3.8"\n'},
    )
    assert found[0] == "from typing import Optional\n\n\ndef f(x: Optional[int] = None) -> int: return 1  # here\n"


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("def f(x):  # here\n    print(x)\n", "def f(x: object) -> None:"),
        ("def f():  # here\n    return 1\n", "def f() -> int:"),
        ("def f(a: int):  # here\n    return a == 1\n", "def f(a: int) -> bool:"),
        ("def f(a: int, step=2):  # here\n    return [a]\n", "def f(a: int, step: int = 2) -> list[int]:"),
        (
            "def f(a: str):  # here\n    if a:\n        return a.upper()\n    return None\n",
            "def f(a: str) -> str | None:",
        ),
        (
            "class A:\n    def f(self, *rest):  # here\n        self.x = rest\n",
            "    def f(self, *rest: object) -> None:",
        ),
        ("def g(price: float) -> None: ...\ndef f(price):  # here\n    g(price)\n", "def f(price: float) -> None:"),
    ],
)
def test_a_function_without_types_gets_those_it_shows(code: str, right: str) -> None:
    assert right in first("Function is missing a type annotation", code, code="no-untyped-def")


@pytest.mark.parametrize(
    ("body", "name", "right"),
    [
        ("seen = []  # here\n    seen.append(1)", "seen", "seen: list[int] = []"),
        ("seen = {}  # here\n    seen['a'] = 1.5", "seen", "seen: dict[str, float] = {}"),
        ("seen = set()  # here\n    seen.add('x')", "seen", "seen: set[str] = set()"),
        ("seen = []  # here", "seen", "seen: list[object] = []"),
        ("seen = None  # here\n    seen = 3", "seen", "seen: int | None = None"),
    ],
)
def test_what_begins_empty_holds_what_is_put_in(body: str, name: str, right: str) -> None:
    text = f"def f() -> None:\n    {body}\n"
    assert right in first(f'Need type annotation for "{name}" (hint: ...)', text, code="var-annotated")


def test_an_attribute_is_looked_for_in_the_whole_class() -> None:
    text = """
        class Cart:
            def __init__(self) -> None:
                self.items = []  # here

            def add(self, name: str) -> None:
                self.items.append(name)
    """
    assert "self.items: list[str] = []" in first('Need type annotation for "items"', text, code="var-annotated")


def test_a_generic_type_is_told_of_what() -> None:
    message = 'Missing type arguments for generic type "list"'
    found = made(type_variants, message, "def f(x: list) -> int: return len(x)  # here\n", code="type-arg")
    assert [one.split(")")[0] for one in found[:3]] == [
        "def f(x: list[object]",
        "def f(x: list[str]",
        "def f(x: list[int]",
    ]


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("def f() -> int:  # here\n    print(1)\n", "def f() -> None:"),
        ("def f(x: int) -> int:  # here\n    x + 1\n", "    return x + 1"),
        ("def f(x: int) -> int:  # here\n    y = x + 1\n", "    y = x + 1\n    return y"),
        (
            "def f(x: int) -> list[int]:  # here\n    out = []\n    for y in range(x):\n        out.append(y)\n",
            "    return out",
        ),
        ("def f(x: int) -> int:  # here\n    if x:\n        return 1\n", "def f(x: int) -> int | None:"),
    ],
)
def test_a_missing_return_is_what_was_made(code: str, right: str) -> None:
    assert right in first("Missing return statement", code, code="return")


@pytest.mark.parametrize(
    ("message", "code", "right"),
    [
        (
            'Incompatible return value type (got "int", expected "str")',
            "def f() -> str:\n    return 1 + 1  # here\n",
            "-> int:",
        ),
        (
            'Incompatible return value type (got "str | None", expected "str")',
            "def f(x: str | None) -> str:\n    return x  # here\n",
            "-> str | None:",
        ),
        ("No return value expected", "def f() -> None:\n    return 3  # here\n", "-> int:"),
        (
            'The return type of a generator function should be "Generator" or one of its supertypes',
            "def f() -> int:  # here\n    yield 1\n",
            "from collections.abc import Iterator",
        ),
        (
            'Incompatible types in assignment (expression has type "None", variable has type "int")',
            "class A:\n    def f(self):\n        self.x = 1\n    def g(self):\n        self.x = None  # here\n",
            "self.x: int | None = 1",
        ),
        (
            'Incompatible types in assignment (expression has type "None", variable has type "int")',
            "x: int = None  # here\n",
            "x: int | None = None",
        ),
    ],
)
def test_a_type_that_is_wrong_is_what_is_given(message: str, code: str, right: str) -> None:
    assert right in first(message, code)


def test_a_conversion_is_offered_too() -> None:
    found = made(
        type_variants,
        'Incompatible return value type (got "int", expected "str")',
        "def f(x: int) -> str:\n    return x  # here\n",
    )
    assert any("return str(x)" in one for one in found)


# -- calls, attributes, what says nothing


@pytest.mark.parametrize(
    ("message", "line", "right"),
    [
        (
            'Unexpected keyword argument "betta" for "kw"; did you mean "beta"?',
            "kw(alpha=1, betta=2)",
            "kw(alpha=1, beta=2)",
        ),
        ('Unexpected keyword argument "betta" for "kw"', "kw(alpha=1, betta=2)", "kw(alpha=1, beta=2)"),
        ('Missing positional argument "beta" in call to "kw"', "kw(1)", "kw(1, beta=beta)"),
        ('Missing positional arguments "alpha", "beta" in call to "kw"', "kw()", "kw(alpha=alpha, beta=beta)"),
        ('Too many arguments for "kw"', "kw(1, 2, 3)", "kw(1, 2)"),
        ('Argument 1 to "kw" has incompatible type "str"; expected "int"', 'kw("1", 2)', "kw(1, 2)"),
        ('Argument 2 to "kw" has incompatible type "str"; expected "int"', "kw(1, beta)", "kw(1, int(beta))"),
        (
            'Argument "beta" to "kw" has incompatible type "Coroutine[Any, Any, int]"; expected "int"',
            "kw(1, beta=g())",
            "kw(1, beta=await g())",
        ),
        ('Argument 1 to "kw" has incompatible type "str"; expected "bytes"', "kw(x, 1)", "kw(x.encode(), 1)"),
        ('"A" has no attribute "totl"; maybe "total" or "tot"?', "print(a.totl)", "print(a.total)"),
        ('Module has no attribute "serch"; maybe "search"?', "print(re.serch('x'))", "print(re.search('x'))"),
    ],
)
def test_what_does_not_fit_a_call_is_made_to(message: str, line: str, right: str) -> None:
    text = (
        f"def kw(alpha: int, beta: int) -> int: ...\nasync def f(alpha: int, beta: int) -> None:\n    {line}  # here\n"
    )
    assert f"    {right}  # here" in first(message, text)


def test_a_coroutine_is_waited_for() -> None:
    text = "async def g() -> int: return 1\nasync def f() -> int:\n    return g()  # here\n"
    message = 'Incompatible return value type (got "Coroutine[Any, Any, int]", expected "int")'
    assert "return await g()" in first(message, text, detail='Maybe you forgot to use "await"?')


@pytest.mark.parametrize(
    ("line", "message", "right"),
    [
        ("x = 1  # type: ignore", 'Unused "type: ignore" comment', "x = 1\n"),
        ("x = 1  # type: ignore[misc]  # why", 'Unused "type: ignore" comment', "x = 1  # why\n"),
        (
            "x = 1  # type: ignore[misc, arg-type]",
            'Unused "type: ignore[misc]" comment',
            "x = 1  # type: ignore[arg-type]\n",
        ),
        ("x = 1  # type: ignore # noqa: E501", 'Unused "type: ignore" comment', "x = 1  # noqa: E501\n"),
    ],
)
def test_a_comment_that_silences_nothing_goes_and_others_stay(line: str, message: str, right: str) -> None:
    text = f"# here\n{line}\n"
    project = project_of({"a.py": text})
    finding = Finding("mypy", message, "a.py", 2, "unused-ignore")
    found = applied(type_variants(source_of(project, "a.py"), project, finding), {"a.py": text}, "a.py")
    assert found == [f"# here\n{right}"]


def test_a_cast_to_what_it_is_goes() -> None:
    text = "from typing import cast\n\ny = cast(int, x + 1)  # here\n"
    assert "y = (x + 1)  # here" in first('Redundant cast to "int"', text, code="redundant-cast")


def test_nothing_is_silenced_and_nothing_is_anything() -> None:
    texts = [
        made(type_variants, message, text, code=code)
        for message, text, code in (
            ("Function is missing a type annotation", "def f(x, y=None):  # here\n    return x\n", "no-untyped-def"),
            ('Need type annotation for "x"', "x = []  # here\n", "var-annotated"),
            (_UPPER, "def f(x: str | None) -> str:\n    return x.upper()  # here\n", ""),
            ('Incompatible return value type (got "Any", expected "int")', "def f(x):\n    return x  # here\n", ""),
        )
    ]
    assert all("ignore" not in one and "Any" not in one for some in texts for one in some)


def test_other_checks_are_not_answered() -> None:
    assert not made(type_variants, _UPPER, "def f(x: str | None): x.upper()  # here\n", check="ruff")
