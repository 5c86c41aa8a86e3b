"""A README as the partner gets it: without what is there for the eye, such as badges, pictures and comments."""

from __future__ import annotations

import re

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_PICTURE = re.compile(
    r"\[!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])\](?:\([^)]*\)|\[[^\]]*\])|!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])"
)
_TAG = re.compile(
    r"</?(?:p|div|a|img|picture|source|center|br|h[1-6]|b|i|sub|sup|kbd|span|table|tr|td|th|details|summary)\b[^>]*>"
)
# Directives of reStructuredText for pictures, with the indented options below them.
_RST_PICTURE = re.compile(r"^\.\.[ ]+(?:\|[^|\n]+\|[ ]+)?(?:image|figure)::[^\n]*(?:\n[ \t]+:[^\n]*)*", re.MULTILINE)
# A line of nothing but substitutions, which are pictures as a rule; a table's row has blanks inside its bars.
_RST_BADGES = re.compile(r"^[ \t]*(?:\|[^|\s](?:[^|\n]*[^|\s])?\|[ \t]*)+$", re.MULTILINE)
_EMPTY = re.compile(r"\n{3,}")
_FENCE = re.compile(r"(^[ ]{0,3}(?:```|~~~).*?^[ ]{0,3}(?:```|~~~)[ \t]*$)", re.MULTILINE | re.DOTALL)


def undecorated(text: str) -> str:
    """A README without pictures, badges, comments and tags; what is fenced as code stays as it is.

    Args:
        text: Markdown or reStructuredText.

    Returns:
        The text, with no more than one blank line in a row where something was taken out.
    """
    parts = _FENCE.split(text)
    return _EMPTY.sub("\n\n", "".join(part if at % 2 else _plain(part) for at, part in enumerate(parts))).strip("\n")


def _plain(text: str) -> str:
    for pattern in (_COMMENT, _PICTURE, _TAG, _RST_PICTURE, _RST_BADGES):
        text = pattern.sub("", text)
    return "\n".join(line.rstrip() for line in text.split("\n"))
