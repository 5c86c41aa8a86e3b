"""Keeping secrets out of what leaves the journal: values that the environment names as secret, and known forms."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent_core.keys.known import KNOWN
from agent_core.sandbox.environment import is_secret

MASKED = "[secret]"
_SHORTEST = 8
"""Shorter values are words such as ``true``, which would be masked wherever they stand."""

_FORMS = re.compile(
    # keys of services, by the prefixes they give them
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{20,}|\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{35}"
    r"|\bhf_[A-Za-z0-9]{30,}|\bnpm_[A-Za-z0-9]{36}|\bpypi-[A-Za-z0-9_-]{50,}"
    # JSON web tokens
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    # what follows a word that says so, in headers
    r"|(?<=[Bb]earer )[A-Za-z0-9._~+/-]{16,}=*|(?<=BEARER )[A-Za-z0-9._~+/-]{16,}=*"
    # private keys, as a whole
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
# What a header says after the name of its scheme: too short, or too much like a word, to be told by itself.
_HEADER = re.compile(
    r"""(?i)(authorization["']?\s*[:=,]\s*[bfru]?["']?(?:basic|bearer|token|digest|apikey)\s+)[^\s"',]{4,}"""
)
# The password in an address.
_ADDRESS = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]+(?=@)")

# A text that was made shorter ends, or begins, in the middle of whatever stood there.
_CUT = re.compile(r"\n?\[\.\.\. \d+ [a-z]+ left out \.\.\.\]\n?")
_BEGUN = re.compile(
    r"(?:\b(?:sk|pk|rk)-[A-Za-z0-9_-]{6,}|\b(?:sk|rk)_(?:live|test)_\w*|\bgh[pousr]_\w{4,}|\bgithub_pat_\w*|\bglpat-[\w-]*"
    r"|\bxox[abeprs]-[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{4,}|\bAIza[\w-]{4,}|\bhf_[A-Za-z0-9]{6,}|\bnpm_[A-Za-z0-9]{6,}"
    r"|\bpypi-[\w-]{10,}|\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){0,2}|(?i:bearer [A-Za-z0-9._~+/-]{4,}))\Z"
)
_REST_OF_KEY = re.compile(r"\A(?:[ +-]?[A-Za-z0-9+/=]*\n)*[ +-]?-----END [A-Z ]*PRIVATE KEY-----")


class Masker:
    """Takes secrets out of texts.

    Args:
        environ: The environment; the values of variables whose names say so are secret.
        key_env: Name of a variable that is secret whatever it is called; empty for none.
    """

    def __init__(self, environ: Mapping[str, str], key_env: str = "") -> None:
        values = {
            value for name, value in environ.items() if len(value) >= _SHORTEST and is_secret(name, key_env=key_env)
        }
        # The longest first: of two secrets one may be the beginning of the other.
        self._values = sorted(values, key=lambda value: (-len(value), value))

    def __call__(self, text: str) -> str:
        """A text without the secrets in it, and with as many lines; also without those that it was cut in."""
        text = KNOWN.redact(text)
        for value in self._values:
            text = text.replace(value, _in_place(value))
        text = _FORMS.sub(lambda found: _in_place(found[0]), text)
        text = _HEADER.sub(rf"\1{MASKED}", text)
        return self._uncut(_ADDRESS.sub(rf"\1:{MASKED}", text))

    def _uncut(self, text: str) -> str:
        """A text without the parts of secrets that stand where it was made shorter, if it says that it was."""
        cuts = [found.span() for found in _CUT.finditer(text)]
        if not cuts:
            return text
        parts, at = [], 0
        for start, end in [*cuts, (len(text), len(text))]:
            piece = text[at:start]
            if at:
                piece = _REST_OF_KEY.sub(lambda found: _in_place(found[0]), piece)
                rest = max((_rest(piece, value) for value in self._values), default=0)
                piece = MASKED + piece[rest:] if rest else piece
            if start < len(text):
                piece = _BEGUN.sub(MASKED, piece)
                begun = max((_begun(piece, value) for value in self._values), default=0)
                piece = piece[:-begun] + MASKED if begun else piece
            parts += [piece, text[start:end]]
            at = end
        return "".join(parts)


def _in_place(secret: str) -> str:
    """What stands in the place of a secret: the lines after it stay where they are."""
    return MASKED + "\n" * secret.count("\n")


def _begun(piece: str, value: str) -> int:
    """How much of a secret a text ends with; nothing where it could be anything."""
    most = range(min(len(value) - 1, len(piece)), _SHORTEST // 2 - 1, -1)
    return next((count for count in most if piece.endswith(value[:count])), 0)


def _rest(piece: str, value: str) -> int:
    """How much of the end of a secret a text begins with."""
    most = range(min(len(value) - 1, len(piece)), _SHORTEST // 2 - 1, -1)
    return next((count for count in most if piece.startswith(value[-count:])), 0)
