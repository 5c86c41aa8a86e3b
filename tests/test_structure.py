"""How the modules hang together, beyond what the import contracts say."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

import grimp


def test_no_module_needs_itself_by_way_of_others() -> None:
    """Not by an import that waits in a function either: what is imported for types alone does not count."""
    graph = grimp.build_graph("agent_core", "tui", cache_dir=None, exclude_type_checking_imports=True)
    needs = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert list(_circle(needs)) == []


def _circle(needs: dict[str, set[str]]) -> Iterator[str]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        yield from error.args[1]
