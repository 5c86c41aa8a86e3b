r"""The text of a file's bytes, and the bytes of a text: exactly back and forth, or not at all.

Which encoding a file is in is told by the file alone, and nothing is ever guessed:

1. A byte order mark: UTF-8, UTF-16 or UTF-32 (Unicode Standard, 23.8). The mark stays in the text as ``\ufeff``.
2. A coding line, the first or second one, as PEP 263 (``# coding: latin-1``), Emacs (``-*- coding: euc-jp -*-``) or
   Vim (``vim: set fileencoding=cp1252``) write it, if it names an encoding in which ASCII is ASCII. Where the bytes are
   valid UTF-8 beyond ASCII all the same, they are that: what the line says is then not what the file holds.
3. UTF-8.

A text is one only if it encodes to the same bytes again; everything else is binary.
"""

from __future__ import annotations

import codecs
import re
import string
from collections import Counter
from functools import lru_cache

from agent_core.errors import PairloopError

MARK = "\ufeff"
UTF8 = "utf-8"

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = frozenset(codec for _, codec in _MARKS)
_CODING = (
    re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII),
    re.compile(r"-\*-.*?\bcoding[ \t]*:[ \t]*([-\w.]+).*-\*-", re.ASCII),
    re.compile(r"\bvim?:.*\b(?:fileencoding|fenc)=([-\w.]+)", re.ASCII),
)
_COMMENT_OR_BLANK = re.compile(r"[ \t\f]*(?:#|\r?$)")
_SEQUENCES = rb"\n\x41\u0041 +AGE- =41 ~{VPND~} &#65;"
_LINE_ENDS = re.compile(r"-(?:unix|dos|mac)$")


class NotTextError(PairloopError):
    """Bytes that are no text, or a text that its encoding cannot hold.

    The message reads on from a file's name, such as ``is not UTF-8 (line 3), ...``.
    """


