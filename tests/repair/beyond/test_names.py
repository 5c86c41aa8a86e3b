"""Undefined names and imports that find nothing."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

import pytest

from agent_core.checks.model import Finding
from agent_core.repair.beyond.names import name_variants
from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from tests.repair.beyond.finding import applied, made, project_of, said, source_of

INSTALLED = ("numpy", "requests", "yaml")


def names(source: Source, project: Project, finding: Finding) -> Iterator[Variant]:
    return name_variants(source, project, finding, INSTALLED)


def first_line(text: str) -> str:
    return text.splitlines()[0]


@pytest.mark.parametrize(
    "message", ["Undefined name `totla`", 'Name "totla" is not defined', "NameError: name 'totla' is not defined"]
)
def test_a_misspelt_name_is_the_closest_in_scope(message: str) -> None:
    found = made(names, message, "def f(total, x):\n    return totla + x  # here\n")

    assert found[0] == "def f(total, x):\n    return total + x  # here\n"


@pytest.mark.parametrize(
    ("code", "name", "right"),
    [
        ("def f(x):\n    return x is Flase  # here\n", "Flase", "x is False"),
        ("def f(x):\n    return x is true  # here\n", "true", "x is True"),
        ("def f(x):\n    return null  # here\n", "null", "return None"),
        ("def f(x):\n    return lenn(x)  # here\n", "lenn", "len(x)"),
        ("def f(userName):\n    return user_name  # here\n", "user_name", "return userName"),
        ("def f(count_total):\n    return total_count  # here\n", "total_count", "return count_total"),
        ("def f(total):\n    return f'it is {totla!r}, {totla}'  # here\n", "totla", "f'it is {total!r}, {total}'"),
        ("class A:\n    def f(self):\n        return this.x  # here\n", "this", "return self.x"),
        ("class A:\n    def f(self):\n        return slef.x  # here\n", "slef", "return self.x"),
        ("class A:\n    def g(self): ...\n    def f(self):\n        return g()  # here\n", "g", "return self.g()"),
        (
            "class A:\n    def __init__(self):\n        self.n = 1\n    def f(self):\n        return n  # here\n",
            "n",
            "return self.n",
        ),
        ("import math\ndef f(x):\n    return sqrt(x)  # here\n", "sqrt", "math.sqrt(x)"),
    ],
)
def test_what_was_meant_is_first(code: str, name: str, right: str) -> None:
    assert right in made(names, f"Undefined name `{name}`", code, check="ruff")[0]


@pytest.mark.parametrize(
    ("use", "name", "line"),
    [
        ("json.dumps(1)", "json", "import json"),
        ("Path('.')", "Path", "from pathlib import Path"),
        ("defaultdict(list)", "defaultdict", "from collections import defaultdict"),
        ("dataclass", "dataclass", "from dataclasses import dataclass"),
        ("sqrt(2)", "sqrt", "from math import sqrt"),
        ("np.zeros(3)", "np", "import numpy as np"),
        ("requests.get('x')", "requests", "import requests"),
        ("price_of(3)", "price_of", "from shop.prices import price_of"),
        ("prices.price_of(3)", "prices", "from shop import prices"),
        ("Money(3)", "Money", "from shop.money import Euro as Money"),
    ],
)
def test_a_missing_import_is_put_in(use: str, name: str, line: str) -> None:
    others = {
        "shop/__init__.py": "",
        "shop/prices.py": "def price_of(x):\n    return x\n",
        "shop/money.py": "class Euro:\n    pass\n",
        "shop/till.py": "from shop.money import Euro as Money\n",
    }
    found = made(names, f"Undefined name `{name}`", f"x = {use}  # here\n", others=others)

    assert found[0] == f"{line}\n\nx = {use}  # here\n"


def test_an_import_stands_where_its_order_has_it() -> None:
    text = '''
        """What it is."""

        from __future__ import annotations

        import os
        import sys
        from collections import Counter

        import yaml

        from shop.money import Euro

        x = json.dumps(Path("."))  # here
    '''
    found = made(
        names, "Undefined name `json`", text, others={"shop/__init__.py": "", "shop/money.py": "class Euro: ..."}
    )
    assert "import json\nimport os\nimport sys\n" in found[0]
    found = made(names, "Undefined name `Path`", text)
    assert "from collections import Counter\nfrom pathlib import Path\n\nimport yaml\n" in found[0]


def test_a_name_goes_among_those_of_the_same_module() -> None:
    text = "from typing import (\n    Any,\n    cast,\n)\n\nx: Iterator[Any] = cast(Any, 1)  # here\n"
    assert "    Any,\n    Iterator,\n    cast,\n" in made(names, "Undefined name `Iterator`", text)[0]
    text = "from collections import OrderedDict, deque\nx = namedtuple('a', 'b')  # here\n"
    assert first_line(made(names, "Undefined name `namedtuple`", text)[0]) == (
        "from collections import OrderedDict, deque, namedtuple"
    )


def test_imports_come_behind_what_begins_a_file() -> None:
    found = made(names, "Undefined name `re`", "#!/usr/bin/env python\n# A licence.\nre.compile('x')  # here\n")
    assert found[0].startswith("#!/usr/bin/env python\n# A licence.\nimport re\n\nre")
    found = made(names, "Undefined name `re`", '"""Doc."""\n\nre.compile("x")  # here\n')
    assert found[0].startswith('"""Doc."""\n\nimport re\n\nre')


def test_line_ends_are_those_of_the_file() -> None:
    files = {"a.py": "import os\r\nx = json.dumps(os)  # here\r\n"}
    project = project_of(files)
    variants = names(source_of(project, "a.py"), project, said("Undefined name `json`", files["a.py"], path="a.py"))

    assert applied(variants, files, "a.py")[0] == "import json\r\nimport os\r\nx = json.dumps(os)  # here\r\n"


def _shop(importing: str) -> tuple[dict[str, str], Project]:
    files = {
        "shop/__init__.py": "",
        "shop/cart.py": importing,
        "shop/prices.py": "class Price: ...\ndef total(x):\n    return x\n",
        "shop/tax/__init__.py": "",
        "shop/tax/rates.py": "def rate(x):\n    return x\n",
    }
    return files, project_of(files)


@pytest.mark.parametrize(
    ("line", "message", "right"),
    [
        (
            "from shop.prices import Prise",
            "ImportError: cannot import name 'Prise' from 'shop.prices' (/x/y.py)",
            "from shop.prices import Price",
        ),
        (
            "from .prices import Prise",
            'Module "shop.prices" has no attribute "Prise"; maybe "Price"?',
            "from .prices import Price",
        ),
        (
            "from shop.prices import rate",
            "cannot import name 'rate' from 'shop.prices' (x)",
            "from shop.tax.rates import rate",
        ),
        ("from .prices import rate", 'Module "shop.prices" has no attribute "rate"', "from .tax.rates import rate"),
        (
            "from shop.rates import rate",
            "ModuleNotFoundError: No module named 'shop.rates'",
            "from shop.tax.rates import rate",
        ),
        ("from shop.prics import total", "No module named 'shop.prics'", "from shop.prices import total"),
        ("from .prics import total", "No module named 'shop.prics'", "from .prices import total"),
        ("import shop.prics as p", "No module named 'shop.prics'", "import shop.prices as p"),
        ("import jsno", "No module named 'jsno'", "import json"),
        (
            "import yamll as y",
            'Cannot find implementation or library stub for module named "yamll"',
            "import yaml as y",
        ),
        (
            "from collections import defaultdct",
            "cannot import name 'defaultdct' from 'collections' (x)",
            "from collections import defaultdict",
        ),
        (
            "from collections import Iterable",
            "cannot import name 'Iterable' from 'collections' (x)",
            "from collections.abc import Iterable",
        ),
    ],
)
def test_an_import_that_finds_nothing_finds_what_was_meant(line: str, message: str, right: str) -> None:
    files, project = _shop(f"{line}  # here\n")
    variants = names(source_of(project, "shop/cart.py"), project, said(message, files["shop/cart.py"]))

    assert applied(variants, files, "shop/cart.py")[0] == f"{right}  # here\n"


def test_of_several_names_only_the_one_is_taken_from_elsewhere() -> None:
    text = "from shop.prices import Price, rate, total  # here\n"
    files, project = _shop(text)
    message = "cannot import name 'rate' from 'shop.prices' (x)"
    found = applied(names(source_of(project, "shop/cart.py"), project, said(message, text)), files, "shop/cart.py")

    assert found[0] == "from shop.prices import Price, total\nfrom shop.tax.rates import rate  # here\n"


def test_uses_follow_an_import_that_is_another() -> None:
    files, project = _shop("from shop.prices import totla  # here\n\nprint(totla(1), totla)\n")
    message = "cannot import name 'totla' from 'shop.prices' (x)"
    found = applied(
        names(source_of(project, "shop/cart.py"), project, said(message, files["shop/cart.py"])), files, "shop/cart.py"
    )

    assert found[:2] == [
        "from shop.prices import total  # here\n\nprint(total(1), total)\n",
        "from shop.prices import total as totla  # here\n\nprint(totla(1), totla)\n",
    ]


@pytest.mark.parametrize(
    "message",
    [
        "line too long",
        "Undefined name `nothing_like_it_at_all`",
        "cannot import name 'qqqqqqq' from 'shop.prices' (x)",
        "",
    ],
)
def test_nothing_is_made_of_what_nothing_is_known_about(message: str) -> None:
    assert not made(names, message, dedent("def f(x):\n    return nothing_like_it_at_all  # here\n"))


def test_what_is_equally_close_comes_in_the_same_order_whatever_the_order_of_what_is_installed() -> None:
    text = "import yamk  # here\n\nyamk.load('x')\n"
    files = {"shop/cart.py": text}
    orders = (("yama", "yaml", "yamm"), ("yamm", "yaml", "yama"))
    one, other = (
        [variant.says for variant in name_variants(source_of(project, "shop/cart.py"), project, finding, installed)]
        for installed in orders
        for project, finding in [(project_of(files), said("No module named 'yamk'", text))]
    )
    assert one == other
    assert "yaml for yamk" in one
