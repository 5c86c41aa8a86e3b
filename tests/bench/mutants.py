"""Makes the table of mutants: small mistakes put into packages by cosmic-ray, that the packages' own tests notice.

    python tests/bench/mutants.py [--each 22] [--seed 8] [--package NAME]

Of all mutations that cosmic-ray knows, at each place one of each kind (an operator can be replaced by ten others), in
an order drawn with a seed; those that no test notices are no use and left out. Needs the network once, for the packages
and for cosmic-ray, which lies in an environment of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from agent_core.process import run_blocking
from tests.bench.repair_cases import DATA, Case, between, cases, packages, write_lines
from tests.bench.repair_trees import Opened, changed, environment, home, lay, opened, python_files, shut_in

_LIMIT = 90.0
_TOOL = Path(__file__).with_name("mutate_with_cosmic_ray.py")


def kind_of(operator: str) -> str:
    """The kind of an operator of cosmic-ray: replacements of one thing by many others are one kind."""
    return operator.removeprefix("core/").partition("_")[0]


def drawn(specs: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """One mutation of each kind at each place, in random order."""
    places: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for spec in specs:
        places.setdefault((spec["path"], *spec["start"], kind_of(spec["operator"])), []).append(spec)
    dice = random.Random(seed)
    keys = sorted(places, key=str)
    dice.shuffle(keys)
    return [dice.choice(sorted(places[key], key=lambda spec: str(spec["operator"]))) for key in keys]


def _ask(python: Path, root: Path, request: dict[str, Any]) -> Any:
    argv = [str(python), str(_TOOL), json.dumps(request)]
    done = run_blocking(argv, cwd=root, timeout=300.0, env={**os.environ})
    if done.code:
        raise RuntimeError(done.stderr.decode("utf-8", "replace")[-800:])
    return json.loads((home() / "mutations.json").read_text())


async def _noticed(tree: Opened, path: str, text: str) -> tuple[int, str]:
    """How many tests fail with another text of a file, and one of them."""
    suite = await tree.suite(changed(path, text), seconds=_LIMIT)
    if suite.hung:
        return 1, "a test that does not end"
    return len(suite.failed), suite.failed[0] if suite.failed else ""


async def mutants_of(name: str, *, each: int, seed: int) -> list[Case]:
    """The mutants of one package."""
    known = packages()
    version = known.by_name[name].mutants
    root = lay(name, version, known)
    python = environment(home() / "mutator", known.mutator)
    answer = str(home() / "mutations.json")
    paths = python_files(root, known.by_name[name].sources)
    specs = drawn(_ask(python, root, {"answer": answer, "paths": paths}), seed)
    found: list[Case] = []
    async with opened(root) as tree:
        right = await tree.suite({}, seconds=_LIMIT)
        if right.failed or right.hung:
            raise RuntimeError(f"{name} {version} does not pass its own tests here: {right.said}")
        for spec in specs:
            if len(found) == each:
                break
            text = (root / spec["path"]).read_bytes().decode()
            wrong = _ask(python, root, {"answer": answer, **spec})
            if wrong is None or wrong == text:
                continue
            failing, first = await _noticed(tree, spec["path"], wrong)
            line, was, now = between(text, wrong)
            print(f"{name} {spec['path']}:{line} {spec['operator']}: {failing} {first}", flush=True)
            if failing:
                number = f"mutant-{name}-{len(found) + 1:02}"
                operator = spec["operator"].removeprefix("core/")
                found.append(Case(number, name, version, spec["path"], line, was, now, operator, failing, first))
    return found


def main() -> None:
    """Make the table, or one package's part of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=22, help="mutants of each package")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--package", default="", help="only this one; the others stay as they are")
    options = parser.parse_args()
    shut_in()
    begun = time.perf_counter()
    kept = {case.name: case for case in cases("mutants") if options.package and case.package != options.package}
    for name, package in packages().by_name.items():
        if package.mutants and options.package in {"", name}:
            some = asyncio.run(mutants_of(name, each=options.each, seed=options.seed))
            kept.update({case.name: case for case in some})
            write_lines(DATA / "repair_mutants.jsonl", kept.values())
    print(f"{len(kept)} mutants, {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
