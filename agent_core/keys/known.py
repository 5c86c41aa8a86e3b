"""The keys that this process knows, so that none of them is stored, logged, told, or handed to another program.

A key is known from the moment an `agent_core.partners.endpoint.Key` is made of it. What is kept or told goes through
`KnownKeys.redact` and its like at its source: the journal, the log, the exports.

No key that is known gets into a sandbox. The human's own programs (git and its hooks, their editor) go without those of
the partners in use alone: a variable that could also be a partner's key, such as ``GITHUB_TOKEN``, is mostly theirs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

MASKED = "[key]"
_SHORTEST = 12
"""Characters of the shortest key that is taken out of texts."""
_LONG = 20
"""From so many characters on a value is no word, whatever it is made of."""


def is_telling(value: str) -> bool:
    """Whether a value is a secret rather than a word such as ``local``, which stands in for a key where none is needed.

    A word that is taken for a secret would go missing in what the partner reads and writes.
    """
    if len(value) < _SHORTEST or any(sign.isspace() for sign in value):
        return False
    mixed = re.search(r"\d", value) is not None and re.search(r"[A-Za-z]", value) is not None
    return mixed or len(value) >= _LONG


class KnownKeys:
    """Keys, and texts without them."""

    def __init__(self) -> None:
        self._values: tuple[str, ...] = ()
        self._withheld: frozenset[str] = frozenset()
        self._forms: tuple[bytes, ...] = ()

    def add(self, value: str) -> None:
        """Take note of a key; what is too short or too plain for one is left alone."""
        if not is_telling(value) or value in self._values:
            return
        # The longest first: of two keys one may be the beginning of the other.
        self._values = tuple(sorted((*self._values, value), key=len, reverse=True))
        self._forms = tuple(dict.fromkeys(form for one in self._values for form in _in_json(one)))

    def withhold(self, value: str) -> None:
        """Take note of the key of a partner in use: from now on no other program gets it."""
        self.add(value)
        if value in self._values:
            self._withheld |= {value}

    def redact(self, text: str) -> str:
        """A text without the keys in it."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASKED)
        return text

    def redact_json(self, body: bytes) -> bytes:
        """JSON without the keys in its texts; the very same object where there are none."""
        for form in self._forms:
            if form in body:
                body = body.replace(form, MASKED.encode())
        return body

    def begun(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of a key that goes on in the next piece."""
        for value in self._values:
            for count in range(min(len(value) - 1, len(text)), 0, -1):
                if text.endswith(value[:count]):
                    return count
        return 0

    def without(self, environ: Mapping[str, str]) -> dict[str, str]:
        """An environment for the human's own programs: without the variables that hold the key of a partner in use."""
        withheld = self._withheld
        return {name: value for name, value in environ.items() if not any(one in value for one in withheld)}

    def are_in(self, text: str) -> bool:
        """Whether one of them is in a text."""
        return any(value in text for value in self._values)


def _in_json(value: str) -> tuple[bytes, ...]:
    """How a text looks in JSON, and in JSON that is itself a text in JSON, such as a tool call's arguments."""
    once = json.dumps(value, ensure_ascii=False)[1:-1]
    return once.encode(), json.dumps(once, ensure_ascii=False)[1:-1].encode()


KNOWN = KnownKeys()
"""Those of this process."""
