"""How a project is written, from what its tools are set to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent_core.prompt.code_style import how_it_is_built

PYPROJECT = """
[project]
name = "shop"
requires-python = ">=3.11"
dependencies = ["httpx>=1", "attrs ; python_version > '3'"]
[project.optional-dependencies]
web = ["uvicorn[standard]"]
[project.scripts]
shop = "shop.cli:main"
[dependency-groups]
dev = ["pytest", { include-group = "lint" }]
[tool.ruff]
line-length = 120
format.quote-style = "double"
lint.select = ["E", "F"]
lint.pydocstyle.convention = "google"
[tool.mypy]
strict = true
[tool.pytest.ini_options]
testpaths = ["tests"]
"""
STYLE = (
    "Style: line length 120; double quotes; ruff rules E F; google docstrings; mypy strict; indent with spaces, "
    "indent by 4; indent with tabs in *.go"
)
NAMES = (
    *("pyproject.toml", "ruff.toml", ".ruff.toml", "mypy.ini", ".mypy.ini", "setup.cfg", ".flake8", ".prettierrc"),
    *(".editorconfig", "package.json"),
)


def told(files: dict[str, str]) -> tuple[str, str]:
    return how_it_is_built(lambda path: files[path].encode("utf-8", "surrogatepass") if path in files else None, files)


def test_a_python_project() -> None:
    editor = (
        "root = true\n[*]\nindent_style = space\nindent_size = 4\n[*.go]\nindent_style = tab\nend_of_line = unset\n"
    )
    sources, lines = told({"pyproject.toml": PYPROJECT, ".editorconfig": editor})
    assert sources == "pyproject.toml, .editorconfig"
    assert lines.split("\n") == [
        "shop, Python >=3.11",
        "Needs: httpx, attrs",
        "For development and on wish: uvicorn, pytest",
        "Commands: shop = shop.cli:main",
        "Tests: tests",
        STYLE,
    ]


def test_others() -> None:
    package = '{"name": "shop", "type": "module", "dependencies": {"react": "1"}, "scripts": {"test": "jest"}}'
    prettier = '{"semi": false, "singleQuote": true, "printWidth": 100, "tabWidth": true}'
    assert told({"package.json": package, ".prettierrc": prettier}) == (
        "package.json, .prettierrc",
        "shop, ES modules\nNeeds: react\nScripts: test\nStyle: line length 100; no semicolons; single quotes",
    )
    assert told({"setup.cfg": "[mypy]\ndisallow_untyped_defs = True\n[flake8]\nmax-line-length = 99\n"})[1] == (
        "Style: mypy, all functions annotated; line length 99"
    )
    black = (
        '[tool.black]\nskip-string-normalization = true\n[tool.poetry]\nname = "p"\ndependencies = {python = "^3.9"}'
    )
    assert told({"pyproject.toml": black})[1] == (
        "p, Python ^3.9\nStyle: formatted by black; line length 88; quotes as they are"
    )


def test_what_says_nothing() -> None:
    assert told({}) == ("", "")
    assert told({"pyproject.toml": "[build-system]\nrequires = []\n", "package.json": "[]"}) == ("", "")


@given(st.sampled_from(NAMES), st.text("[]{}=.\"'\n ,:#abc1\x1b", max_size=80))
def test_nothing_breaks_it(name: str, text: str) -> None:
    assert "\x1b" not in told({name: text})[1]


@given(st.sampled_from(["project", "tool", "tool.ruff", "tool.ruff.lint", "tool.mypy", "dependency-groups"]), st.data())
def test_odd_values_break_nothing(table: str, data: st.DataObject) -> None:
    keys = ["name", "dependencies", "scripts", "select", "line-length", "lint", "poetry", "mypy", "strict", "format"]
    key = data.draw(st.sampled_from(keys))
    value = data.draw(st.sampled_from(["1", "true", '"x"', "[1, [2]]", '["\\u001b[2J"]', "{a = 1}", '{a = ["b"]}']))
    assert "\x1b" not in told({"pyproject.toml": f"[{table}]\n{key} = {value}\n"})[1]
