"""Values and texts for evidence: short, never raising, with what looks like a secret masked.

Part of the plug-in `pairloop_pytest`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import builtins
import re
import reprlib
from typing import Any

MASK = "***"
_MAX_REPR = 240
# A foreign representation may be of any length; more of it is not looked through for secrets, as it isn't shown.
_MAX_LOOK = 20_000
_MAX_SECRETS = 200

# Parts of names that say the value is a secret, whatever it is.
_HARD = (
    r"(?:passw(?:or)?d|passwd|passphrase|passcode|pwd|secret|credential|creds|(?:private|api|access|auth|signing"
    r"|encryption|account|master)[_-]?key|authori[sz]ation|connection[_-]?string|dsn|cookie|session[_-]?id)"
)
# Parsers have tokens too: a short one is shown.
_SOFT = r"(?:token(?!i[sz])|bearer|(?<![a-z])auth(?![a-z]))"
_NAME = rf"(?:{_HARD}|{_SOFT})"
_HARD_NAME = re.compile(_HARD, re.IGNORECASE)
_SOFT_NAME = re.compile(_SOFT, re.IGNORECASE)
_SHORT_TOKEN = 5

_QUOTED = r"(?:[rbuRBUf]{0,2})(?:'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\")"
_ANY_QUOTED = re.compile(_QUOTED)
# Every pattern begins with something definite and looks only so far, so that no text takes long to look through.
# 'password': 'x', password='x', ('password', 'x'), password: str = "x", headers["password"] = "x"
_ITEM = re.compile(
    rf"({_NAME}[\w.-]{{0,40}}['\"]?\s{{0,9}}\]?\s{{0,9}}"
    rf"(?::[^=\n'\"]{{0,40}}=|[:=]=?|(?<=['\"]),)\s{{0,9}})({_QUOTED})",
    re.IGNORECASE,
)
# token=x in a query or a connection string
_BARE = re.compile(rf"({_NAME}[\w.-]{{0,40}}=)(?![=\s'\"(\[{{*])[^\s,&;'\"()\[\]{{}}]{{4,}}", re.IGNORECASE)
_SHAPES = re.compile(
    r"\b(?:sk-[\w-]{16,}|[sr]k_(?:live|test)_\w{10,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|xox[abeoprs]-[\w-]{10,}|A[KS]IA[0-9A-Z]{16}|AIza[\w-]{30,}|hf_\w{20,}|npm_\w{30,}|pypi-[\w-]{30,}"
    r"|eyJ[\w-]{8,2000}\.[\w-]{8,2000}(?:\.[\w-]*)?)"
)
_HEADER = re.compile(r"\b((?:Bearer|Basic|Digest)\s{1,9})(?=[\w.~+/=-]{0,500}[\d=._-])[\w.~+/=-]{8,}", re.IGNORECASE)
_URL = re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@'\"]{0,200}:)[^\s@/'\"]{1,500}(@)", re.IGNORECASE)
_PEM = re.compile(
    r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----).*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)


def cut(text: str, limit: int) -> str:
    """The head and the tail of a text that is longer than a limit."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return text[:half] + "\n[... %d characters left out ...]\n" % (len(text) - 2 * half) + text[-half:]  # noqa: UP031 - old Pythons


def _item(match: re.Match[str]) -> str:
    before, quoted = match.group(1), match.group(2)
    inside = quoted.lstrip("rbuRBUf")[1:-1]
    short = len(inside) <= _SHORT_TOKEN and not _HARD_NAME.search(before)
    return match.group(0) if short or not inside else before + "'" + MASK + "'"


def mask_source(line: str) -> str:
    """A line of source with the literals masked that look like secrets."""
    return _ITEM.sub(_item, _URL.sub(r"\1" + MASK + r"\2", _SHAPES.sub(MASK, line)))


def mask(text: str) -> str:
    """A text with everything masked that looks like a secret by its shape or by the name before it."""
    text = _PEM.sub(r"\1" + MASK, text)
    text = _HEADER.sub(r"\1" + MASK, mask_source(text))
    return _BARE.sub(r"\1" + MASK, text)


def masked_cut(text: str, limit: int) -> str:
    """`mask` and `cut`: masked first, as a secret that is cut is not known for one any more."""
    if len(text) > 2 * _MAX_LOOK:
        text = cut(text, 2 * _MAX_LOOK)
    return cut(mask(text), limit)


class Show(reprlib.Repr):
    """Short representations that never raise; remembers the secrets it met, so that they can be hidden elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets: dict[str, None] = {}
        self.maxstring = self.maxother = self.maxlong = _MAX_REPR - 40
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = self.maxarray = 12
        self.maxdict = 12
        self.maxlevel = 4

    def repr_str(self, x: str, level: int) -> str:
        """A string, masked before it is cut."""
        return super().repr_str(mask(x[:_MAX_LOOK]) + x[_MAX_LOOK:], level)

    def repr_instance(self, x: Any, level: int) -> str:
        """Anything else, masked before it is cut."""
        del level
        if isinstance(x, (bytes, bytearray)) and len(x) > _MAX_LOOK:
            x = x[:_MAX_LOOK]
        text = mask(builtins.repr(x)[:_MAX_LOOK])
        return text if len(text) <= self.maxother else text[: self.maxother - 3] + "..."

    def repr_dict(self, x: Any, level: int) -> str:
        """A dictionary in its own order, the values of names that speak of secrets masked."""
        if level <= 0:
            return "{...}" if x else "{}"
        parts = []
        for key, value in list(x.items())[: self.maxdict]:
            shown = self._named(key, value, level - 1) if isinstance(key, str) else self.repr1(value, level - 1)
            parts.append(self.repr1(key, level - 1) + ": " + shown)
        if len(x) > self.maxdict:
            parts.append("...")
        return "{" + ", ".join(parts) + "}"

    def _named(self, name: str, value: Any, level: int) -> str:
        if value is None or isinstance(value, bool):
            return self.repr1(value, level)
        if _HARD_NAME.search(name):
            if isinstance(value, (str, bytes)):
                self._remember(value)
                return "'" + MASK + "'" if value else self.repr1(value, level)
            text = _ANY_QUOTED.sub("'" + MASK + "'", self.repr1(value, level))
            return re.sub(r"\b\d+(?:\.\d+)?\b", MASK, text) if isinstance(value, (int, float)) else text
        if _SOFT_NAME.search(name) and isinstance(value, (str, bytes)) and len(value) > _SHORT_TOKEN:
            return "'" + MASK + "'"
        return self.repr1(value, level)

    def _remember(self, value: str | bytes) -> None:
        text = value if isinstance(value, str) else value.decode("latin-1")
        # A mere word stands for itself in many places.
        if 6 <= len(text) <= 500 and not text.isalpha() and len(self._secrets) < _MAX_SECRETS:
            self._secrets[text] = None

    def hide(self, told: Any) -> Any:
        """A text, or lists and dictionaries with texts in them, without the secrets that were met so far."""
        if isinstance(told, str):
            for secret in self._secrets:
                told = told.replace(secret, MASK)
            return told
        if isinstance(told, dict):
            return {key: self.hide(value) for key, value in told.items()}
        return [self.hide(value) for value in told] if isinstance(told, (list, tuple)) else told

    def show(self, name: str, value: Any) -> str:
        """A bounded representation of a variable, with what looks like a secret masked."""
        try:
            text = mask(self._named(name, value, self.maxlevel))
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a foreign __repr__ may raise anything
            return "<repr raised " + type(error).__name__ + ">"
        return text if len(text) <= _MAX_REPR else text[: _MAX_REPR - 3] + "..."
