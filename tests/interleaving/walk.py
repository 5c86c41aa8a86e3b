"""A human, a partner, editors and git at work in one project at the same time, by the dice; everything is held against
what the human knows of their own lines, and against what the journal tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from agent_core import build, commands
from agent_core import events as ev
from agent_core.partners import several
from agent_core.partners.build import Partner as Opened
from agent_core.state import State
from agent_core.workspace.git import folder_of
from agent_core.workspace.git_operation import operation_in
from agent_core.workspace.tree import content_hash
from tests.interleaving.git_ways import command, way
from tests.interleaving.ledger import Ledger, Written, all_names, humans, named, names, written
from tests.interleaving.partner import Partner
from tests.interleaving.scene import Judge, Report, StuckError, lay_out, tree_of
from tests.interleaving.telling import Save, Telling
from tests.support.editors import PATTERNS
from tests.support.running import Running, flags, running, stored

_PATIENCE = 30.0


class Walk:
    """Does one thing after the other.

    Args:
        seed: Of the dice.
        root: An empty folder for the project.
        beside_git: Who did what is to be right also in the moments in which git is at work.
    """

    def __init__(self, seed: int, root: Path, *, beside_git: bool = True) -> None:
        self.beside_git = beside_git
        self.dice = random.Random(seed)
        self.root = lay_out(root)
        self.report = Report(seed)
        tree = self.tree()
        self.ledger, self.telling = Ledger(tree), Telling(tree)
        self.here: Running | None = None
        self._made = 0
        self._done: dict[int, Written] = {}
        self._started: dict[int, tuple[float, ev.LandingStarted]] = {}
        self._touched: dict[str, float] = {}
        self._git_at = 0.0

    def tree(self) -> dict[str, bytes]:
        """The project as it is."""
        return tree_of(self.root)

    def _say(self, text: str) -> None:
        self.report.steps.append(f"  {text}")
        self.report.count[text.replace("(", " ").split()[0]] += 1

    # -- what is heard of the session

    def hear(self, entry: ev.Entry, state: State) -> None:
        """Take an event."""
        event, now = entry.event, time.monotonic()
        self.telling.hear(event, now)
        match event:
            case ev.LandingStarted(number):
                what = self._written(event)
                self._done[number] = what
                self._started[number] = now, event
                self._may(event, what, state)
                self.ledger.started(number, what)
                self._say(f"landing {number} of proposal {event.proposal}, undoes {event.undoes}")
            case ev.Landed(number) if number in self._started:
                self._stands(*self._started.pop(number))
                self.ledger.ended(number, landed=True)
            case ev.LandingAbandoned(number):
                self.ledger.ended(number, landed=False)
                self._say(f"abandoned {number}: {event.reason}")
            case ev.HumanEdited() | ev.BranchChanged() | ev.LandingConflicted() | ev.TaskFinished() | ev.ProposalMade():
                self.report.count[type(event).__name__] += 1
                shown = {
                    name: getattr(event, name, "") for name in ("path", "by", "what", "message", "outcome", "number")
                }
                self.report.steps.append(
                    f"    > {type(event).__name__} {' '.join(str(one) for one in shown.values() if one)}"
                )
            case ev.Noted("error"):
                self.report.wrong.append(f"an error is noted: {event.text}")
            case _:
                pass

    def _written(self, event: ev.LandingStarted) -> Written:
        def content(digest: str | None) -> bytes | None:
            return None if digest is None or self.here is None else self.here.session.content(digest)

        return written((file.path, content(file.before), content(file.after)) for file in event.files)

    def _may(self, event: ev.LandingStarted, what: Written, state: State) -> None:
        """A landing does nothing but what was proposed, an undo nothing but to take that back."""
        if event.proposal:
            proposal = next(one for one in state.proposals if one.number == event.proposal)
            removed, added = named(proposal.patch)
            # Where the human wrote too, and then took the partner's side in so many words, it goes over theirs.
            taken = (one for one in proposal.overlaps if (mark := proposal.review.blocks.get(one.block)) and mark.taken)
            removed |= names("".join(line for one in taken for line in one.theirs).encode())
        elif event.undoes in self._done:
            removed, added = self._done[event.undoes].added, self._done[event.undoes].removed
        else:
            return
        for said, did, might in (("deletes", what.removed, removed), ("adds", what.added, added)):
            if more := did - might:
                self.report.wrong.append(f"landing {event.landing} {said} {sorted(more)}, which was not proposed")

    def _stands(self, since: float, event: ev.LandingStarted) -> None:
        """What has landed is on the disk, unless somebody has been there since."""
        for file in event.files:
            if max(self._touched.get(file.path, 0.0), self._git_at) >= since or self.ledger.at_work(file.path):
                continue
            path = self.root / file.path
            now = content_hash(path.read_bytes()) if path.is_file() else None
            if now != file.after:
                self.report.wrong.append(f"landing {event.landing} has landed, and {file.path} is another")

    # -- what can be done

    async def step(self) -> None:
        """Do something, and go on at once or later."""
        ways: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (30, self.save),
            (4, self.add),
            (3, self.delete),
            (3, self.rename),
            (20, self.decide),
            (8, self.turn),
            (13, self.git),
            (3, self.mode),
        ]
        # What waits for a word gets one more often.
        likely = self._open.state.task is None or self._open.state.waiting > 0
        ways.append((40 if likely else 0, self.decide))
        await self.dice.choices([do for _, do in ways], [weight for weight, _ in ways])[0]()
        pause = self.dice.random()
        if pause < 0.3:
            await asyncio.sleep(self.dice.choice((0.0, 0.01, 0.06, 0.2)))
        elif pause < 0.45:
            await self.settle()
        elif pause < 0.85:
            await self.until(lambda state: state.waiting > 0 or state.task is None, "the partner to propose")

    async def save(self) -> None:
        """Change a file in some editor."""
        tree = self.tree()
        if not tree:
            await self.add()
            return
        path = self.dice.choice(sorted(tree))
        old = tree[path]
        await self._write(path, old, self._edited(old))
        if self.dice.random() < 0.15:
            await asyncio.sleep(self.dice.choice((0.0, 0.02, 0.06, 0.3)))
            there = self.root / path
            if there.is_file() and b" = " in (now := there.read_bytes()):
                await self._write(path, now, now.replace(b" = ", b"  =  ", 1))

    def _edited(self, old: bytes) -> bytes:
        lines = old.decode().splitlines()
        for _ in range(self.dice.choice((1, 1, 2))):
            self._made += 1
            lines.insert(self.dice.randint(0, len(lines)), f"h{self._made} = {self._made}")
        if len(lines) > 3 and self.dice.random() < 0.4:
            del lines[self.dice.randrange(len(lines))]
        return "".join(f"{line}\n" for line in lines).encode()

    async def _write(self, path: str, old: bytes, new: bytes) -> None:
        pattern, pause = self.dice.choice(PATTERNS), self.dice.choice((0.0, 0.0, 0.005, 0.03))
        self._say(f"save {path} by {pattern.__name__}, {pause:g} s a step, {_shown(old, new)}")
        self.ledger.begin(path)
        self._touched[path] = time.monotonic()
        target = self.root / path
        try:
            for do in pattern(target, new):
                do()
                if pause:
                    await asyncio.sleep(pause)
        except OSError as error:
            # The file is not where it was: the editor writes it anew.
            self._say(f"anew {path}: {error.strerror}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(new)
        self._wrote(path, old, new)
        self.ledger.end()

    def _wrote(self, path: str, old: bytes | None, new: bytes | None) -> None:
        self._touched[path] = time.monotonic()
        self.ledger.saved(path, old, new)
        self.telling.saves.append(Save(time.monotonic(), path, None if new is None else content_hash(new)))

    async def add(self) -> None:
        """Write a new file."""
        self._made += 1
        path = f"mine/new{self._made}.py"
        self._say(f"add {path}")
        (self.root / "mine").mkdir(exist_ok=True)
        new = self._edited(b"")
        (self.root / path).write_bytes(new)
        self._wrote(path, None, new)

    async def delete(self) -> None:
        """Remove a file."""
        tree = self.tree()
        if len(tree) < 3:
            return
        path = self.dice.choice(sorted(tree))
        self._say(f"delete {path}")
        self.ledger.begin(path)
        (self.root / path).unlink()
        self._wrote(path, tree[path], None)
        self.ledger.end()

    async def rename(self) -> None:
        """Give a file another name."""
        tree = self.tree()
        if not tree:
            return
        path = self.dice.choice(sorted(tree))
        self._made += 1
        new = f"core/named{self._made}.py"
        self._say(f"rename {path} to {new}")
        self.ledger.begin(path, new)
        (self.root / "core").mkdir(exist_ok=True)
        (self.root / path).rename(self.root / new)
        self._wrote(path, tree[path], None)
        self._wrote(new, None, (self.root / new).read_bytes())
        self.ledger.end()

    async def decide(self) -> None:
        """Ask for something, or say what is to become of what is proposed."""
        here, dice = self._open, self.dice
        proposal, number = here.state.proposal, here.state.waiting
        if here.state.task is None:
            self._tell(commands.Ask("Go on."))
        elif not number or proposal is None:
            words: list[commands.AnyCommand] = [commands.Steer("And mind the names."), commands.Steer("So.")]
            self._tell(dice.choice([*words, *words, commands.Interrupt()]))
        else:
            blocks = [block.id for file in proposal.patch.files for block in file.blocks]
            files = tuple(file.path for file in proposal.patch.files if not file.blocks)
            some = tuple(dice.sample(blocks, dice.randint(0, len(blocks))))
            lines = (0,) if len(some) == 1 and dice.random() < 0.3 else None
            take = commands.Take(number, some, files, taken=dice.random() < 0.7, lines=lines)
            said = dice.random()
            wishes: list[commands.AnyCommand] = []
            if said < 0.35:
                wishes.append(take)
            if said > 0.2:
                ends: list[commands.AnyCommand] = [commands.Reject(number, "not so"), commands.Steer("otherwise")]
                ends += [commands.Accept(number), commands.Land(number), commands.Interrupt()]
                wishes.append(dice.choices(ends, (1, 1, 5, 4, 1))[0])
            since = len(here.events)
            for wish in wishes:
                self._tell(wish)
            if said > 0.2 and not proposal.waits and dice.random() < 0.8:
                await self._until(lambda: any(map(_answers, here.events[since:])), "a decision to be taken up")

    async def turn(self) -> None:
        """Take a landing back, or land it again."""
        state = self._open.state
        can: list[commands.AnyCommand] = []
        if state.undoable is not None:
            can += [commands.Undo(), commands.Undo()]
        if state.redoable is not None:
            can += [commands.Redo()]
        if can:
            self._tell(self.dice.choice(can))
        else:
            await self.save()

    async def mode(self) -> None:
        """Choose when to be asked."""
        self._tell(commands.SetMode(self.dice.choice(["step", "step", "until-green", "auto"])))

    def _tell(self, command: commands.AnyCommand) -> None:
        self._say(str(command))
        self._open.submit(command)

    async def git(self) -> None:
        """Use git; what has begun to land lands first."""
        await self._until(lambda: not self.ledger.landing, "the landing to end")
        before = self.tree()
        self._check(before)
        folder = folder_of(self.root)
        busy = folder is not None and operation_in(folder) is not None
        begun = self._git_at = time.monotonic()
        self.ledger.begin(everywhere=True)
        ways = way(self.dice, sorted(before), busy=busy)
        for arguments in ways:
            code, said = await self._git(*arguments)
            self._say(f"git {' '.join(arguments)}: {code} {said}")
            if self.dice.random() < 0.3:
                await asyncio.sleep(self.dice.choice((0.02, 0.2)))
        after = self.tree()
        self._git_at = time.monotonic()
        self.telling.git.append((begun, self._git_at))
        for arguments in ways:
            if arguments[0] in {"mv", "rm"}:
                # It is the human who does that, whichever program they do it with.
                paths = arguments[-2:] if arguments[0] == "mv" else arguments[-1:]
                digests = (content_hash(after[path]) if path in after else None for path in paths)
                saves = zip(paths, digests, strict=True)
                self.telling.saves += [Save(self._git_at, path, digest) for path, digest in saves]
        _, said = await self._git("grep", "-h", "-o", "-E", r"\b[hb][0-9]+", "HEAD")
        kept = set(said.split()) - {name for name, _ in self.ledger.open}
        lost = (humans(all_names(before)) - humans(all_names(after))) & kept
        if lost and not any(one[0] in {"rm", "stash"} for one in ways) and not busy:
            self.report.wrong.append(f"git has {sorted(lost)}, and the files lost them")
        self.ledger.moved_by_git(before, after)
        self.ledger.end()

    async def _git(self, *arguments: str) -> tuple[int, str]:
        pipe = asyncio.subprocess.PIPE
        done = await asyncio.create_subprocess_exec(
            *command(arguments),
            cwd=self.root,
            stdout=pipe,
            stderr=asyncio.subprocess.STDOUT,
            stdin=asyncio.subprocess.DEVNULL,
        )
        said, _ = await done.communicate()
        return done.returncode or 0, " ".join(said.decode().split())[: 60 if arguments[0] != "grep" else None]

    # -- what has to be

    @property
    def _open(self) -> Running:
        assert self.here is not None
        return self.here

    def _check(self, tree: dict[str, bytes]) -> None:
        if not self.ledger.landing:
            self.report.wrong += self.ledger.wrong(tree)

    async def settle(self) -> None:
        """Wait until all that was done is told, and see whether it is as it has to be."""

        def rests() -> bool:
            return not self.ledger.landing and not self.telling.missing(self.tree())

        await self._until(rests, "what was done to be told")
        tree = self.tree()
        self._check(tree)
        self.ledger.rest(tree)
        self.report.count["settled"] += 1
        self.report.count["lines followed"] = max(self.report.count["lines followed"], len(self.ledger.there))

    async def until(self, true: Callable[[State], bool], what: str) -> None:
        """Wait until something is true of the session."""
        await self._until(lambda: true(self._open.state), what)

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                while not true():  # noqa: ASYNC110 - the disk tells nobody
                    await asyncio.sleep(0.01)
        except TimeoutError:
            state, missing = self._open.state, self.telling.missing(self.tree())
            text = f"waited in vain for {what}; {state.phase}, waiting {state.waiting}, {state.why!r}, {missing}"
            raise StuckError(text) from None

    # -- the whole way

    @asynccontextmanager
    async def session(self, resume: str | None) -> AsyncIterator[Running]:
        """Open a session, and see afterwards whether the journal has it all."""
        async with running(self.root, flags(), resume=resume, watch=True) as here:
            self.here = here
            here.session.subscribe(self.hear)
            begun = time.monotonic()
            await self._until(lambda: here.session.surroundings.heard == "watched", "the watcher")
            if self.telling.closed:
                self.telling.closed[-1] = self.telling.closed[-1][0], time.monotonic()
            self.report.count["ms to open"] += round((time.monotonic() - begun) * 1000)
            yield here
        now = time.monotonic()
        self.telling.closed.append((now, now))
        if stored(self.root, here.session.id) != here.state:
            self.report.wrong.append("what the journal comes to is not what was true at the end")
        self.here = None

    async def go(self, steps: int) -> None:
        """The whole way, over one session or several."""
        session: str | None = None
        last: State | None = None
        left = steps
        while left > 0:
            async with self.session(session) as here:
                if last is not None and stored(self.root, here.session.id) != here.state:
                    self.report.wrong.append("a resumed session is not what its journal says")
                session = here.session.id
                for _ in range(self.dice.choice((left, left, max(left // 2, 1)))):
                    left -= 1
                    await self.step()
                if left == 0:
                    await self._finish()
                else:
                    self._say("quit")
            last = here.state
            for _ in range(self.dice.choice((0, 0, 1, 2)) if left else 0):
                await self.save()

    async def _finish(self) -> None:
        if self._open.state.task is not None:
            self._tell(commands.Interrupt())
            await self.until(lambda state: state.task is None, "the task to end")
        await self.settle()
        self.report.wrong += [*self.telling.wrong, *self.telling.who(beside_git=self.beside_git)]
        if self.telling.git and self.telling.moves > 2 * self.report.count["git"]:
            self.report.wrong.append(f"{self.telling.moves} moves of git are told")


def _answers(event: ev.AnyEvent) -> bool:
    """Whether something has come of a decision."""
    kinds = (
        ev.Decided,
        ev.DecisionAwaited,
        ev.LandingConflicted,
        ev.LandingWaits,
        ev.TaskFinished,
        ev.Noted,
        ev.Reviewed,
    )
    return isinstance(event, kinds)


def _shown(old: bytes, new: bytes) -> str:
    was, now = names(old), names(new)
    return f"+{sorted(now - was)} -{sorted(was - now)}"


async def interleave(seed: int, folder: Path, steps: int = 12, *, beside_git: bool = True) -> Report:
    """One interleaving.

    Args:
        seed: Says what happens.
        folder: An empty one.
        steps: How much happens.
        beside_git: Who did what is to be right also in the moments in which git is at work, which the system's own
            pace may decide.
    """
    walk = Walk(seed, folder / "project", beside_git=beside_git)
    lines = Partner(
        random.Random(seed + 1), lambda: {path: data.decode().splitlines() for path, data in walk.tree().items()}
    )
    patches: Any = (
        mock.patch.object(build, "default_checks", return_value=(Judge(),)),
        mock.patch.object(several, "open_partner", return_value=Opened(lines, None)),
    )
    with contextlib.ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        try:
            await walk.go(steps)
        except* StuckError as stuck:
            walk.report.wrong += [str(one) for one in stuck.exceptions]
            walk.report.wrong += [*walk.telling.wrong]
    return walk.report
