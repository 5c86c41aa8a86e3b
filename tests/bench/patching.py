"""How long finding and applying hunks takes in a file of 20,000 lines, next to what others take in the same run.

Run it with ``make bench`` or by itself; it needs ``git`` and ``patch`` and no network. Times are the best of several
rounds. Ours are in process; ``git apply`` and ``patch`` start a process each time, which is part of what they cost. The
scan by difflib's ratio is how Aider looks for the lines most like a block that it could not find.
"""

from __future__ import annotations

import difflib
import math
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from agent_core.patch.fit import fit
from agent_core.patch.operations import Hunk, HunkLine, UpdateFile
from agent_core.patch.read import read_patch

LINES = 20_000
HUNKS = 20
ROUNDS = 7


def a_file() -> list[str]:
    """A long file whose lines are alike but not the same, as code is."""
    lines = []
    for number in range(LINES // 5):
        lines += [
            f"def total_{number}(rows, limit={number % 7}):",
            f'    """Sum of the rows of table {number}."""',
            f"    found = [row.value for row in rows if row.table == {number}]",
            "    return sum(found[:limit])",
            "",
        ]
    return lines


def the_hunks(lines: Sequence[str]) -> tuple[list[str], str]:
    """The file with twenty changes in it, and these as a unified diff."""
    new = list(lines)
    for at in range(2, LINES, LINES // HUNKS):
        new[at] = new[at].replace("found", "kept")
    diff = difflib.unified_diff([f"{line}\n" for line in lines], [f"{line}\n" for line in new], "a/f.py", "b/f.py")
    return new, "".join(diff)


def hunks_of(diff: str) -> tuple[Hunk, ...]:
    """The hunks of a unified diff of one file."""
    (operation,) = read_patch(diff).operations
    assert isinstance(operation, UpdateFile)
    return operation.hunks


def best(work: Callable[[], object], rounds: int = ROUNDS, prepare: Callable[[], object] = lambda: None) -> float:
    """The shortest of several times, in milliseconds."""
    shortest = math.inf
    for _ in range(rounds):
        prepare()
        start = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest * 1000


def ours(text: str, hunks: Sequence[Hunk], expected: str | None) -> Callable[[], object]:
    """Applying hunks, with a look at what comes of it."""

    def work() -> None:
        assert fit(text, hunks).text == expected

    return work


def other(argv: Sequence[str], folder: Path, diff: str, text: str, expected: str) -> float:
    """Another program; infinity where it refuses, as most do with drifted lines, or does not keep the file's lines."""
    file = folder / "f.py"

    def work() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(argv, cwd=folder, input=diff.encode(), capture_output=True, check=False)

    def prepare() -> None:
        file.write_text(text)

    prepare()
    if work().returncode or file.read_text() != expected:
        return math.inf
    return best(work, prepare=prepare)


def by_ratio(lines: Sequence[str], old: Sequence[str]) -> tuple[float, int]:
    """The stretch most like some lines, and how like it is, by difflib over every stretch of about that length."""
    wanted = "".join(f"{line}\n" for line in old)
    found = (0.0, 0)
    for length in range(math.floor(len(old) * 0.9), math.ceil(len(old) * 1.1)):
        for start in range(len(lines) - length + 1):
            stretch = "".join(f"{line}\n" for line in lines[start : start + length])
            found = max(found, (difflib.SequenceMatcher(None, stretch, wanted).ratio(), start))
    return found


def show(title: str, mine: float, others: dict[str, float]) -> None:
    """One row of the table for each program."""
    print(f"{title:<52}{'pairloop':<24}{mine:>12.2f} ms")
    for name, milliseconds in others.items():
        figure = "does not" if math.isinf(milliseconds) else f"{milliseconds:.2f} ms"
        ratio = "" if math.isinf(milliseconds) else f"{milliseconds / mine:>9.1f} x"
        print(f"{'':<52}{name:<24}{figure:>15}{ratio}")


def main() -> None:
    """Measure and print."""
    lines = a_file()
    new, diff = the_hunks(lines)
    hunks = hunks_of(diff)
    assert len(hunks) == HUNKS
    text, after = "\n".join(lines) + "\n", "\n".join(new) + "\n"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = {
            "git apply": ["git", "apply", "--ignore-whitespace", "-"],
            "patch": ["patch", "-s", "-l", "-p1"],
        }
        programs = {title: argv for title, argv in programs.items() if shutil.which(argv[0])}

        def compare(diff: str, text: str, after: str) -> dict[str, float]:
            return {title: other(argv, folder, diff, text, after) for title, argv in programs.items()}

        title = f"{HUNKS} hunks, {LINES} lines"
        show(f"{title}, exact", best(ours(text, hunks, after)), compare(diff, text, after))
        cases = {
            "blanks at line ends": [f"{line}  " if line else line for line in lines],
            "indented deeper": [f"    {line}" if line else line for line in lines],
            "typographic quotes": [line.replace('"', "\u201c") for line in lines],
        }
        changed = dict(zip(range(LINES), new, strict=True))
        for drift, drifted in cases.items():
            deeper = "    " * (drift == "indented deeper")
            wanted = [line if changed[at] == lines[at] else deeper + changed[at] for at, line in enumerate(drifted)]
            file, result = "\n".join(drifted) + "\n", "\n".join(wanted) + "\n"
            show(f"{title}, {drift}", best(ours(file, hunks, result)), compare(diff, file, result))

    block = lines[LINES // 2 : LINES // 2 + 60]
    failed = tuple(HunkLine(" ", line.replace("found", "chosen").replace("rows", "records")) for line in block)
    hunk = Hunk((*failed, HunkLine("+", "    pass")), 1)
    mine = best(ours(text, [hunk], None))
    # The scan goes over every stretch; a part of the file shows what each of them costs.
    part = lines[LINES // 2 - 10 : LINES // 2 + 65]
    start = time.perf_counter()
    _, at = by_ratio(part, [line.text for line in failed])
    seconds = time.perf_counter() - start
    assert at in range(9, 12), at
    stretches = sum(len(part) - length + 1 for length in range(54, 66))
    scan = seconds / stretches * sum(LINES - length + 1 for length in range(54, 66)) * 1000
    show("closest place to a failed hunk of 60 lines", mine, {"difflib scan (from a part)": scan})


if __name__ == "__main__":
    main()
