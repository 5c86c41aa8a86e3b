"""The profile for macOS, as text: it can be enforced there only."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent_core.process import run
from agent_core.sandbox.choose import try_beside
from agent_core.sandbox.copy import Copy
from agent_core.sandbox.layer import RunLayer
from agent_core.sandbox.limits import GB, Limits
from agent_core.sandbox.seatbelt import Seatbelt, find_seatbelt, profile
from agent_core.sandbox.secrets import Hidden
from agent_core.sandbox.shelter import Shelter

PROFILE = r"""(version 1)
(allow default)
(deny file-write*)
(allow file-write*
  (subpath "/state/tree \"1\"")
  (literal "/dev/null")
  (literal "/dev/zero")
  (literal "/dev/tty")
  (literal "/dev/ptmx")
  (literal "/dev/dtracehelper")
  (literal "/dev/stdout")
  (literal "/dev/stderr")
  (regex #"^/dev/ttys[0-9]+$")
)
(deny file-read-data file-read-xattr
  (subpath "/Users/me/.ssh")
  (subpath "/state")
  (literal "/Users/me/.npmrc")
)
(allow file-read-data file-read-xattr
  (subpath "/state/tree \"1\"")
  (subpath "/opt/python")
)
(deny mach-lookup
  (global-name "com.apple.SecurityServer")
  (global-name "com.apple.securityd.xpc")
  (global-name "com.apple.security.agent")
  (global-name "com.apple.pboard")
  (global-name "com.apple.coreservices.launchservicesd")
  (global-name "com.apple.coreservices.appleevents")
  (global-name "com.apple.tccd")
)
(deny appleevent-send)
(deny lsopen)
(deny process-info*)
(deny signal)
(allow process-info* (target same-sandbox))
(allow signal (target same-sandbox))
(deny network*)
(allow network-bind network-inbound (local ip "localhost:*"))
(allow network-outbound (remote ip "localhost:*"))
(allow network-bind network-inbound network-outbound
  (subpath "/state/tree \"1\"")
)
"""

HIDDEN = Hidden((Path("/Users/me/.ssh"), Path("/state")), (Path("/Users/me/.npmrc"),))
TREE = Path('/state/tree "1"')


def test_the_profile() -> None:
    assert profile([TREE], [Path("/opt/python")], HIDDEN, network=False) == PROFILE


def test_with_a_network_and_nothing_to_hide() -> None:
    text = profile([TREE], [], Hidden((), ()), network=True)
    assert "network" not in text
    # A rule without a filter would be about everything.
    assert "(deny file-read-data" not in text


def test_the_command_line(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    shelter = Shelter(tmp_path / "home", limits=Limits(GB, 100, GB))
    command = Seatbelt(Path("/usr/bin/sandbox-exec"), shelter).wrap(("echo", "hi"), RunLayer(tree, tree))
    assert command[:4] == ("/usr/bin/env", f"TMPDIR={tmp_path}/tmp", "/usr/bin/sandbox-exec", "-p")
    assert f'(subpath "{tree}")' in command[4]
    assert command[-2:] == ("echo", "hi")
    assert (tmp_path / "tmp").is_dir()


def test_failures_are_told_from_what_commands_say() -> None:
    mechanism = Seatbelt(Path("/usr/bin/sandbox-exec"), Shelter(Path("/Users/me")))
    assert mechanism.failure(b"sandbox-exec: unbound variable: x\n") == "unbound variable: x"
    assert mechanism.failure(b"sandbox-exec: execvp() of 'x' failed: No such file or directory\n") == ""
    assert mechanism.failure(b"assert x\n") == ""


async def test_one_that_lets_commands_write_to_the_project_is_found_out(tmp_path: Path) -> None:
    assert await try_beside(Copy(Shelter(tmp_path)), tmp_path) == "what commands write reaches the project"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "darwin", reason="sandbox-exec is on macOS only")
async def test_it_holds(tmp_path: Path) -> None:
    program = find_seatbelt()
    assert program is not None
    mechanism = Seatbelt(program, Shelter(Path.home()))
    assert await try_beside(mechanism, tmp_path) == ""
    tree = tmp_path / "c" / "tree"
    tree.mkdir(parents=True)
    command = mechanism.wrap(("/usr/bin/nc", "-z", "-w", "2", "192.0.2.1", "80"), RunLayer(tree, tree))
    assert (await run(command, cwd=tree, timeout=20)).code != 0
