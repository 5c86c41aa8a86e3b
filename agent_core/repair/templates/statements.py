"""The templates of names, calls and whole statements."""

from __future__ import annotations

from agent_core.repair.templates import Template
from agent_core.repair.templates.assignments import ASSIGNMENTS
from agent_core.repair.templates.attributes import ATTRIBUTES
from agent_core.repair.templates.branches import BRANCHES
from agent_core.repair.templates.calls import CALLS
from agent_core.repair.templates.conversions import CONVERSIONS
from agent_core.repair.templates.definitions import DEFINITIONS
from agent_core.repair.templates.entries import ENTRIES
from agent_core.repair.templates.guards import GUARDS
from agent_core.repair.templates.imports import IMPORTS
from agent_core.repair.templates.loops import LOOPING
from agent_core.repair.templates.missing import MISSING
from agent_core.repair.templates.mixed_up import MIXED_UP
from agent_core.repair.templates.moves import MOVES
from agent_core.repair.templates.names import NAMES
from agent_core.repair.templates.raising import RAISING
from agent_core.repair.templates.renaming import RENAMING
from agent_core.repair.templates.returns import RETURNS

STATEMENTS: tuple[Template, ...] = (
    *RENAMING,
    *NAMES,
    *MIXED_UP,
    *IMPORTS,
    *ATTRIBUTES,
    *CALLS,
    *ENTRIES,
    *ASSIGNMENTS,
    *RETURNS,
    *MOVES,
    *BRANCHES,
    *RAISING,
    *GUARDS,
    *MISSING,
    *LOOPING,
    *DEFINITIONS,
    *CONVERSIONS,
)
