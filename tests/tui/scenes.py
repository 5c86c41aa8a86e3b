"""What sessions look like at telling moments: lists of events, made from a small patch."""

from __future__ import annotations

import difflib

from agent_core import events as ev
from agent_core.checks.model import Blame, CheckResult, Finding, Verdict
from agent_core.conversation import AssistantItem, PartnerInfo, ToolCallItem, ToolResultItem, Usage, UserItem
from agent_core.memory.lessons import KnownLesson
from agent_core.patch.model import Block, FileKind, FilePatch, Patch
from agent_core.review import Overlap, Review, between, commented, marked
from tests.tui.fake_session import FakeSession

OLD = '''"""Prices of the shop."""

from decimal import Decimal

VAT = Decimal("0.19")


def net(price: Decimal) -> Decimal:
    """The price without tax."""
    return price / (1 + VAT)


def discount(price: Decimal, percent: int) -> Decimal:
    """Take some percent off a price.

    Raises:
        ValueError: There is no such discount.
    """
    if percent < 0:
        raise ValueError("a discount is never negative")
    return price - price * percent // 100


def total(prices: list[Decimal]) -> Decimal:
    """What all of it costs."""
    return sum(prices, Decimal(0))


class Basket:
    """What somebody wants to buy."""

    def __init__(self) -> None:
        self.prices: list[Decimal] = []
'''
WRONG = OLD.replace("price - price * percent // 100", "price * (100 - percent)")
RIGHT = OLD.replace("    if percent < 0:", "    if not 0 <= percent <= 100:").replace(
    "price - price * percent // 100", "price * (100 - percent) / 100"
)


