"""What is true of a session: the panes draw it, resume rebuilds it, tests assert on it. Made by `agent_core.fold`."""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import ChatEntry, Edit, Edits, GitMove
from agent_core.checks.model import Blame, CheckResult, Finding, Outcome, Verdict, Where
from agent_core.conversation import Item, PartnerInfo, Replaced, Usage
from agent_core.memory.records import Records
from agent_core.patch.model import Patch
from agent_core.repairs_state import RepairsState
from agent_core.review import Overlap, Review
from agent_core.spending import BudgetState, Spending

Phase = Literal["idle", "thinking", "tools", "checking", "deciding", "approving", "landing"]


class CheckState(msgspec.Struct, frozen=True):
    """One check as the check log shows it.

    Attributes:
        outcome: None while it runs.
        done: Things looked at so far.
        total: Out of how many; 0 when not known.
        result: What it said, when it has ended.
        staged: What it has said so far, while it goes on: the word of its last stage, or an early answer.
    """

    check: str
    where: Where
    tree: str
    outcome: Outcome | None = None
    done: int = 0
    total: int = 0
    result: CheckResult | None = None
    staged: CheckResult | None = None


class ProposalState(msgspec.Struct, frozen=True):
    """A proposal and what became of it.

    Attributes:
        stale: The working tree changed since it was made, so its verdict is about another tree.
        refused: Why it could not land when that was last tried; empty when it was not.
        blames: Which blocks its failures come from, as far as that was found out.
        unneeded: Ids of blocks that no check needs.
        review: What the human has marked in it so far.
        reviews: What was marked before that, oldest first, for taking back.
        part_tree: Hash of the tree that what is taken makes; empty where nothing is taken, or all of it.
        part: The verdict on exactly that tree, as far as the checks got.
        part_trouble: Why what is taken cannot land by itself; empty when it can.
        overlaps: Where the human's own edits meet it.
        taken: Of how many parts something landed (or was about to), where it was not decided on as a whole.
        of: How many parts there are; 0 where it was decided on as a whole, or not at all.
        waits: What it waits for before it lands, though it was accepted; empty when it does not.
        carried: It was made over other texts of its files, and carried over to the human's edits since.
        by: Whose it is; see `agent_core.events.ProposalMade`.
    """

    number: int
    task: int
    attempt: int
    call_id: str
    patch: Patch
    base_tree: str
    tree: str
    diff: str
    note: str = ""
    verdict: Verdict | None = None
    diagnosis: str = ""
    decision: ev.DecisionKind | None = None
    reason: str = ""
    stale: bool = False
    refused: str = ""
    blames: tuple[Blame, ...] = ()
    unneeded: tuple[str, ...] = ()
    review: Review = Review()
    reviews: tuple[Review, ...] = ()
    part_tree: str = ""
    part: Verdict | None = None
    part_trouble: str = ""
    overlaps: tuple[Overlap, ...] = ()
    taken: int = 0
    of: int = 0
    waits: str = ""
    carried: bool = False
    by: Literal["partner", "repair"] = "partner"

    @property
    def green(self) -> bool:
        """Whether all checks have spoken of what is there now, nothing is broken, and nothing keeps it from landing."""
        verdict = self.verdict
        return verdict is not None and verdict.green and verdict.complete and not self.stale and not self.refused

    @property
    def verdict_now(self) -> Verdict | None:
        """The verdict about what would land now: on what was taken, else on the whole."""
        return self.part if self.part_tree else self.verdict

    @property
    def part_stale(self) -> bool:
        """Whether files changed since what is taken of it was worked out, which goes around edits that overlap."""
        return self.stale and not (self.part_tree and self.overlaps)

    @property
    def fixable(self) -> tuple[Finding, ...]:
        """What it breaks and the tool that says so could mend by itself."""
        broken = self.verdict.broken if self.verdict is not None and not self.stale else ()
        return tuple(finding for finding in broken if finding.fix)


class LandingState(msgspec.Struct, frozen=True):
    """A landing (or the undo of one) and where it stands.

    Attributes:
        undoes: The landing it takes back; 0 for a landing of its own.
        about: For an undo or a redo: the landing that started it all.
        again: It is a redo.
        by: Number of the undo or redo that made it stand as it does; 0 when there was none.
        inherited: It was made by the session that this one is a fork of.
        commit: Hash of the commit it was committed in; empty when it was not.
    """

    number: int
    proposal: int
    undoes: int
    files: tuple[ev.FileLanding, ...]
    stands: Literal["started", "landed", "abandoned", "undone"] = "started"
    about: int = 0
    again: bool = False
    by: int = 0
    inherited: bool = False
    commit: str = ""


