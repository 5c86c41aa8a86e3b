"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from agent_core import build
from agent_core.partners import discovery
from agent_core.workspace import interpreter
from tests.support.part_taking import Pair

# A busy machine is slow, not wrong.
settings.register_profile("pairloop", deadline=None)
settings.load_profile("pairloop")

_look_for_python = interpreter._system_python
_python_here: list[Path | None] = []


def _system_python(root: Path, environ: Mapping[str, str]) -> Path | None:
    """The Python of a PATH; that of this process is asked once, as a shim takes as long as opening a small project."""
    if environ.get("PATH") != os.environ.get("PATH"):
        return _look_for_python(root, environ)
    if not _python_here:
        _python_here.append(_look_for_python(root, environ))
    return _python_here[0]


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a state folder, configuration and git identity of its own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PAIRLOOP_STATE_DIR", str(home / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # The keyring of whoever runs the tests is nobody's business.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    # The tests of the projects made here need none of the plug-ins installed here, most of a second for each run. Who
    # is about somebody's plug-ins takes it away.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # What listens on this machine, too.
    monkeypatch.setattr(discovery, "presets", dict)
    monkeypatch.setattr(interpreter, "_system_python", _system_python)
    (home / "gitconfig").write_text(
        "[user]\n\tname = Test\n\temail = test@example.invalid\n[init]\n\tdefaultBranch = main\n"
    )
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "PAIRLOOP_MODEL", "VIRTUAL_ENV", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Have a judge that knows at once judge instead of the checks."""
    check = Pair()
    monkeypatch.setattr(build, "default_checks", lambda *_: (check,))
    return check
