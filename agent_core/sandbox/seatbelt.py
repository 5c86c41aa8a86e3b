"""Shutting in commands on macOS by ``sandbox-exec``, in a copy of the project.

The profile's language is Apple's own and not documented; the rules are those that Chromium's and WebKit's published
profiles use. Of several rules that fit the last one holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from agent_core.protocols import Layer
from agent_core.sandbox.confinement import InCopies
from agent_core.sandbox.secrets import Hidden
from agent_core.sandbox.shelter import Shelter

_PROGRAM = Path("/usr/bin/sandbox-exec")

_DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/ptmx", "/dev/dtracehelper", "/dev/stdout", "/dev/stderr")

# Services that would act outside of the sandbox on a command's behalf: keychain, clipboard, starting programs.
_SERVICES = (
    *("com.apple.SecurityServer", "com.apple.securityd.xpc", "com.apple.security.agent", "com.apple.pboard"),
    *("com.apple.coreservices.launchservicesd", "com.apple.coreservices.appleevents", "com.apple.tccd"),
)

_LOOPBACK = '"localhost:*"'


def find_seatbelt() -> Path | None:
    """The system's ``sandbox-exec``; no other is trusted."""
    return _PROGRAM if os.access(_PROGRAM, os.X_OK) else None


def _quoted(text: str) -> str:
    """A string as the profile's language (a Scheme) writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _rule(verb: str, what: str, filters: Iterable[str]) -> Iterator[str]:
    """A rule, unless there is nothing it would be about: without a filter it would be about everything."""
    lines = tuple(filters)
    if lines:
        yield f"({verb} {what}"
        yield from (f"  {line}" for line in lines)
        yield ")"


def _below(places: Iterable[Path]) -> tuple[str, ...]:
    return tuple(f"(subpath {_quoted(str(place))})" for place in places)


def profile(writable: Sequence[Path], readable: Sequence[Path], hidden: Hidden, *, network: bool) -> str:
    """The rules a command is held to.

    Args:
        writable: Folders it may write to, by their real paths.
        readable: Folders it may read although they lie below something hidden, by their real paths.
        hidden: Places whose contents it may not read.
        network: Whether it may use the network.
    """
    lines = ["(version 1)", "(allow default)", "(deny file-write*)"]
    literal = [f"(literal {_quoted(device)})" for device in _DEVICES]
    lines += _rule("allow", "file-write*", (*_below(writable), *literal, '(regex #"^/dev/ttys[0-9]+$")'))
    files = [f"(literal {_quoted(str(file))})" for file in hidden.files]
    lines += _rule("deny", "file-read-data file-read-xattr", (*_below(hidden.folders), *files))
    lines += _rule("allow", "file-read-data file-read-xattr", _below((*writable, *readable)))
    lines += _rule("deny", "mach-lookup", (f"(global-name {_quoted(name)})" for name in _SERVICES))
    lines += ["(deny appleevent-send)", "(deny lsopen)", "(deny process-info*)", "(deny signal)"]
    lines += ["(allow process-info* (target same-sandbox))", "(allow signal (target same-sandbox))"]
    if not network:
        lines += ["(deny network*)"]
        lines += [f"(allow network-bind network-inbound (local ip {_LOOPBACK}))"]
        lines += [f"(allow network-outbound (remote ip {_LOOPBACK}))"]
        lines += _rule("allow", "network-bind network-inbound network-outbound", _below(writable))
    return "\n".join((*lines, ""))


class Seatbelt(InCopies):
    """Runs commands in a copy of the project under a profile.

    Args:
        program: Path of ``sandbox-exec``.
        shelter: What commands are kept to.
    """

    isolates = True

    def __init__(self, program: Path, shelter: Shelter) -> None:
        super().__init__(shelter)
        self._program = program

    @property
    def name(self) -> str:
        """What a human reads."""
        return f"copy, sandbox-exec, {self._shelter.text}"

    @property
    def note(self) -> str:
        """What is weaker here."""
        weak = "commands can write to the copy and their TMPDIR only, not to /tmp or home; limits hold single processes"
        if not self._shelter.network:
            weak += "; services that listen on this machine can be reached"
        return f"Weaker than on Linux: {weak}."

    def wrap(self, argv: Sequence[str], layer: Layer) -> tuple[str, ...]:
        """The command line that runs `argv` in the copy; makes a folder for temporary files beside it."""
        tmp = layer.upper.parent / "tmp"
        tmp.mkdir(exist_ok=True)
        writable, readable = (
            [Path(os.path.realpath(place)) for place in places]
            for places in ((layer.project, tmp, *layer.writable), layer.visible)
        )
        rules = profile(writable, readable, self._shelter.hidden(layer.project), network=self._shelter.network)
        inside = self._shelter.inside(argv, (), own_users=False)
        return ("/usr/bin/env", f"TMPDIR={tmp}", str(self._program), "-p", rules, *inside)

    def failure(self, stderr: bytes) -> str:
        """Why the sandbox itself could not be made, judged by what the command left on standard error."""
        if not stderr.startswith(b"sandbox-exec: ") or stderr.startswith(b"sandbox-exec: execvp()"):
            return ""
        return stderr.decode("utf-8", "replace").splitlines()[0].removeprefix("sandbox-exec: ")
