from __future__ import annotations

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from agent_core.patch.encoding import MARK, NotTextError, declared, decode, decode_alike, encode, readable, rewrite

E_ACUTE = "\u00e9"
JAPANESE = "\u65e5\u672c"

TEXTS = {
    "empty": (b"", "", "utf-8"),
    "ascii": (b"a\n", "a\n", "utf-8"),
    "utf-8": (b"\xc3\xa9\n", "\u00e9\n", "utf-8"),
    "utf-8 with its mark": (b"\xef\xbb\xbf\xc3\xa9", "\ufeff\u00e9", "utf-8"),
    "only a mark": (b"\xef\xbb\xbf", "\ufeff", "utf-8"),
    "only a mark of UTF-16": (b"\xff\xfe", "\ufeff", "utf-16-le"),
    "utf-16, little end first": (b"\xff\xfea\0\n\0", "\ufeffa\n", "utf-16-le"),
    "utf-16, big end first": (b"\xfe\xff\0a\0\n", "\ufeffa\n", "utf-16-be"),
    "utf-16 without a NUL byte": (b"\xff\xfe\x2d\x4e\x0a\x4e", "\ufeff\u4e2d\u4e0a", "utf-16-le"),
    "utf-32, little end first": (b"\xff\xfe\0\0a\0\0\0", "\ufeffa", "utf-32-le"),
    "utf-32, big end first": (b"\0\0\xfe\xff\0\0\0a", "\ufeffa", "utf-32-be"),
    "other line breaks": ("a\x0cb\x85c\u2028d\re".encode(), "a\x0cb\x85c\u2028d\re", "utf-8"),
    "coding line": (b"# coding: latin-1\n\xe9\n", f"# coding: latin-1\n{E_ACUTE}\n", "iso8859-1"),
    "coding line of ASCII": (b"# coding=cp1252\na\n", "# coding=cp1252\na\n", "cp1252"),
    "second line": (b"#!/bin/python\n# -*- coding: latin-1 -*-\n\xe9\n",
        f"#!/bin/python\n# -*- coding: latin-1 -*-\n{E_ACUTE}\n", "iso8859-1"),
    "Emacs": (b"/* -*- mode: c; coding: euc-jp-unix -*- */\n\xc6\xfc\xcb\xdc",
        f"/* -*- mode: c; coding: euc-jp-unix -*- */\n{JAPANESE}", "euc_jp"),
    "Vim": (b"// vim: set ts=4 fenc=cp932 :\n\x93\xfa\x96\x7b",
        f"// vim: set ts=4 fenc=cp932 :\n{JAPANESE}", "cp932"),
    "trail bytes like a backslash": ("# coding: shift_jis\n\u8868\n".encode("shift_jis"),
        "# coding: shift_jis\n\u8868\n", "shift_jis"),
    "coding line that is wrong": (b"# coding: latin-1\n\xc3\xa9\n", f"# coding: latin-1\n{E_ACUTE}\n", "utf-8"),
    "mark and coding line": (b"\xef\xbb\xbf# coding: cp1252\n\xc3\xa9", f"\ufeff# coding: cp1252\n{E_ACUTE}", "utf-8"),
    "no such encoding": (b"# coding: klingon\n\xc3\xa9", f"# coding: klingon\n{E_ACUTE}", "utf-8"),
    "no encoding of text": (b"# coding: rot13\na", "# coding: rot13\na", "utf-8"),
    "an encoding in which ASCII is not ASCII": (b"# coding: utf-7\na+b", "# coding: utf-7\na+b", "utf-8"),
    "escapes stay escapes": (b"# coding: unicode_escape\n\\n", "# coding: unicode_escape\n\\n", "utf-8"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "text", "codec"), TEXTS.values(), ids=TEXTS.keys())
