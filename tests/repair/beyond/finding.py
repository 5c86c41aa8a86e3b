"""Findings as checks tell them, and what is made of them: whole texts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from textwrap import dedent

from agent_core.checks.model import Finding
from agent_core.repair.model import Variant, with_edits
from agent_core.repair.project import Project
from agent_core.repair.source import Source

MARK = "# here"


def project_of(files: Mapping[str, str]) -> Project:
    """A project of some files in memory."""
    return Project(files, lambda path: files[path].encode() if path in files else None)


def source_of(project: Project, path: str) -> Source:
    """A file of it that can be parsed."""
    source = project.source(path)
    assert source is not None, f"{path} cannot be parsed"
    return source


def said(
    message: str, text: str, *, check: str = "mypy", code: str = "", path: str = "shop/cart.py", detail: str = ""
) -> Finding:
    """A finding at the line of a text that has the mark."""
    line = next(number for number, one in enumerate(text.splitlines(), 1) if MARK in one)
    return Finding(check, message, path, line, code, text.splitlines()[line - 1].strip(), detail)


def applied(variants: Iterable[Variant], files: Mapping[str, str], path: str) -> list[str]:
    """What one file becomes by each variant; all that it touches can be parsed."""
    texts = []
    for variant in variants:
        for one in {edit.path for edit in variant.edits}:
            ast.parse(with_edits(files[one], [edit for edit in variant.edits if edit.path == one]))
        texts.append(with_edits(files[path], [edit for edit in variant.edits if edit.path == path]))
    return texts


def made(
    maker: Callable[[Source, Project, Finding], Iterable[Variant]],
    message: str,
    text: str,
    *,
    code: str = "",
    check: str = "mypy",
    detail: str = "",
    others: Mapping[str, str] | None = None,
) -> list[str]:
    """The texts that are made of a file with a mark at the line of a finding."""
    text = dedent(text).lstrip("\n")
    files = {"shop/cart.py": text, **{path: dedent(one).lstrip("\n") for path, one in (others or {}).items()}}
    project = project_of(files)
    finding = said(message, text, check=check, code=code, detail=detail)
    return applied(maker(source_of(project, "shop/cart.py"), project, finding), files, "shop/cart.py")
