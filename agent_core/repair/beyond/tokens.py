"""Broken Python as words and signs. The standard `tokenize` gives up at what is to be mended here."""

from __future__ import annotations

import keyword
import re
from typing import NamedTuple

KEYWORDS = frozenset(keyword.kwlist)
BLOCKS = frozenset(
    ("if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "async", "match", "case")
)
"""Words with which a line begins that ends in a colon."""

PAIRS = {"(": ")", "[": "]", "{": "}"}

_TOKEN = re.compile(
    r"""
    (?P<comment> \#[^\r\n]* )
  | (?P<newline> \r\n | \r | \n )
  | (?P<space> (?: [ \t\f] | \\(?:\r\n|\r|\n) )+ )
  | (?P<string> (?i: [bru]|br|rb|f|fr|rf|t|tr|rt )?
        (?: \"\"\"(?:[^\\]|\\.)*?\"\"\" | '''(?:[^\\]|\\.)*?'''
          | (?!\"\"\") \"(?:[^\\\r\n\"]|\\(?:\r\n|.))*\" | (?!''') '(?:[^\\\r\n']|\\(?:\r\n|.))*' ) )
  | (?P<open> (?i: [bru]|br|rb|f|fr|rf|t|tr|rt )?
        (?: (?:\"\"\"|''')(?:[^\\]|\\.)*  | [\"'](?:[^\\\r\n]|\\.)* ) )
  | (?P<number> (?: 0[xX][0-9a-fA-F_]+ | 0[bB][01_]+ | 0[oO][0-7_]+
        | (?: [0-9][0-9_]*\.?[0-9_]* | \.[0-9][0-9_]* ) (?:[eE][+-]?[0-9_]+)? [jJ]? ) )
  | (?P<name> \w+ )
  | (?P<op> \*\*= | //= | >>= | <<= | \.\.\. | != | == | <= | >= | -> | := | \+= | -= | \*= | /= | %= | &= | \|= | \^=
        | @= | \*\* | // | << | >> | [-+*/%@&|^~<>()\[\]{},:;.=] )
  | (?P<stray> . )
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A word or sign.

    Attributes:
        kind: ``name`` (keywords too), ``number``, ``string``, ``open`` (a string without an end), ``op``, ``comment``,
            ``newline``, or ``stray`` for what has no place in Python.
        text: It as it stands there.
        start: Where it begins, as an index into the text.
        line: Its line, from 1.
    """

    kind: str
    text: str
    start: int
    line: int

    @property
    def end(self) -> int:
        """The index behind it."""
        return self.start + len(self.text)

    @property
    def operand(self) -> bool:
        """Whether a value may end or begin with it."""
        return self.kind in {"number", "string"} or (
            self.kind == "name" and (self.text not in KEYWORDS or self.text in {"None", "True", "False"})
        )


def tokens_of(text: str) -> list[Token]:
    """The words and signs of a text, whatever is wrong with it; white space is left out."""
    found = []
    line = 1
    for match in _TOKEN.finditer(text):
        kind, said = match.lastgroup or "", match.group()
        if kind != "space":
            found.append(Token(kind, said, match.start(), line))
        if "\n" in said or "\r" in said:
            line += said.count("\n") + said.count("\r") - said.count("\r\n")
    return found