def test_text_there_and_back(data: bytes, text: str, codec: str) -> None:
    assert decode(data) == (text, codec)
    assert encode(text, codec) == data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a\0b", "is a binary file"),
        (b"\x89PNG\r\n\0", "is a binary file"),
        (b"a\nb\xff\n", "is not UTF-8 (line 2)"),
        (b"\xef\xbb\xbfa\n\n\xff", "is not UTF-8 (line 3)"),
        (b"\xc0\x80", "is not UTF-8 (line 1)"),
        (b"\xed\xa0\x80", "is not UTF-8 (line 1)"),
        (b"\xff\xfea", "is not valid UTF-16"),
        (b"\xff\xfe\0\xd8", "is not valid UTF-16"),
        (b"\xfe\xff\0a\0\0", "is not valid UTF-16"),
        (b"# coding: ascii\n\xe9", "is not ASCII (line 2)"),
        (b"# coding: cp1252\nx\n\x81", "is not cp1252 (line 3)"),
        (b"# coding: iso2022_jp\n\x1b(B\x1b(Ba\xff", "is not ISO-2022_JP (line 2)"),
        (b"x = 1\n# coding: latin-1\n\xe9", "is not UTF-8 (line 3)"),
        (b"#\n#\n# coding: latin-1\n\xe9", "is not UTF-8 (line 4)"),
    ],
)
def test_what_is_no_text(data: bytes, said: str) -> None:
    with pytest.raises(NotTextError) as caught:
        decode(data)
    assert said in str(caught.value)


def test_bytes_that_would_come_back_otherwise_are_no_text() -> None:
    with pytest.raises(NotTextError, match="with the same bytes again"):
        decode(b"# coding: iso2022_jp\n\x1b$BF|\x1b(B\x1b$BK\\\x1b(B\n")


CODECS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "latin-1", "cp1252", "shift_jis", "gb18030")


@settings(max_examples=400)
@given(
    text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60),
    codec=st.sampled_from(CODECS),
)
def test_every_text_comes_back(text: str, codec: str) -> None:
    text = (MARK if codec.startswith("utf-") else f"# coding: {codec}\n") + text
    try:
        data = text.encode(codec)
    except UnicodeEncodeError:
        reject()
    if data.decode(codec, "replace") != text:
        # Shift JIS, for one, writes a yen sign as a backslash.
        reject()
    try:
        found, used = decode(data)
    except NotTextError as error:
        assert "with the same bytes again" in str(error)  # noqa: PT017 - the other outcome is judged below
        return
    assert encode(found, used) == data
    if used != "utf-8":
        assert found == text


@settings(max_examples=500)
@given(
    st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"# coding: gbk\n", b"# coding: euc-jp\n"]),
    st.binary(max_size=60),
)
def test_whatever_is_text_has_its_bytes_back(head: bytes, tail: bytes) -> None:
    try:
        text, codec = decode(head + tail)
    except NotTextError:
        return
    assert encode(text, codec) == head + tail
    assert rewrite(head + tail, text) == head + tail


NEW_LINES = st.lists(st.text(st.sampled_from("ab \t\r\x0c\x85\u00e9\u65e5"), max_size=6), min_size=1, max_size=8)


@settings(max_examples=300)
@given(lines=NEW_LINES, new=st.text(st.sampled_from("xy\u00e9\u65e5"), max_size=4), at=st.integers(0, 7),
       codec=st.sampled_from(CODECS))  # fmt: skip
def test_lines_that_stay_keep_their_bytes(lines: list[str], new: str, at: int, codec: str) -> None:
    head = MARK if codec.startswith("utf-") else f"# coding: {codec}\n"
    kept = [f"{line}\n" for line in lines]
    at = min(at, len(kept))
    try:
        pieces = [line.encode(codec) for line in [head, *kept]]
        data = b"".join(pieces)
        assume(decode(data)[1] != "utf-8" or codec == "utf-8")
    except (UnicodeEncodeError, NotTextError):
        reject()
    changed = head + "".join([*kept[:at], f"{new}\n", *kept[at:]])
    try:
        written = rewrite(data, changed)
    except NotTextError as error:
        with pytest.raises(UnicodeEncodeError):
            new.encode(codec)
        assert "which has no" in str(error)  # noqa: PT017 - the other outcome is judged below
    else:
        assert written == b"".join([*pieces[: at + 1], f"{new}\n".encode(codec), *pieces[at + 1 :]])


def refused(old: bytes, new: str) -> str:
    with pytest.raises(NotTextError) as caught:
        rewrite(old, new)
    return str(caught.value)


