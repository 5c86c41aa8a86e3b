"""Errors meant for a human: what happened, where, and what to do about it."""

from __future__ import annotations

LOGGED = "The log has the details."


class PairloopError(Exception):
    """Base of every error that pairloop itself raises.

    Args:
        message: What happened, in one sentence, naming the file or value concerned.
        hint: What the human can do about it; empty when there is nothing to add.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def first_cause(error: BaseException) -> BaseException:
    """The one error to tell a human of: of a group (of groups) the first, from which the others mostly follow."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class ConfigError(PairloopError):
    """A configuration file, a flag or an environment variable cannot be used."""


class PatchRefusedError(PairloopError):
    """A patch does not parse or does not apply; nothing was written.

    The message is written so that a model can repair its patch from it in one step.

    Args:
        message: The whole refusal, failures and fine parts included.
        failures: One entry for each part that failed: which part and why. Empty when the patch as a whole is at fault.
        fine: The parts that had their place.
        already: Everything that the patch asks for is there already.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        failures: tuple[str, ...] = (),
        fine: tuple[str, ...] = (),
        already: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.failures = failures
        self.fine = fine
        self.already = already


class PatchUnwantedError(PatchRefusedError):
    """A patch is refused for what it does or for when it comes; it is written as it should be."""


class CommitError(PairloopError):
    """Something cannot be committed as it should be; nothing is.

    Args:
        paths: The files that stand in the way, relative to the top of the repository; empty where it is none of them.
        output: What a hook or git printed.
    """

    def __init__(self, message: str, hint: str = "", *, paths: tuple[str, ...] = (), output: str = "") -> None:
        super().__init__(message, hint)
        self.paths = paths
        self.output = output


class SelectionError(PairloopError):
    """A part of a patch was chosen that it does not have, or that cannot be had without another."""


class LandingConflictError(PairloopError):
    """A landing or an undo would collide with what is on disk; nothing was written.

    Args:
        conflicts: One entry a place: a path, or ``path:first-last`` with its lines, with what collides there.
        unsettled: It was broken off and some of it could not be taken back: it is still to be brought to an end.
    """

    def __init__(
        self, message: str, conflicts: tuple[str, ...] = (), hint: str = "", *, unsettled: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.conflicts = conflicts
        self.unsettled = unsettled


class LandingUnknownError(PairloopError):
    """There is no such landing, or it does not stand as it would have to: it is undone already, or not undone."""


class PartnerError(PairloopError):
    """The partner could not be reached, refused, or answered something unusable.

    Args:
        kind: One of ``auth``, ``unknown_model``, ``rate_limit``, ``server``, ``unreachable``,
            ``stream``, ``context_too_long``, ``refused``, ``bad_request``, ``script``.
        retry_after: Seconds the server asked to wait, or None when it did not say.
    """

    def __init__(self, kind: str, message: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed when sent again."""
        return self.kind in {"rate_limit", "server", "unreachable", "stream"}


class BudgetError(PairloopError):
    """What may be spent is used up, and the human does not want to spend more."""


class SandboxError(PairloopError):
    """A command could not be put into its sandbox or candidate."""


class CheckError(PairloopError):
    """A tool of a check could not do what it was asked to."""


class JournalError(PairloopError):
    """The journal cannot be opened, read or written."""


class LessonError(PairloopError):
    """What is remembered over sessions cannot be read or written, or there is no such lesson."""


class PermissionsError(PairloopError):
    """The rules that are kept for a project cannot be read or written, or there is no such rule."""
