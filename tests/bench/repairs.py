"""How many wrong programs are repaired without a model, how soon, and how many of the repairs are what was meant.

    python tests/bench/repairs.py                          all mutants and all real bugs, 60 s each: about two hours
    python tests/bench/repairs.py --table mutants --limit 10
    python tests/bench/repairs.py --report                 what has been measured so far

The cases are in ``data/``: mutants that cosmic-ray made of five packages (`mutants`), and bugs that releases of
packages mended (`real_bugs`). For each the tree is laid out, made wrong and committed, and repaired by its tests; the
times count the first run of all tests. The first repair offered is the original again (``equal``), does the same on
fresh inputs (``alike``; see `fresh_inputs`), or only passes all tests (``plausible``). Each result is kept in a file of
JSON lines as it is there, and a case that has one is not tried again, so that it can be ended and gone on with. It
needs a quiet machine, and the network for the packages the first time; all of it lies in ``$PAIRLOOP_BENCH``.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import traceback
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.repair_cases import Case, Result, cases, chosen, read_lines
from tests.bench.repair_report import one_line, report
from tests.bench.repair_trees import home, shut_in
from tests.bench.repair_trying import try_case

_OVER = 400.0
"""Seconds beyond its time after which a case is given up: the first run of the tests, and what the repair is worth."""


def tried(case: Case, seconds: float) -> Result:
    """A case tried; whatever goes wrong is a result, too."""

    async def within() -> Result:
        async with asyncio.timeout(seconds + _OVER):
            return await try_case(case, seconds=seconds)

    try:
        return asyncio.run(within())
    except Exception:  # noqa: BLE001 - the next case has its chance
        return Result(case.name, "no word", word=traceback.format_exc()[-1500:])


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=("mutants", "bugs", "all"), default="all")
    parser.add_argument("--package", default="", help="only cases of this package")
    parser.add_argument("--limit", type=int, default=0, help="at most so many of each table, evenly from all of it")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="NAME", help="these cases, also when they have a result"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long a search may take")
    parser.add_argument("--results", type=Path, help="where results are kept; else results.jsonl in the bench's folder")
    parser.add_argument("--report", action="store_true", help="try nothing, print what is known")
    options = parser.parse_args()
    shut_in()
    file = options.results or home() / "results.jsonl"
    known = {result.name: result for result in read_lines(file, Result)}
    every = [case for table in ("mutants", "bugs") for case in cases(table)]
    tables = ("mutants", "bugs") if options.table == "all" else (options.table,)
    some = [case for table in tables for case in chosen(cases(table), package=options.package, limit=options.limit)]
    some = [case for case in every if case.name in options.only] if options.only else some
    file.parent.mkdir(parents=True, exist_ok=True)
    for case in () if options.report else some:
        if case.name in known and not options.only:
            continue
        known[case.name] = tried(case, options.seconds)
        with file.open("ab") as out:
            out.write(msgspec.json.encode(known[case.name]) + b"\n")
        print(one_line(case, known[case.name]), flush=True)
    print(report(every if options.report else some, known))


if __name__ == "__main__":
    main()