def file_patch(session: FakeSession, path: str, old: str, new: str, kind: FileKind = "update") -> FilePatch:
    """The patch from one text to another; the contents go into the session."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    blocks = tuple(
        Block(f"b{i1}", i1 + 1, j1 + 1, tuple(before[i1:i2]), tuple(after[j1:j2]))
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if tag != "equal"
    )
    return FilePatch(
        path=path,
        kind=kind,
        before=None if kind == "add" else session.put(old),
        after=None if kind == "delete" else session.put(new),
        before_mode=0 if kind == "add" else 0o100644,
        after_mode=0 if kind == "delete" else 0o100644,
        blocks=blocks,
    )


def start(session: FakeSession) -> None:
    """A session has been opened."""
    session.emit(
        ev.SessionStarted("s1", "/home/someone/shop", "0.1.0"),
        ev.SettingsTold(
            PartnerInfo("responses", "gpt-6.2-sol via api.openai.com", "gpt-6.2-sol"),
            "step",
            "bubblewrap overlay",
            ".venv (Python 3.11)",
        ),
    )


def ask(session: FakeSession) -> None:
    """A task was given and a file read."""
    session.emit(
        ev.Asked(1, "A discount of 10 % on 19.99 gives 18 instead of 17.99. Please fix it."),
        ev.PromptSent(1, 3),
        ev.TextStreamed("I will look at `discount` first."),
        ev.AnswerFinished("I will look at `discount` first.", Usage(2100, 1400, 24, 0)),
        ev.ToolStarted("c1", "read_file", "read shop/pricing.py"),
        ev.ToolFinished("c1", True, "34 lines"),
        ev.PromptSent(2, 6),
    )


def stream(session: FakeSession) -> None:
    """The partner is answering."""
    session.emit(
        ev.CheckStarted("pytest", "baseline", "t0"),
        ev.TextStreamed(
            "## What is wrong\n\nThe discount uses **floor division**, so everything behind the point is lost:\n\n"
            "```python\nreturn price - price * percent // 100\n```\n\n"
            "- `//` rounds down, even for a `Decimal`\n- the tests only try round prices\n\nI'll mend th"
        ),
        ev.PatchStreamed(
            "c2",
            "*** Begin Patch\n*** Update File: shop/pricing.py\n@@ def discount\n"
            "-    return price - price * percent // 100\n+    return price * (100 - perc",
        ),
    )


def propose(session: FakeSession, number: int, new: str, *, old: str = OLD) -> None:
    """A proposal was made and is being checked."""
    patch = Patch((file_patch(session, "shop/pricing.py", old, new),))
    session.emit(
        ev.AnswerFinished("The discount uses **floor division**. I'll mend that.", Usage(2600, 2100, 180, 0)),
        ev.ProposalMade(number, number, f"c{number + 1}", patch, "t0", f"t{number}", "", ""),
        ev.CheckStarted("syntax", "candidate", f"t{number}"),
        ev.CheckStarted("ruff", "candidate", f"t{number}"),
        ev.CheckStarted("mypy", "candidate", f"t{number}"),
        ev.CheckStarted("pytest", "candidate", f"t{number}"),
        ev.CheckFinished("candidate", CheckResult("syntax", "passed", f"t{number}", "1 file", total=1, seconds=0.02)),
        ev.CheckFinished("candidate", CheckResult("ruff", "passed", f"t{number}", "no findings", seconds=0.05)),
        ev.CheckProgressed("pytest", "candidate", 12, 31),
    )


def judge(session: FakeSession, number: int, *, green: bool) -> None:
    """The verdict of a proposal is in, and the human is asked."""
    tree = f"t{number}"
    known = Finding("mypy", 'Need type annotation for "cache"', "shop/store.py", 12, "var-annotated")
    target = Finding(
        "pytest",
        "assert Decimal('18') == Decimal('17.99')",
        "tests/test_pricing.py",
        9,
        "tests/test_pricing.py::test_cents",
    )
    broken = Finding(
        "pytest",
        "assert Decimal('1799.10') == Decimal('17.99')",
        "tests/test_pricing.py",
        14,
        "tests/test_pricing.py::test_ten_percent",
        detail="def test_ten_percent():\n>       assert discount(Decimal('19.99'), 10) == Decimal('17.99')\n"
        "E       AssertionError: assert Decimal('1799.10') == Decimal('17.99')",
    )
    mypy = CheckResult("mypy", "failed", tree, "1 error, as before", (known,), 14, 1.31)
    if green:
        pytest = CheckResult("pytest", "passed", tree, "31 passed", (), 31, 0.84)
        verdict = Verdict(
            tree, "t0", True, (mypy, pytest), (), (target,), (known,), (), "green: breaks nothing, 1 fixed"
        )
    else:
        pytest = CheckResult("pytest", "failed", tree, "2 failed, 29 passed", (broken, target), 31, 0.92)
        verdict = Verdict(
            tree,
            "t0",
            False,
            (mypy, pytest),
            (broken,),
            (),
            (known, target),
            (target,),
            "red: 1 broken, 1 target not fixed",
        )
    session.emit(
        ev.CheckFinished("baseline", CheckResult("pytest", "failed", "t0", "1 failed, 30 passed", (target,), 31, 0.9)),
        ev.CheckFinished("baseline", CheckResult("mypy", "failed", "t0", "1 error", (known,), 14, 1.2)),
        ev.CheckFinished("baseline", CheckResult("ruff", "passed", "t0", "no findings", (), 14, 0.1)),
        ev.CheckFinished("candidate", mypy),
        ev.CheckFinished("candidate", pytest),
        ev.VerdictReached(number, verdict),
    )
    if not green:
        session.emit(ev.Diagnosed(number, "test_ten_percent: the price is 100 times too high.", "1799.10 != 17.99"))
    session.emit(
        ev.DecisionAwaited(
            number, f"Proposal {number} is {'green' if green else 'red'}: {verdict.summary.partition(':')[2].strip()}"
        )
    )


def so_far(session: FakeSession) -> None:
    """What the change can affect was looked at and is well, and the human is asked while the rest runs."""
    start(session)
    ask(session)
    propose(session, 1, RIGHT)
    affected = CheckResult("pytest", "passed", "t1", "affected: 14 of 31 passed", (), 14, 0.2, stage="affected")
    early = CheckResult("mypy", "passed", "t1", "nothing found", (), 14, 0.1, early=True)
    summary = "green so far: breaks nothing; mypy by a quick look; pytest affected: 14 of 31 passed"
    verdict = Verdict("t1", "t0", True, (early, affected), summary=summary, stage="affected", complete=False)
    session.emit(
        ev.CheckStaged("candidate", early),
        ev.CheckStaged("candidate", affected),
        ev.CheckProgressed("pytest", "candidate", 16, 31),
        ev.VerdictReached(1, verdict),
        ev.DecisionAwaited(1, summary),
    )


def blamed(session: FakeSession) -> None:
    """A proposal of two blocks is red, what one of them breaks could be mended, and whom to blame was found out."""
    start(session)
    ask(session)
    propose(session, 1, RIGHT.replace("/ 100", "/ 10"))
    broken = Finding("pytest", "assert 1 == 2", "tests/a.py", 9, "tests/a.py::test_cents")
    unused = Finding("ruff", "`os` imported but unused", "shop/pricing.py", 3, "F401", fix="Remove unused import: `os`")
    result = CheckResult("pytest", "failed", "t1", "1 failed, 30 passed", (broken,), 31, cached=True)
    waver = Finding("pytest", "timed out", "tests/b.py", 4, "tests/b.py::test_now")
    verdict = Verdict(
        "t1", "t0", False, (result,), (broken, unused), summary="breaks 2 (pytest 1, ruff 1); 1 flaky", flaky=(waver,)
    )
    patch = session.state.proposals[-1].patch.files[0]
    session.emit(
        ev.CheckFinished("candidate", CheckResult("ruff", "failed", "t1", "1 found in 1 file", (unused,), 1, 0.1)),
        ev.CheckFinished("candidate", CheckResult("mypy", "passed", "t1", "nothing found", (), 14, 1.3)),
        ev.CheckFinished("candidate", result),
        ev.VerdictReached(1, verdict),
        ev.DecisionAwaited(1, verdict.summary),
        ev.Blamed(
            1, "t1", (Blame("pytest", broken.fingerprint, (patch.blocks[1].id,)),), unneeded=(patch.blocks[0].id,)
        ),
    )


def red(session: FakeSession) -> None:
    """A red proposal waits."""
    start(session)
    ask(session)
    propose(session, 1, WRONG)
    judge(session, 1, green=False)


def green(session: FakeSession) -> None:
    """After a red one a green proposal waits, and the human has saved a file in between."""
    red(session)
    session.emit(
        ev.Decided(1, "steer", "human", "divide by 100, and refuse more than 100 %"),
        ev.HumanEdited("README.md", "changed", "--- a\n+++ b\n@@ -1 +1 @@\n-Shop\n+The shop\n", None, None),
        ev.PromptSent(3, 9),
    )
    propose(session, 2, RIGHT)
    judge(session, 2, green=True)


def landed(session: FakeSession) -> None:
    """The green proposal was accepted and has landed."""
    green(session)
    patch = session.state.proposals[-1].patch.files[0]
    session.emit(
        ev.Decided(2, "accept", "human"),
        ev.LandingStarted(1, 2, 0, (ev.FileLanding(patch.path, patch.before, patch.after, 0o100644, 0o100644),)),
        ev.Landed(1),
        ev.TaskFinished(1, "landed", ""),
    )


def conflict(session: FakeSession) -> None:
    """The green proposal cannot land: the human has changed the same place since."""
    green(session)
    session.emit(
        ev.Decided(2, "accept", "human"),
        ev.LandingConflicted(
            2,
            0,
            "shop/pricing.py was changed where the proposal changes it, too.",
            ("shop/pricing.py:21: you changed it, too",),
            "Say what should be different, or take back your change.",
        ),
        ev.DecisionAwaited(2, "Proposal 2 does not fit your files any more."),
    )


def parts(session: FakeSession) -> None:
    """One of two blocks of the green proposal is taken, the other left with a comment; the part is red by itself."""
    green(session)
    proposal = session.state.proposals[-1]
    first, second = (block.id for block in proposal.patch.files[0].blocks)
    review = marked(marked(Review(), [first], taken=True), [second], taken=False)
    review = commented(review, second, "rounding is another matter")
    session.emit(
        ev.Reviewed(2, between(proposal.review, review), part_tree="t2p"),
        ev.VerdictReached(2, Verdict("t2p", "t0", False, (), summary="red: 1 target not fixed")),
    )


def overlapped(session: FakeSession) -> None:
    """The human has changed a place since that the green proposal changes, too: that block is stale."""
    green(session)
    block = session.state.proposals[-1].patch.files[0].blocks[0]
    theirs = ("    if not 0 < percent < 100:\n",)
    session.emit(ev.Overlapped(2, (Overlap(block.id, "shop/pricing.py", block.new_start, theirs),)))


def queued(session: FakeSession) -> None:
    """Two messages wait for the partner's next step."""
    start(session)
    ask(session)
    session.emit(ev.Steered("And keep the name of the function."), ev.Steered("Add a test for cents."))


