"""Texts for an editor, which reads them as Markdown: nothing in a name or an output becomes markup by itself."""

from __future__ import annotations

import re

from acp import text_block, tool_content
from acp.schema import ContentToolCallContent

from agent_core.text import printable, shortened

_MARKUP = re.compile(r"([\\`*\[\]<>])")
_TITLE = 160
_MOST = 8_000


def plain(text: str) -> str:
    """A text of which an editor shows every sign as it is."""
    return _MARKUP.sub(r"\\\1", printable(text))


def title(text: str) -> str:
    """A text as the title of a tool call: one line, and no link."""
    line = " ".join(printable(text).split())
    return shortened(line, _TITLE).replace("](", "] (").replace("`", "'")


def aside(text: str, hint: str = "") -> str:
    """Words of pairloop's own among those of the partner: a quotation of its own."""
    words = ("\n" if "\n" in hint.strip() else " ").join(part for part in (text.strip(), hint.strip()) if part)
    return "\n\n" + "\n".join(f"> {line}" for line in plain(words).splitlines()) + "\n\n"


def fenced(text: str) -> str:
    """An output, as far as anybody reads it, in a fence that nothing in it closes."""
    return fenced_whole(shortened(printable(text).strip(), _MOST))


def content(markdown: str) -> ContentToolCallContent:
    """Markdown as what a tool call shows."""
    return tool_content(text_block(markdown))


def fenced_whole(text: str) -> str:
    """A text as it is, in a fence that nothing in it closes: for the partner, not for an editor."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text.rstrip()}\n{fence}"
