"""Keeping secrets out of what leaves the journal: values that the environment names as secret, and known forms."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
    r"|(?<=Bearer )[A-Za-z0-9._~+/-]{16,}=*"
    # private keys, as a whole
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
# The password in an address.
_ADDRESS = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]+(?=@)")


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
        """A text without the secrets in it."""
        for value in self._values:
            text = text.replace(value, MASKED)
        text = _FORMS.sub(MASKED, text)
        return _ADDRESS.sub(rf"\1:{MASKED}", text)
