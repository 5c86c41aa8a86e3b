"""Events of a session that is opened, and of what is in force."""

from __future__ import annotations

from agent_core.conversation import PartnerInfo
from agent_core.events.base import Event, Mode


class SessionStarted(Event, frozen=True):
    """A session was opened on a project.

    Attributes:
        session: Its id.
        project: Absolute path of the project.
        version: Version of pairloop.
    """

    session: str
    project: str
    version: str


class SessionResumed(Event, frozen=True):
    """A session goes on in a new process."""

    version: str


class Forked(Event, frozen=True):
    """The session began as a copy: everything before this event happened in another one, and was landed there.

    Attributes:
        session: Id of the session it was copied from.
        step: The last event that was copied.
        title: What that session was about; may be empty.
    """

    session: str
    step: int
    title: str = ""


class SettingsTold(Event, frozen=True):
    """What is in force: said at every opening and when it changes.

    Attributes:
        partner: Who proposes.
        mode: When the human is asked.
        candidate: How candidates are isolated, for a human.
        interpreter: Which Python runs the checks and where it was found, for a human.
    """

    partner: PartnerInfo
    mode: Mode
    candidate: str
    interpreter: str

    def tells_partner_alone(self, before: SettingsTold) -> bool:
        """Whether nothing but the partner differs from what was told before: a server has said who it is."""
        told = (self.mode, self.candidate, self.interpreter)
        return told == (before.mode, before.candidate, before.interpreter)


class ModeChanged(Event, frozen=True):
    """The human chose another mode."""

    mode: Mode