class ApprovalState(msgspec.Struct, frozen=True):
    """What waits for the human's word; see `agent_core.events.ApprovalAsked`."""

    call_id: str
    command: str
    action: ev.Action = "run"
    rule: str = ""
    wider: str = ""


class QuestionState(msgspec.Struct, frozen=True):
    """A question of the partner's that waits for an answer; see `agent_core.events.QuestionAsked`."""

    call_id: str
    text: str
    options: tuple[str, ...] = ()


class RetryState(msgspec.Struct, frozen=True):
    """A request that failed and waits to be sent again; see `agent_core.events.AnswerVoided`."""

    seconds: float
    reason: str = ""
    attempt: int = 0
    most: int = 0
    offline: bool = False


class TaskState(msgspec.Struct, frozen=True):
    """A task; `outcome` is None while the loop works on it.

    Attributes:
        markers: The comments in the code by which it was asked, or something was added to it.
        answers: It asks for nothing but answers, by comments with ``AI?``: nothing is to be changed.
        told: What the partner is told in the place of `text`; empty where that is the same.
    """

    number: int
    text: str
    outcome: ev.TaskOutcome | None = None
    result: str = ""
    markers: tuple[ev.Marker, ...] = ()
    answers: bool = False
    told: str = ""


class Pointed(msgspec.Struct, frozen=True):
    """How words came about that the partner has not been told yet.

    Attributes:
        markers: The comments in the code by which they were said; none where they were typed.
        told: What the partner is told in their place; empty where that is the same.
        proposal: The proposal to go on from with them; 0 for none.
    """

    markers: tuple[ev.Marker, ...] = ()
    told: str = ""
    proposal: int = 0


class MemoryNote(msgspec.Struct, frozen=True):
    """What the human wrote into the session's memory: an entry of their own, or one in other words.

    Attributes:
        id: The entry.
        text: What it says; empty where it is to be forgotten.
        before: What they had written before that, oldest first, for the way back.
    """

    id: str
    text: str
    before: tuple[str, ...] = ()


class Size(msgspec.Struct, frozen=True):
    """How large the conversation is, in tokens.

    Attributes:
        estimated: All items, by `agent_core.item_text.item_tokens`.
        counted: What the provider counted at its last answer, instructions and tools included; 0 where it never did.
        at: What was estimated of the items that it counted.
        sent: What was estimated of those of the request that is under way; 0 where what is counted of that says
            nothing.
    """

    estimated: int = 0
    counted: int = 0
    at: int = 0
    sent: int = 0

    @property
    def tokens(self) -> int:
        """All in all, as far as it is known: what was counted, and an estimate of what came since."""
        return self.counted + self.estimated - self.at


class Compaction(msgspec.Struct, frozen=True):
    """What a compaction replaced, so that it can be taken back.

    Attributes:
        items: The conversation before it.
        since: How many items the conversation had right after it.
        size: How large it was before.
        answers: How many of the partner's answers were replaced before it.
    """

    items: tuple[Item, ...]
    since: int
    size: Size = Size()
    answers: int = 0


class LessonState(msgspec.Struct, frozen=True):
    """A lesson that this session proposed."""

    lesson: ev.Lesson
    stands: Literal["proposed", "kept", "dropped"] = "proposed"
    by: ev.LessonBy | None = None


class CommitDraft(msgspec.Struct, frozen=True):
    """The message of a commit that waits for the human's word; see `agent_core.events.CommitDrafted`."""

    landing: int
    message: str
    also: tuple[int, ...] = ()
    trouble: str = ""


