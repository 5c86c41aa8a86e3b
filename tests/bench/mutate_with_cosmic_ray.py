"""Asks cosmic-ray for mutations; runs in an environment that has it, with nothing of pairloop's.

The request is JSON: ``paths`` for all mutations that its operators without arguments know, or one of these for the text
it makes. What comes of it is written to the file ``answer`` as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def every(paths: list[str]) -> Iterator[dict[str, Any]]:
    """All mutations of some files, as cosmic-ray's own ``init`` counts them."""
    plugins, tree = importlib.import_module("cosmic_ray.plugins"), importlib.import_module("cosmic_ray.ast")
    for path in paths:
        nodes = list(tree.ast_nodes(tree.get_ast_from_path(Path(path))))
        for name in sorted(plugins.operator_names()):
            kind = plugins.get_operator(name)
            if kind.arguments():
                continue
            operator = kind()
            places = (place for node in nodes for place in operator.mutation_positions(node))
            for occurrence, place in enumerate(places):
                yield {"path": path, "operator": name, "occurrence": occurrence, "start": list(place[0])}


def one(path: str, name: str, occurrence: int) -> str | None:
    """The text of a file with a mutation; None where it makes none."""
    mutating, plugins = importlib.import_module("cosmic_ray.mutating"), importlib.import_module("cosmic_ray.plugins")
    text = Path(path).read_bytes().decode()
    made: str | None = mutating.mutate_code(text, plugins.get_operator(name)(), occurrence)
    return made


def main() -> None:
    """Answer one request."""
    request = json.loads(sys.argv[1])
    if "paths" in request:
        answer: Any = list(every(request["paths"]))
    else:
        answer = one(request["path"], request["operator"], request["occurrence"])
    Path(request["answer"]).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
