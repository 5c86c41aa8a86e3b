"""What commands write for those who read it line by line."""

from __future__ import annotations

import io
import json

from agent_core.output import JsonWriter


def test_an_object_is_one_line_whatever_a_reader_takes_for_the_end_of_one() -> None:
    text = "\x1b[2J a\u2028b\u2029c\u0085d\x0be\x1cf\r\n\ud800"
    out = io.StringIO()
    JsonWriter(out).write({"text": text})
    (line,) = out.getvalue().splitlines()
    assert json.loads(line)["text"] == text.replace("\ud800", "\ufffd")
    assert "\x1b" not in line
