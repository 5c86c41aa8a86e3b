"""The templates that change expressions."""

from __future__ import annotations

from agent_core.repair.templates import Template
from agent_core.repair.templates.alike import ALIKE
from agent_core.repair.templates.arithmetic import ARITHMETIC
from agent_core.repair.templates.booleans import BOOLEANS
from agent_core.repair.templates.comparisons import COMPARISONS
from agent_core.repair.templates.comprehensions import OF_COMPREHENSIONS
from agent_core.repair.templates.conditions import CONDITIONS
from agent_core.repair.templates.constants import CONSTANTS
from agent_core.repair.templates.extensions import EXTENSIONS
from agent_core.repair.templates.fields import FIELDS
from agent_core.repair.templates.methods import METHODS
from agent_core.repair.templates.patterns import PATTERNS
from agent_core.repair.templates.slices import SLICES
from agent_core.repair.templates.unpacking import UNPACKING
from agent_core.repair.templates.wraps import WRAPS

EXPRESSIONS: tuple[Template, ...] = (
    *COMPARISONS,
    *BOOLEANS,
    *ARITHMETIC,
    *CONSTANTS,
    *SLICES,
    *METHODS,
    *CONDITIONS,
    *WRAPS,
    *ALIKE,
    *FIELDS,
    *EXTENSIONS,
    *UNPACKING,
    *OF_COMPREHENSIONS,
    *PATTERNS,
)
