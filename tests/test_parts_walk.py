"""A long walk of a human who does anything at any time: no line of theirs is lost, and nothing lands unjudged."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from agent_core import build, commands
from agent_core import events as ev
from agent_core.assessor import usable
from agent_core.state import State
from tests.support.part_taking import MANY, Pair, script
from tests.support.running import Running, running, stored
from tests.support.shop import make_shop

STEPS = 120


def wrong(event: ev.AnyEvent, state: State) -> str:
    """What is shown of another tree than it is about, or lands unjudged; empty when all is well."""
    proposal = state.proposal
    if isinstance(event, ev.Decided) and event.decision == "accept" and proposal is not None:
        verdict = proposal.part if event.of else proposal.verdict
        if not usable(verdict):
            return f"proposal {event.proposal} is to land unjudged"
    if proposal is not None and proposal.verdict is not None and proposal.verdict.tree != proposal.tree:
        return "the verdict is about another tree"
    if proposal is not None and proposal.part is not None and proposal.part.tree != proposal.part_tree:
        return "the part's verdict is about another tree"
    return ""


class Walk:
    """Does one thing after the other."""

    def __init__(self, here: Running, project: Path, seed: int) -> None:
        self.here, self.project, self.dice = here, project, random.Random(seed)
        self.mine: list[str] = []

    def step(self) -> bool:
        """Do something; it is not waited for. Gives whether it is to land something."""
        state, dice = self.here.state, self.dice
        if state.task is None:
            # What stands is in the way of the same patch: taken back mostly, so that it can be proposed again.
            stands = any(one.stands == "landed" and not one.undoes for one in state.landings)
            self.here.submit(commands.Undo() if stands and dice.random() < 0.7 else commands.Ask("mend it"))
            return False
        proposal = state.proposal
        if proposal is None or not state.waiting or dice.random() < 0.12:
            self.beside()
            return False
        number = proposal.number
        file = dice.choice(proposal.patch.files)
        block = dice.choice([one.id for one in file.blocks])
        take = commands.Take(number, blocks=(block,), taken=dice.choice([True, True, False, None]))
        rewrite = commands.Rewrite(number, file.path, block, f"# rewritten {dice.randrange(99)}\n")
        options: list[commands.AnyCommand] = [take, take, take, rewrite, commands.Comment(number, block, "why?")]
        landing: list[commands.AnyCommand] = [
            commands.Land(number),
            commands.Land(number, "so"),
            commands.Accept(number),
        ]
        options += [commands.Unmark(number), *landing, *landing, commands.Reject(number)]
        chosen = dice.choice(options)
        self.here.submit(chosen)
        return chosen in landing

    def beside(self) -> None:
        """What has nothing to do with a proposal: a save, an interrupt, a landing taken back."""
        what = self.dice.randrange(9)
        if what < 5:
            line = f"# mine {len(self.mine)}\n"
            name = self.dice.choice(["README.md", "shop/prices.py"])
            path = self.project / name
            # In one go, as editors save; where it is theirs alone.
            path.write_text(line + path.read_text())
            self.mine.append(line)
        elif what < 7:
            self.here.submit(commands.Interrupt())
        elif what == 7:
            self.here.submit(commands.Undo())
        else:
            self.here.submit(commands.SetMode(self.dice.choice(["step", "step", "until-green"])))

    async def heard(self, since: int) -> None:
        """Wait until something has come of what was to land: it is decided on, or it is said why it is not."""
        number = self.here.state.proposal.number if self.here.state.proposal is not None else 0

        def is_answer(event: ev.AnyEvent) -> bool:
            match event:
                case ev.Decided() | ev.TaskFinished():
                    return True
                case ev.ProposalMade():
                    return event.number != number
                case ev.Noted():
                    return "told already" not in event.text
                case ev.DecisionAwaited():
                    return "lands it anyway" in event.why
                case _:
                    return False

        await self.here.until(lambda _: any(map(is_answer, self.here.events[since:])))


def _answers(here: Running) -> int:
    return sum("told already" in one.text for one in here.all(ev.Noted))


@pytest.mark.parametrize("seed", [0, 1, 5])
async def test_a_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(build, "default_checks", lambda *_: (Pair(),))
    project = make_shop(tmp_path / "shop")
    turns: list[Any] = [MANY, {"text": "Fine."}] * STEPS
    async with running(project, script(tmp_path, *turns), watch=True) as here:
        found: list[str] = []
        here.session.subscribe(lambda entry, state: found.append(wrong(entry.event, state)))
        walk = Walk(here, project, seed)
        for number in range(1, STEPS + 1):
            since = len(here.events)
            landing = walk.step()
            # Always answered, so all that was wanted before has been taken up by then.
            here.submit(commands.Withdraw(0, "never said"))
            await here.until(lambda _, number=number: _answers(here) >= number)  # type: ignore[misc]
            if walk.dice.random() < 0.95:
                await here.until(lambda state: state.waiting > 0 or state.task is None)
            if landing and walk.dice.random() < 0.8:
                await walk.heard(since)
        if here.state.task is None:
            here.submit(commands.Ask("mend it"))
            await here.until(lambda state: state.task is not None)
        here.submit(commands.Interrupt())
        await here.until(lambda state: state.task is None)
        assert [one for one in found if one] == []
        text = (project / "README.md").read_text() + (project / "shop/prices.py").read_text()
        assert [line for line in walk.mine if line not in text] == []
        session = here.session.id
        started = [one for one in here.all(ev.LandingStarted) if not one.undoes]
        decided = [one for one in here.all(ev.Decided) if one.decision == "accept"]
        assert len(started) <= len(decided)
        # It has been where it was to go.
        assert len(started) > 2
        assert any(one.undoes for one in here.all(ev.LandingStarted))
        assert any(one.outcome == "interrupted" for one in here.all(ev.TaskFinished))
    assert stored(project, session) == here.state
