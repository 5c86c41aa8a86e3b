"""A web page as text to be read: headings, paragraphs, lists, code; without what is there for eyes or for scripts.

It runs in a process of its own (``main``): a page is written by anybody, and ``html.parser`` can take minutes for one
that means no good.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from html.parser import HTMLParser

# What is in them is not said to a reader.
_SILENT = frozenset({"script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "select"})
_ASIDE = frozenset({"nav", "footer", "aside"})
_BLOCKS = frozenset(
    (
        *("address", "article", "blockquote", "dd", "div", "dl", "dt", "fieldset", "figcaption", "figure", "form"),
        *("header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul"),
        *("h1", "h2", "h3", "h4", "h5", "h6"),
    )
)
_HEADINGS = {f"h{number}": "#" * number for number in range(1, 7)}
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "wbr", "area", "base", "col", "embed", "source", "track"}
)
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_EMPTY = re.compile(r"\n{3,}")
_DEEPEST = 2000


class _Reader(HTMLParser):
    """Gathers text; ``html.parser`` takes whatever is called HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._within: Counter[str] = Counter()
        self._title: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as is called
        if tag not in _VOID and len(self._open) < _DEEPEST:
            self._open.append(tag)
            self._within[_sort(tag)] += 1
        if tag == "br":
            self._parts.append("\n")
        if self._hidden or tag not in _BLOCKS:
            return
        self._parts.append("\n\n" if tag not in {"li", "tr"} else "\n")
        if tag in _HEADINGS:
            self._parts.append(f"{_HEADINGS[tag]} ")
        elif tag == "li":
            self._parts.append("- ")
        elif tag == "pre":
            self._parts.append("```\n")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        hidden = self._hidden
        while True:
            closed = self._open.pop()
            self._within[_sort(closed)] -= 1
            if closed == tag:
                break
        if hidden or self._hidden:
            return
        if tag == "pre":
            self._parts.append("\n```")
        if tag in {"td", "th"}:
            self._parts.append(" | ")
        if tag in _BLOCKS and tag not in {"li", "tr"}:
            self._parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title" and "svg" not in self._open:
            self._title.append(data)
        elif not self._hidden:
            self._parts.append(data if self._within["pre"] else _BLANKS.sub(" ", data))

    @property
    def _hidden(self) -> bool:
        return self._within["hidden"] > 0

    def text(self) -> str:
        title = _BLANKS.sub(" ", "".join(self._title)).strip()
        lines, fenced = [], False
        for line in "".join(self._parts).split("\n"):
            fenced ^= line.startswith("```")
            lines.append(line.rstrip() if fenced else line.strip())
        body = _EMPTY.sub("\n\n", "\n".join(lines)).strip()
        return f"{title}\n\n{body}" if title else body


def _sort(tag: str) -> str:
    return "hidden" if tag in _SILENT or tag in _ASIDE else "pre" if tag == "pre" else ""


def html_text(page: str) -> str:
    """What a reader of a page gets to see, as plain text with Markdown's marks for headings, lists and code."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.text()


def main() -> None:
    """Make the page on standard input readable on standard output."""
    page = sys.stdin.buffer.read().decode("utf-8", "replace")
    sys.stdout.buffer.write(html_text(page).encode("utf-8", "replace"))