def test_new_text_is_in_the_files_encoding() -> None:
    assert rewrite(b"# coding: latin-1\n\xe9\n", f"# coding: latin-1\n{E_ACUTE}\n\u00fc\n").endswith(b"\xe9\n\xfc\n")
    assert rewrite(b"# coding: latin-1\na\n", f"# coding: latin-1\n{E_ACUTE}\n").endswith(b"\xe9\n")
    assert rewrite(b"\xff\xfea\0", "\ufeffab") == b"\xff\xfea\0b\0"
    assert rewrite(b"\xff\xfea\0", "b") == b"\xff\xfeb\0"
    assert rewrite(b"\xff\xfea\0", "") == b""
    assert rewrite(b"", f"# coding: latin-1\n{E_ACUTE}") == b"# coding: latin-1\n\xe9"
    assert rewrite(b"", E_ACUTE) == b"\xc3\xa9"


def test_what_the_encoding_cannot_hold_is_named() -> None:
    said = refused(b"# coding: latin-1\n\xe9\n", f"# coding: latin-1\n{E_ACUTE}\nx = '\u2192'\n")
    assert said.startswith("is in ISO-8859-1, which has no '\u2192' (U+2192); line 3 of the new text needs it.")
    assert "which has no U+DC80; line 2" in refused(b"a\n", "a\n\udc80\n")
    assert "would get a NUL character in line 2" in refused(b"a\n", "a\n\0\n")


def test_a_coding_line_changes_only_where_nothing_else_does_by_it() -> None:
    ascii_only = b"# coding: latin-1\nx = 1\n"
    assert rewrite(ascii_only, f"# coding: utf-8\nx = '{E_ACUTE}'\n") == b"# coding: utf-8\nx = '\xc3\xa9'\n"
    assert rewrite(ascii_only, f"x = '{E_ACUTE}'\n") == b"x = '\xc3\xa9'\n"
    said = refused(b"# coding: latin-1\n\xe9\n", f"# coding: utf-8\n{E_ACUTE}\n")
    assert "is in ISO-8859-1; under a coding line with UTF-8 its other lines would read differently" in said
    assert "would read differently" in refused(b"\xc3\xa9\n", f"# coding: latin-1\n{E_ACUTE}\n")


def test_a_file_that_is_not_what_its_coding_line_says() -> None:
    wrong = b"# coding: latin-1\n\xc3\xa9\n"
    assert rewrite(wrong, f"# coding: latin-1\n{E_ACUTE}\nx\n") == wrong + b"x\n"
    assert rewrite(wrong, "# coding: latin-1\n") == b"# coding: latin-1\n"
    assert rewrite(wrong, f"# coding: utf-8\n{E_ACUTE}\u00fc\n") == b"# coding: utf-8\n\xc3\xa9\xc3\xbc\n"
    assert "not clear in which of them to write '\u00fc'" in refused(wrong, f"# coding: latin-1\n{E_ACUTE}\u00fc\n")


def test_contents_that_share_an_encoding() -> None:
    latin, ascii_only = b"# coding: latin-1\n\xe9", b"x\n"
    assert decode_alike(latin, ascii_only, b"") == ((f"# coding: latin-1\n{E_ACUTE}", "x\n", ""), "iso8859-1")
    assert decode_alike(b"", b"\xff\xfea\0") == (("", "\ufeffa"), "utf-16-le")
    assert decode_alike(latin, b"\xc3\xa9") is None
    assert decode_alike(b"a\n", b"\xff\xfea\0\n\0") is None
    with pytest.raises(NotTextError):
        decode_alike(b"a", b"\0")


def test_what_is_only_read_may_have_gaps() -> None:
    assert readable(b"# coding: latin-1\n\xe9") == f"# coding: latin-1\n{E_ACUTE}"
    assert readable(b"a\xff") == "a\ufffd"
    assert readable(b"a\0") is None


@pytest.mark.parametrize(
    ("line", "codec"),
    [
        ("# This decoding: latin-1", "iso8859-1"),  # PEP 263 reads it so too.
        ("coding: latin-1", "utf-8"),
        ("x = 1  # coding: latin-1", "utf-8"),
        ("# coding : latin-1", "utf-8"),
        ("# -*- coding: utf8 -*-", "utf-8"),
        ("# coding: UTF_8-unix", "utf-8"),
        ("# coding: Latin_1-dos", "iso8859-1"),
        ("<!-- -*- coding: koi8-r -*- -->", "koi8-r"),
        ("\t# vim:fileencoding=koi8-r", "koi8-r"),
    ],
)
def test_coding_lines(line: str, codec: str) -> None:
    assert declared(f"{line}\n") == codec
