"""Templates: each makes variants of one kind at a node of any program.

A template is called with every node that begins on a suspicious line (and with the statement around it, where that
begins on an earlier one), so it looks at the node's type first and gives nothing for those that are not its own. It
knows no program, test or constant; whatever it puts in comes from the file, the project or the language.

`cost` of a variant: 1.0 for what people get wrong every day (``<`` for ``<=``, one too many), 2.0 for what they get
wrong now and then (another variable, a missing guard), 4.0 and more for what is rather a way around the mistake.
What is wrong for certain, such as a name that is nowhere, costs less than 1.0.
The search tries the product of suspicion and cost from the best on, so a template gives its variants in order.

Where the same text comes of two templates, it is tried once, at the lower cost.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source

Template = Callable[[Source, ast.AST, Project], Iterator[Variant]]
"""Makes variants at a node of a source, which is a file of the project."""
