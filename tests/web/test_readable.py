"""A page as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent_core.web.readable import html_text

PAGE = """<!doctype html><html><head><title> A  page </title><style>p { color: red }</style>
<script>alert("<p>no</p>")</script></head><body><nav><a href="/">Home</a></nav>
<h1>Head</h1><p>One <b>two</b>
three<br>four &amp; five</p><ul><li>a<li>b <i>c</i></ul>
<pre>def f():
    return  1 &lt; 2</pre>
<table><tr><th>x<th>y</tr><tr><td>1</td><td>2</td></tr></table>
<footer>imprint</footer><svg><title>icon</title></svg>last</body></html>"""


def test_what_a_reader_sees() -> None:
    said = html_text(PAGE)
    assert said.startswith("A page\n\n# Head\n\nOne two three\nfour & five\n\n- a\n- b c\n\n")
    assert "```\ndef f():\n    return  1 < 2\n```" in said
    assert "1 | 2 |" in said
    assert said.endswith("last")
    for hidden in ("alert", "color", "Home", "imprint", "icon"):
        assert hidden not in said


@given(st.text("<>/!-&;=\"' abpre script style nav li h1\n", max_size=200))
def test_nothing_breaks_it(page: str) -> None:
    html_text(page)
