"""What of a README is for the eye alone."""

from __future__ import annotations

from pathlib import PurePath

from hypothesis import given
from hypothesis import strategies as st

from agent_core.prompt.project_docs import project_context
from agent_core.prompt.readme import undecorated

MARKDOWN = """\
<p align="center"><img src="logo.png" width="300"></p>

# humane

[![PyPI](https://img.example.org/pypi.svg)](https://pypi.example.org/humane)
[![Build][build-badge]][build]
![A picture](shot.png)

<!-- toc: made by
a tool -->

Turns numbers into [words](docs/words.md) &mdash; `![not](a picture)`:

| a | b |
|---|---|
| 1 | 2 |

```html
<p>stays</p>
![stays](too.png)
```
"""

RST = """\
humane
======

|version| |license|

.. image:: https://img.example.org/pypi.svg
   :target: https://pypi.example.org/humane
   :alt: PyPI

Turns numbers into words::

    <p>code</p>

.. |version| image:: https://img.example.org/v.svg
"""


def test_markdown_keeps_its_words_tables_and_code() -> None:
    text = undecorated(MARKDOWN)
    assert "img.example.org" not in text
    assert "logo.png" not in text
    assert "toc" not in text
    assert text.startswith("# humane\n\nTurns numbers into [words](docs/words.md)")
    assert "| a | b |\n|---|---|\n| 1 | 2 |" in text
    assert "```html\n<p>stays</p>\n![stays](too.png)\n```" in text


def test_restructured_text_loses_its_pictures() -> None:
    text = undecorated(RST)
    assert "img.example.org" not in text
    assert "|version|" not in text
    assert ":target:" not in text
    assert text.startswith("humane\n======\n\nTurns numbers into words::")


def test_the_partner_gets_it_so_and_other_documents_as_they_are() -> None:
    files = {"README.md": MARKDOWN.encode(), "AGENTS.md": b"![rules](stay.png)\n"}
    told = project_context(PurePath("/p/humane"), files.get, files, 4000)
    assert "![rules](stay.png)" in told
    assert "Turns numbers into" in told
    assert "img.example.org" not in told


@given(st.text(alphabet="ab <>!-[]()|`~\n.:", max_size=200))
def test_it_never_fails_and_adds_nothing(text: str) -> None:
    assert len(undecorated(text)) <= len(text)