class State(msgspec.Struct, frozen=True):
    """Everything that is true of a session.

    Attributes:
        chat: The transcript, oldest first, the live answer excluded.
        live: What the partner has said so far in the answer under way.
        live_reasoning: Its reasoning summary so far.
        live_patch: What it has written so far of a patch.
        retry: The wait before the request is sent again, while there is one.
        items: The conversation: the next request's input.
        steps: Requests sent.
        checks: The checks of the newest candidate and of the baseline.
        proposals: All proposals, oldest first.
        waiting: Number of the proposal that waits for the human, 0 when none does.
        why: What there is to decide.
        queued: Steering the partner has not been told yet.
        pointed: How each of `queued` came about.
        untold: Edits that were not ours, and git's, that the partner has not been told yet.
        records: What the memory is made of, where nothing else here is; see `agent_core.memory`.
        notes: What the human wrote into the session's memory.
        unheard: Ids of entries of it that they wrote, and the partner has not been told yet.
        size: How large the conversation is.
        compactions: What was replaced in the conversation, oldest first.
        replaced: How much that is.
        uncompacted: The human has taken the last compaction back: it is not to come again before it has to.
        lessons: What this session proposed to remember for later ones.
        recalled: Ids of the lessons that the partner has been told, and has not had taken from it by a compaction.
        commit: The commit that waits for the human's word.
        chosen: The partner that the human has chosen in the place of the configured one: its name and model.
        question: The partner's question that waits for an answer.
        plan: What the partner says it is going to do, and how far it is.
        budget: The budget that is used up, and waits for the human's word.
        spending: What was spent.
        repairs: Searches for repairs, and what they found.
    """

    session: str = ""
    project: str = ""
    partner: PartnerInfo | None = None
    mode: ev.Mode = "step"
    candidate: str = ""
    interpreter: str = ""
    phase: Phase = "idle"
    chat: tuple[ChatEntry, ...] = ()
    live: str = ""
    live_reasoning: str = ""
    live_patch: str = ""
    retry: RetryState | None = None
    items: tuple[Item, ...] = ()
    steps: int = 0
    usage: Usage = Usage()
    last_usage: Usage = Usage()
    tasks: tuple[TaskState, ...] = ()
    proposals: tuple[ProposalState, ...] = ()
    checks: tuple[CheckState, ...] = ()
    waiting: int = 0
    why: str = ""
    approval: ApprovalState | None = None
    landings: tuple[LandingState, ...] = ()
    queued: tuple[str, ...] = ()
    pointed: tuple[Pointed, ...] = ()
    untold: tuple[Edit | Edits | GitMove, ...] = ()
    records: Records = Records()
    notes: tuple[MemoryNote, ...] = ()
    unheard: tuple[str, ...] = ()
    size: Size = Size()
    compactions: tuple[Compaction, ...] = ()
    replaced: Replaced = Replaced()
    uncompacted: bool = False
    lessons: tuple[LessonState, ...] = ()
    recalled: tuple[str, ...] = ()
    commit: CommitDraft | None = None
    chosen: tuple[str, str] | None = None
    question: QuestionState | None = None
    plan: tuple[ev.PlanStep, ...] = ()
    budget: BudgetState | None = None
    spending: Spending = Spending()
    repairs: RepairsState = RepairsState()

    @property
    def retry_in(self) -> float | None:
        """Seconds that the wait before the next repetition takes in all; None where nothing waits."""
        return self.retry.seconds if self.retry is not None else None

    @property
    def sayings(self) -> tuple[str, ...]:
        """What the partner is to be told of `queued`."""
        return tuple(how.told or text for text, how in zip(self.queued, self.pointed, strict=True))

    @property
    def task(self) -> TaskState | None:
        """The task being worked on, None when the loop is idle."""
        return self.tasks[-1] if self.tasks and self.tasks[-1].outcome is None else None

    @property
    def proposal(self) -> ProposalState | None:
        """The newest proposal."""
        return self.proposals[-1] if self.proposals else None

    @property
    def undoable(self) -> LandingState | None:
        """The landing of its own that was landed (or landed again) last, of those that stand."""
        return self._latest("landed")

    @property
    def redoable(self) -> LandingState | None:
        """The landing of its own that was taken back last, of those that do not stand again."""
        return self._latest("undone")

    @property
    def committable(self) -> LandingState | None:
        """What was written last of what stands and is in no commit: a landing, or what turned a committed one."""
        commits = {landing.number: landing.commit for landing in self.landings}
        found = (
            one
            for one in self.landings
            if one.stands == "landed" and not one.commit and not one.inherited
            if not one.undoes or commits.get(one.undoes)
        )
        return max(found, key=lambda landing: landing.number, default=None)

    def _latest(self, stands: Literal["landed", "undone"]) -> LandingState | None:
        mine = (landing for landing in self.landings if not landing.undoes and not landing.inherited)
        found = (landing for landing in mine if landing.stands == stands)
        return max(found, key=lambda landing: max(landing.number, landing.by), default=None)