def edited(session: FakeSession) -> None:
    """The human has saved a file in their editor, and has run a command."""
    start(session)
    diff = "--- a/README.md\n+++ b/README.md\n@@ -1,2 +1,2 @@\n-Shop\n+The shop\n \n"
    output = "\x1b[32m31 passed\x1b[0m in 0.42s\n"
    session.emit(
        ev.HumanEdited("README.md", "changed", diff, None, None),
        ev.ShellStarted("s", "pytest -q"),
        ev.ShellFinished("s", 0, output, 0.9),
    )


def taken_back(session: FakeSession) -> None:
    """What had landed was undone."""
    landed(session)
    file = session.state.landings[-1].files[0]
    back = ev.FileLanding(file.path, file.after, file.before, 0o100644, 0o100644)
    session.emit(ev.LandingStarted(2, 0, 1, (back,), about=1), ev.Landed(2))


def approval(session: FakeSession) -> None:
    """The partner wants to run a command."""
    start(session)
    ask(session)
    session.emit(ev.ApprovalAsked("c9", "python -m shop.report --since 2024-01-01 \\\n  | sort -n"))


WORDS = "no rounding by hand; keep it as simple as it was"
PROPOSED = KnownLesson(
    ev.Lesson("env-1", "tests need DATABASE_URL to be set", "session 20260301-1042, landing 3", ("tests/test_db.py",))
)
KEPT = KnownLesson(ev.Lesson("own-1", "we reject bare excepts", "your own words"), "kept", "human")


