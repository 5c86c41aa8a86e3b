"""A small real project with a real bug, and patches for it: wrong ones and a right one."""

from __future__ import annotations

from pathlib import Path

from tests.projects import make_project

PRICES = '''
"""Prices."""


def total(prices: list[int], discount: int = 0) -> int:
    """Sum of all prices, less a discount in percent, never below zero."""
    result = 0
    for price in prices[1:]:
        result += price
    return result - result * discount // 100
'''
TESTS = """
from shop.prices import total


def test_total():
    assert total([1, 2, 3]) == 6


def test_empty():
    assert total([]) == 0


def test_discount():
    assert total([0, 100, 100], 10) == 180
"""
FILES = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        pythonpath = ["."]
    """,
    ".gitignore": "__pycache__/\n.pytest_cache/\n",
    "README.md": "# shop\n",
    "shop/__init__.py": '"""A shop."""\n',
    "shop/prices.py": PRICES,
    "tests/test_prices.py": TESTS,
}
QUICK = ("mypy", "pytest")
"""Checks to leave off in tests that are not about verdicts."""
QUICK_SETTINGS = '[checks]\noff = ["mypy", "pytest"]\n'
"""Settings of a project that leave them off."""

WRONG = """*** Begin Patch
*** Update File: shop/prices.py
@@ def total(prices: list[int], discount: int = 0) -> int:
-    for price in prices[1:]:
-        result += price
+    for price in prices[1:]:
+        result += price + 1
*** End Patch"""
RIGHT = """*** Begin Patch
*** Update File: shop/prices.py
@@ def total(prices: list[int], discount: int = 0) -> int:
-    for price in prices[1:]:
-        result += price + 1
+    for price in prices:
+        result += price
*** End Patch"""
RIGHT_AT_ONCE = RIGHT.replace("price + 1", "price")
NEW_FILE = """*** Begin Patch
*** Add File: shop/notes.py
+\"\"\"Notes.\"\"\"
*** End Patch"""
BROKEN = """*** Begin Patch
*** Add File: shop/broken.py
+def (:
*** End Patch"""
MENDED = PRICES.lstrip("\n").replace("prices[1:]", "prices")


def make_shop(root: Path) -> Path:
    """The project, as a git repository with one commit."""
    return make_project(root, FILES)


def make_quick_shop(root: Path) -> Path:
    """The project, whose checks answer at once."""
    make_shop(root)
    (root / "pairloop.toml").write_text(QUICK_SETTINGS)
    return root


def tree(root: Path) -> dict[str, bytes]:
    """Every file outside .git, with its bytes: what must not change behind the human's back."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def theirs(root: Path) -> dict[str, bytes]:
    """The same without what pairloop keeps there for itself: a lesson is written some time after a landing."""
    return {path: data for path, data in tree(root).items() if not path.startswith(".pairloop/")}
