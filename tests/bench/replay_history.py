"""Replays histories through the patch engine: exact or refused, never wrong.

    python tests/bench/replay_history.py REPOSITORY... [--most N] [--show]

Every commit of the repositories is written as a patch in each of the three formats, with three lines of context as a
model is taught to, and applied to its parent. ``newline`` and ``endings`` are commits of which only final newlines or
line endings came out otherwise; what a format cannot say at all is counted apart.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from agent_core.patch.formats import Format
from tests.support.replaying import OUTCOMES, WRITERS, Replayed, commits, replay, tally


def main() -> int:
    """Replay, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    parser.add_argument("--most", type=int, default=0, help="at most so many commits of each")
    parser.add_argument("--show", action="store_true", help="print each refusal and each difference")
    options = parser.parse_args()
    results: dict[Format, list[Replayed]] = {form: [] for form in WRITERS}
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as empty:
        for repository in options.repositories:
            for commit in commits(repository, options.most):
                for form in WRITERS:
                    result = replay(commit, form, Path(empty))
                    results[form].append(result)
                    if options.show and result.outcome not in {"exact", "unsaid"}:
                        print(f"{repository.name} {commit.name[:10]} {form} {result.outcome}: {result.detail}\n")
    print(f"{'format':10}{'said':>8}" + "".join(f"{name:>10}" for name in OUTCOMES) + f"{'exact':>9}{'unsaid':>9}")
    for form in WRITERS:
        found = results[form]
        counts = tally(found)
        said = len(found) - counts["unsaid"]
        share = 100 * counts["exact"] / said if said else 0.0
        row = "".join(f"{counts[name]:>10}" for name in OUTCOMES)
        print(f"{form:10}{said:>8}{row}{share:>8.1f}%{counts['unsaid']:>9}")
    print(f"{time.perf_counter() - begun:.1f} s")
    return 1 if any(tally(found)["wrong"] for found in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
