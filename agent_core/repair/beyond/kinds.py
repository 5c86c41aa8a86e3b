"""Of which kind a finding is, and so what may be done about it."""

from __future__ import annotations

import re

from agent_core.checks.model import SYNTAX_CODES, Finding
from agent_core.repair.model import Kind

_SYNTAX_ERROR = re.compile(r"(?:SyntaxError|IndentationError|TabError)\b")
_NAME_CODES = frozenset({"F821", "F822", "name-defined", "import-not-found", "used-before-def"})
_NAME_ERROR = re.compile(
    r"(?:NameError|ImportError|ModuleNotFoundError|AttributeError)\b|TypeError: .* unexpected keyword argument"
)


def kind_of(finding: Finding) -> Kind | None:
    """Of which kind a finding is; None where there is nothing to be done beyond tests."""
    if finding.check == "syntax" or finding.code in SYNTAX_CODES:
        return "syntax"
    if finding.check == "pytest":
        if _SYNTAX_ERROR.match(finding.message):
            return "syntax"
        return "names" if _NAME_ERROR.match(finding.message) else None
    if finding.code in _NAME_CODES or finding.message.startswith('Module "'):
        return "names"
    return "types" if finding.check == "mypy" else "lint" if finding.check == "ruff" else None