def decode(data: bytes) -> tuple[str, str]:
    """The text of some content.

    Args:
        data: The content.

    Returns:
        The text, its byte order mark included, and the codec for `encode`.

    Raises:
        NotTextError: It is binary, or not valid in its encoding.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            text = _exactly(data, codec)
            if text is not None:
                return text, codec
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise NotTextError("begins like UTF-16 but is not valid UTF-16, so a patch cannot change it safely.")
    if b"\0" in data:
        raise NotTextError("is a binary file, which a patch cannot change.")
    codec = UTF8 if data.startswith(codecs.BOM_UTF8) else declared(_head(data))
    if codec != UTF8 and not data.isascii() and _exactly(data, UTF8) is not None:
        codec = UTF8
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotTextError(f"is not {_name(codec)} (line {line}), so a patch cannot change it safely.") from error
    if codec != UTF8 and _encoded(text, codec) != data:
        raise NotTextError(
            f"cannot be written in {_name(codec)} with the same bytes again, so a patch cannot change it."
        )
    return text, codec


def text_of(data: bytes) -> str | None:
    """The text of some content; None when it is binary or not valid in its encoding."""
    try:
        return decode(data)[0]
    except NotTextError:
        return None


def readable(data: bytes) -> str | None:
    """The text of some content for reading only.

    Args:
        data: The content.

    Returns:
        Its text, with U+FFFD for what is not valid; None when it is binary.
    """
    try:
        return decode(data)[0]
    except NotTextError:
        return None if b"\0" in data else data.decode("utf-8", "replace")


def encode(text: str, codec: str) -> bytes:
    """The bytes of a text.

    Args:
        text: The text. One in UTF-16 or UTF-32 gets a byte order mark if it has none: it could not be read without.
        codec: As `decode` gave it.

    Raises:
        NotTextError: The codec has no bytes for some character; the message names it and its line.
    """
    if codec in _WIDE and text and not text.startswith(MARK):
        text = MARK + text
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        char = text[error.start]
        line = text.count("\n", 0, error.start) + 1
        shown = f"{char!r} (U+{ord(char):04X})" if char.isprintable() else f"U+{ord(char):04X}"
        raise NotTextError(
            f"is in {_name(codec)}, which has no {shown}; line {line} of the new text needs it.",
            "Write it with other characters or as an escape.",
        ) from error


def rewrite(old: bytes, new: str) -> bytes:
    """The bytes of what becomes of a file, in the file's own encoding: lines that stay keep their bytes.

    Args:
        old: What the file holds; empty for a new one.
        new: Its new text.

    Raises:
        NotTextError: The encoding cannot hold it, or the new text says another encoding than it had and
            lines that stay would mean something else in that.
    """
    text, codec = decode(old)
    if "\0" in new:
        raise NotTextError(f"would get a NUL character in line {new.count(chr(10), 0, new.index(chr(0))) + 1}.")
    if codec in _WIDE:
        return encode(new, codec)
    was = UTF8 if text.startswith(MARK) else declared(text)
    says = UTF8 if new.startswith(MARK) else declared(new)
    if says == codec or (says == was and _more(text, new) == ""):
        return encode(new, codec)
    if says == was:
        raise NotTextError(
            f"says that it is in {_name(says)} but holds {_name(codec)}, so it is not clear in which of them to write "
            f"{_more(text, new)!r}.",
            "Mend its coding line first, in a patch of its own.",
        )
    if _encoded(text, says) != old:
        raise NotTextError(
            f"is in {_name(codec)}; under a coding line with {_name(says)} its other lines would read differently.",
            "Leave the coding line as it is.",
        )
    return encode(new, says)


def decode_alike(*contents: bytes) -> tuple[tuple[str, ...], str] | None:
    """The texts of several contents of one file, if a line that is the same in two of them is the same bytes too.

    Args:
        contents: Any number of contents.

    Returns:
        Their texts and the codec all of them can be written in; None when there is no such codec.

    Raises:
        NotTextError: One of them is no text.
    """
    texts, codecs_used = zip(*map(decode, contents), strict=True)
    for codec in dict.fromkeys(codecs_used):
        if all(_encoded(text, codec) == data for text, data in zip(texts, contents, strict=True)):
            return texts, codec
    return None


def declared(text: str) -> str:
    """The codec that a text's coding line names; UTF-8 where there is none or it names nothing usable."""
    lines = text[:2000].split("\n", 2)[:2]
    for number, line in enumerate(lines):
        if number and not _COMMENT_OR_BLANK.match(lines[0]):
            break
        for form in _CODING:
            found = form.search(line)
            if found:
                return _codec(found[1].lower().replace("_", "-"))
    return UTF8


def _head(data: bytes) -> str:
    """The first lines as far as ASCII goes, in which a coding line is looked for."""
    head = data[:2000]
    return head.decode("latin-1") if b"coding" in head or b"fenc=" in head else ""


@lru_cache(maxsize=256)
def _codec(name: str) -> str:
    """The codec of a name, if ASCII is ASCII in it; else UTF-8."""
    try:
        codec = codecs.lookup(_LINE_ENDS.sub("", name)).name
        # Character by character, since some encodings give only sequences of them another meaning; then such sequences.
        plain = all(char.encode().decode(codec) == char for char in string.printable)
        plain = plain and _SEQUENCES.decode(codec).encode() == _SEQUENCES
    except (LookupError, UnicodeError, ValueError):
        return UTF8
    return codec if plain and codec not in {"utf-8-sig", "cp65001"} else UTF8


def _name(codec: str) -> str:
    return codec.upper().replace("ISO", "ISO-", 1) if codec.startswith(("utf", "iso", "ascii")) else codec


def _exactly(data: bytes, codec: str) -> str | None:
    """The text of bytes that are nothing but text in a codec."""
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return None
    return text if "\0" not in text and _encoded(text, codec) == data else None


def _encoded(text: str, codec: str) -> bytes | None:
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return None


def _more(old: str, new: str) -> str:
    """A character beyond ASCII that a text has oftener than it had; empty when there is none."""
    beyond = Counter(char for char in new if char > "\x7f")
    return next(iter(beyond - Counter(char for char in old if char > "\x7f")), "") if beyond else ""
