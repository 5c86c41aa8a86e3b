"""Templates tried on programs of a few lines: a comment ``# here`` marks the line at which they are asked.

assert rank(COMPARISONS, wrong, right) <= 3
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from agent_core.repair.model import Frame, TestRun, Value, Variant, with_edits
from agent_core.repair.project import Project
from agent_core.repair.spans import nodes_at
from agent_core.repair.templates import Template

HERE = "# here"
PATH = "program.py"


def variants(
    templates: Template | Sequence[Template],
    code: str,
    files: Mapping[str, str] | None = None,
    failing: Sequence[TestRun] = (),
) -> list[Variant]:
    """The variants that templates make at the marked line, the cheapest first, each text once.

    Args:
        templates: One, or several.
        code: The program, one line of it marked ``# here``; dedented. Its path is `PATH`.
        files: The project's other files: path -> text; dedented.
        failing: Tests that fail, as they ran.
    """
    text = textwrap.dedent(code)
    marked = [number for number, line in enumerate(text.splitlines(), 1) if HERE in line]
    assert len(marked) == 1, "one line is to be marked"
    texts = {path: textwrap.dedent(other) for path, other in (files or {}).items()} | {PATH: text}
    project = Project(
        frozenset(texts),
        lambda path: texts[path].encode() if path in texts else None,
        tuple(failing),
        (PATH,),
    )
    source = project.source(PATH)
    assert source is not None, "the program cannot be parsed"
    asked = [templates] if callable(templates) else list(templates)
    nodes = nodes_at(source, marked[0])
    found = [one for node in nodes for template in asked for one in template(source, node, project)]
    once: dict[str, Variant] = {}
    for one in sorted(found, key=lambda variant: variant.cost):
        once.setdefault(with_edits(text, one.edits), one)
    return list(once.values())


def made(
    templates: Template | Sequence[Template],
    code: str,
    files: Mapping[str, str] | None = None,
    failing: Sequence[TestRun] = (),
) -> list[str]:
    """The whole texts that templates make at the marked line; see `variants`."""
    text = textwrap.dedent(code)
    return [with_edits(text, one.edits) for one in variants(templates, code, files, failing)]


def lines(
    templates: Template | Sequence[Template],
    code: str,
    files: Mapping[str, str] | None = None,
    failing: Sequence[TestRun] = (),
) -> list[str]:
    """What the marked line says in each variant, stripped and without the mark; empty where it is gone."""
    found = []
    for text in made(templates, code, files, failing):
        marked = [line for line in text.splitlines() if HERE in line]
        found.append(marked[0].replace(HERE, "").strip() if marked else "")
    return found


def rank(
    templates: Template | Sequence[Template],
    code: str,
    right: str,
    files: Mapping[str, str] | None = None,
    failing: Sequence[TestRun] = (),
) -> int:
    """Which variant, counted from 1, is the right program.

    Args:
        templates: See `variants`.
        code: The wrong program.
        right: What the marked line should say, or the whole program (its mark, if any, as in the wrong one).
        files: See `variants`.
        failing: See `variants`.

    Raises:
        AssertionError: None is; it says which there are.
    """
    whole = made(templates, code, files, failing)
    of_line = lines(templates, code, files, failing)
    wanted = textwrap.dedent(right)
    for number, (text, line) in enumerate(zip(whole, of_line, strict=True), 1):
        if text == wanted or line == right.strip():
            return number
    raise AssertionError(f"{right.strip()!r} is not among {len(of_line)}: " + " | ".join(of_line))


def tidy(code: str) -> str:
    """Code that begins on its first line, at the margin."""
    return textwrap.dedent(code).lstrip("\n")


def failing(message: str = "", error: str = "AssertionError", line: int = 1, *values: Value) -> list[TestRun]:
    """A test that failed at a line of a function, with some values there."""
    frames = (Frame(PATH, line, "f", values),)
    return [TestRun("t.py::test_it", "failed", 0.1, error=error, message=message, frames=frames)]
