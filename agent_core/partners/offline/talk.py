"""What the built-in partner says: plain sentences about what was found, what is red, and what it cannot do."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.checks.model import UNABLE, CheckResult
from agent_core.partners.offline.offered import Offered
from agent_core.repair.model import Difference, Found, Kind, Repair, Wanted
from agent_core.repair.words import code, passing_words, plain
from agent_core.text import counted

HOW = (
    "For anything else set a key (`pairloop key set`, or `export OPENAI_API_KEY=...`) or start a local server (Ollama "
    "is found by itself, another by `export OPENAI_BASE_URL=http://127.0.0.1:8080/v1`); `/model` chooses."
)
CANNOT = "I understand no words. I repair failing tests, type and lint findings by search, without a model."
NOBODY = "Repairs are looked for within a session only."
NONE_LEFT = "There is no other repair that I could offer."
STANDS = "It is in the draft already."
REFUSED = "My patches do not fit the files as they are now. Ask again when nothing else is changing them."
ADD = "I have nothing to add to that. Say `fix` and I look again."
ACCEPT = "To have it, accept the proposal: words alone land nothing."
CHANGED = "Files have changed since I asked."
STOPPED = "I have stopped. Say `fix` and I look again."
UNCLEAR = "I can't read that as one of the answers, so I propose the first; reject it for the next."
_LISTED = 3
_NAMES: dict[Kind, str] = {
    "tests": "failing tests",
    "syntax": "syntax errors",
    "names": "undefined names",
    "lint": "lint findings",
    "types": "type findings",
}


def not_there(missing: Sequence[str]) -> str:
    """That what was named does not exist."""
    return f"There is no {_listed(missing)}."


def looking(wanted: Wanted, missing: Sequence[str]) -> str:
    """What is said before a search."""
    there = f"{not_there(missing)} " if missing else ""
    if wanted.tests:
        what = f"a change that makes {_listed(wanted.tests)} pass"
    elif wanted.kinds:
        what = f"a change that mends {' and '.join(_NAMES[kind] for kind in wanted.kinds)}"
    else:
        what = "a change that mends what is red"
    within = f" in {_listed(wanted.paths)}" if wanted.paths else ""
    return f"{there}I look for {what}{within}, by trying: {wanted.seconds:.0f} s at most, once the tests have spoken."


def mending(kinds: Sequence[Kind]) -> str:
    """What is said before what a proposal broke is mended on top of it."""
    return (
        f"The tests pass, but it brings {' and '.join(_NAMES[kind] for kind in kinds)}: I look for a way to mend that."
    )


def outcome(found: Found, kept: int) -> str:
    """What a search came to.

    Args:
        found: It.
        kept: How many of its repairs can be offered.
    """
    how = f"{counted(found.tried, 'change')} tried in {found.seconds:.1f} s" if found.tried else ""
    stopped = {"stopped": ", then stopped", "out of time": ", then the time was over", "finished": ""}[found.ended]
    head = f"{how}{stopped}. " if how else ""
    if found.word:
        return f"{head}{found.word}".strip()
    if not kept:
        return f"{head}No repair was found.".strip()
    return head.strip()


def repair_words(repair: Repair, left: int) -> tuple[str, str]:
    """What a repair does and where, and what is known of it.

    Args:
        repair: It.
        left: How many of the tests that failed it does not mend.
    """
    variant = repair.variant
    says = f"{plain(variant.says, 400)} at {plain(variant.path)}:{variant.line}"
    if repair.kind != "tests":
        return says, f"It mends {_listed(repair.mends)}." if repair.mends else ""
    # Where some fail still, that is why not all are said to pass.
    rest = "" if repair.whole or left else "; not all could be run in time"
    return says, f"With it {passing_words(repair)}{rest}."


def proposing(repair: Offered, others: int, *, told: bool) -> str:
    """What is said with a proposal.

    Args:
        repair: It.
        others: How many others there are.
        told: What it does has been said just now.
    """
    lines = [repair.rest] if told else [f"I propose {repair.says}.", repair.note, repair.rest]
    if others:
        other = "1 other repair does" if others == 1 else f"{others} other repairs do"
        lines.append(f"{other} as well: reject this one, or say `next`, for another.")
    return " ".join(line for line in lines if line)


def rest_words(found: Found, repair: Repair) -> str:
    """What is red still when a repair has landed."""
    left = left_by(found, repair)
    fail = "fails" if left == 1 else "fail"
    return f"After it {counted(left, 'test')} still {fail}: say `fix` when this has landed." if left else ""


def left_by(found: Found, repair: Repair) -> int:
    """How many of the tests that failed a repair of tests does not mend."""
    return len([run for run in found.failing if run.test not in repair.mends]) if repair.mends else 0


def question(difference: Difference, offers: Sequence[Offered]) -> str:
    """The question that tells repairs apart.

    Args:
        difference: The input on which they differ.
        offers: The repairs.
    """
    do = "make the same tests pass" if any(one.rest for one in offers) else "pass all tests"
    when = f" when {plain(difference.when)}" if difference.when else ""
    return f"{len(offers)} different repairs {do}, and differ{when}. What is to come of {code(difference.call)}?"


def option(repair: Offered) -> str:
    """An answer to it."""
    return f"{plain(repair.gives, 80)} ({plain(repair.says, 100)})"


def assumed(repair: Offered, call: str) -> str:
    """What is said where nobody chose."""
    about = f", so I assume that {code(call)} is to give {code(repair.gives)}" if call and repair.gives else ""
    return f"Nobody chose{about}."


def red_now(results: Sequence[CheckResult]) -> str:
    """What is red, in a sentence, and what can be done about it."""
    counts: list[str] = []
    for one in results:
        number = len(one.findings)
        if one.outcome == "failed" and number:
            if one.check == "pytest":
                names = _listed([finding.code or finding.message for finding in one.findings])
                counts.append(f"{counted(number, 'test fails', 'tests fail')} ({names})")
            else:
                counts.append(f"{one.check} has {counted(number, 'finding')}")
    unable = [one.check for one in results if one.outcome in UNABLE]
    silent = f" {_listed(unable)} could not be run." if unable else ""
    if counts:
        return f"Now {', and '.join(counts)}: say `fix` and I look for a repair.{silent}"
    return f"Nothing is red now.{silent}" if results else ""


def _listed(names: Sequence[str]) -> str:
    shown = [code(name) for name in names[:_LISTED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
