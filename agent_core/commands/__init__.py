"""What somebody wants: typed, clicked, or caused by a saved file. Frozen; carried out by the session."""

from __future__ import annotations

from agent_core.commands.base import Command
from agent_core.commands.deciding import Accept, Comment, Fix, Land, Reject, Rewrite, Settle, Take, Unmark
from agent_core.commands.landing import Commit, DraftCommit, Redo, Undo
from agent_core.commands.memory import Compact, DropLesson, KeepLesson, Memorize, Teach, Uncompact
from agent_core.commands.partner import Answer, Approve, EndTool, ForgetRule, RaiseBudget, RetryNow, UsePartner
from agent_core.commands.repairing import EndSearch, SwitchRepairs, TakeRepair
from agent_core.commands.talking import Ask, Interrupt, Quit, SetMode, Shell, Steer, Tell, TellOf, Withdraw

__all__ = [
    "Accept",
    "Answer",
    "AnyCommand",
    "Approve",
    "Ask",
    "Command",
    "Comment",
    "Commit",
    "Compact",
    "DraftCommit",
    "DropLesson",
    "EndSearch",
    "EndTool",
    "Fix",
    "ForgetRule",
    "Interrupt",
    "KeepLesson",
    "Land",
    "Memorize",
    "Quit",
    "RaiseBudget",
    "Redo",
    "Reject",
    "RetryNow",
    "Rewrite",
    "SetMode",
    "Settle",
    "Shell",
    "Steer",
    "SwitchRepairs",
    "Take",
    "TakeRepair",
    "Teach",
    "Tell",
    "TellOf",
    "Uncompact",
    "Undo",
    "Unmark",
    "UsePartner",
    "Withdraw",
]

AnyCommand = (
    Ask
    | Steer
    | Withdraw
    | Shell
    | Accept
    | Reject
    | Take
    | Comment
    | Unmark
    | Rewrite
    | Settle
    | Land
    | Fix
    | Undo
    | Redo
    | DraftCommit
    | Commit
    | Memorize
    | Compact
    | Uncompact
    | Teach
    | KeepLesson
    | DropLesson
    | Approve
    | ForgetRule
    | EndTool
    | Answer
    | UsePartner
    | RetryNow
    | RaiseBudget
    | TakeRepair
    | EndSearch
    | SwitchRepairs
    | Interrupt
    | SetMode
    | Tell
    | Quit
)