def lived(session: FakeSession) -> None:
    """A session in which much has happened."""
    start(session)
    ask(session)
    propose(session, 1, WRONG)
    judge(session, 1, green=False)
    session.emit(
        ev.DecisionAwaited(1, "red"),
        ev.Decided(1, "reject", "human", WORDS),
        ev.Steered("leave the tests alone"),
        ev.ItemsAppended(
            (
                UserItem("# Task\n\nA discount of 10 % on 19.99 gives 18."),
                AssistantItem("I will look."),
                ToolCallItem("c1", "read_file", '{"path": "shop/pricing.py"}'),
                ToolResultItem("c1", "34 lines of code"),
            )
        ),
        ev.PatchRejected("c9", "shop/pricing.py: the lines to be replaced are not in the file."),
    )
    propose(session, 2, RIGHT)
    judge(session, 2, green=True)
    session.emit(
        ev.DecisionAwaited(2, "green"),
        ev.Decided(2, "accept", "human"),
        ev.LandingStarted(4, 2, 0, (ev.FileLanding("shop/pricing.py", "a", "b", 0, 0),)),
        ev.Landed(4),
        ev.TaskFinished(1, "landed", ""),
        ev.HumanEdited("shop/pricing.py", "changed", "--- a/x\n+++ b/x\n@@\n-VAT\n+VAT = Decimal('0.21')\n", "a", "b"),
        ev.MemoryKept("note:1", "prices are in cents\nexcept in shop/pricing.py"),
    )
    session.lessons.listed = (PROPOSED, KEPT)


def narrow_approval(session: FakeSession) -> None:
    """The partner wants to run a command that rules could allow."""
    start(session)
    ask(session)
    session.emit(
        ev.ToolStarted("c9", "run_command", "run pytest -x tests/test_prices.py"),
        ev.ApprovalAsked(
            "c9",
            "pytest -x tests/test_prices.py",
            rule="run pytest -x tests/test_prices.py",
            wider="run pytest *",
        ),
    )


def question(session: FakeSession) -> None:
    """The partner has a plan, and asks something."""
    start(session)
    ask(session)
    steps = (
        ev.PlanStep("Find where prices are rounded", "done"),
        ev.PlanStep("Mend the discount", "doing"),
        ev.PlanStep("Add a test for 100 percent"),
    )
    session.emit(
        ev.ToolStarted("c1", "update_plan", "plan"),
        ev.PlanUpdated(steps),
        ev.ToolFinished("c1", ok=True, summary="1 of 3 done, now: Mend the discount"),
        ev.ToolStarted("c2", "ask_human", "ask: What should a discount over 100 percent do?"),
        ev.QuestionAsked(
            "c2",
            "What should a discount over 100 percent do?",
            ("Raise ValueError, as a negative one does", "Count as 100 percent", "Stay as it is"),
        ),
    )


def long_command(session: FakeSession) -> None:
    """A command of the partner's runs and prints."""
    narrow_approval(session)
    session.emit(
        ev.ApprovalGiven("c9", allowed=True, rule="run pytest *"),
        ev.ToolPrinted("c9", "".join(f"tests/test_prices.py::test_{number} PASSED\n" for number in range(1, 12))),
    )
