"""The templates of names, calls and whole statements."""

from __future__ import annotations

from agent_core.repair.templates import Template
from agent_core.repair.templates.attributes import ATTRIBUTES
from agent_core.repair.templates.calls import CALLS
from agent_core.repair.templates.names import NAMES

STATEMENTS: tuple[Template, ...] = (
    *NAMES,
    *ATTRIBUTES,
    *CALLS,
)
