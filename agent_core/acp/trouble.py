"""What cannot be done, as the protocol's errors: a sentence, and what to do about it."""

from __future__ import annotations

from acp import RequestError

from agent_core.errors import LOGGED, PairloopError, PartnerError

AUTH = -32000
NOT_FOUND = -32002
_PARAMS, _INTERNAL = -32602, -32603


def failure(error: Exception, code: int = _INTERNAL) -> RequestError:
    """An error of pairloop's own (or a defect, which the log has) as one of the protocol's."""
    if isinstance(error, PairloopError):
        if isinstance(error, PartnerError) and error.kind == "auth":
            code = AUTH
        return RequestError(code, str(error), {"message": error.message, "hint": error.hint})
    return RequestError(_INTERNAL, f"pairloop itself failed: {type(error).__name__}: {error}. {LOGGED}")


def wrong(words: str) -> RequestError:
    """What was asked for makes no sense."""
    return RequestError(_PARAMS, words)
