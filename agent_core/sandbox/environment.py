"""The environment of commands that judge candidates: the human's own, without secrets and traps."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from agent_core.workspace.interpreter import Interpreter

_SECRET = re.compile(
    r"(^|_)(API_?KEYS?|KEY_?ID|TOKENS?|SECRETS?|SECRET_KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?|PASSPHRASE)$"
    r"|PASSWORD|PASSWD|^AWS_|_SECRET_",
    re.IGNORECASE,
)

# Each of these would make a tool look at another tree, load other code or talk to a service of the human's session.
_TRAPS = re.compile(
    r"^(GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE|ALTERNATE_OBJECT_DIRECTORIES)"
    r"|PYTHONHOME|PYTHONSTARTUP|PYTHONINSPECT|PYTHONPYCACHEPREFIX|PYTHONEXECUTABLE|__PYVENV_LAUNCHER__"
    r"|PYTEST_(ADDOPTS|CURRENT_TEST|VERSION|XDIST_.*)|COV_CORE_.*|MYPY_CACHE_DIR|RUFF_CACHE_DIR"
    r"|SSH_AUTH_SOCK|SSH_AGENT_PID|GPG_AGENT_INFO|DBUS_SESSION_BUS_ADDRESS"
    r"|PWD|OLDPWD)$"
)


def is_secret(name: str, *, key_env: str = "") -> bool:
    """Whether an environment variable's name says that its value is a secret."""
    return bool(name and name == key_env) or _SECRET.search(name) is not None


def command_environment(
    parent: Mapping[str, str], interpreter: Interpreter, *, key_env: str = "", private_tmp: bool = True
) -> dict[str, str]:
    """What a command in a candidate gets as its environment.

    Args:
        parent: The environment to start from.
        interpreter: Its environment is made the active one.
        key_env: Name of the variable that holds the partner's key.
        private_tmp: The command has its own /tmp, so a temporary folder elsewhere is forgotten.
    """
    env = {
        name: value for name, value in parent.items() if not is_secret(name, key_env=key_env) and not _TRAPS.match(name)
    }
    if private_tmp:
        for name in ("TMPDIR", "TEMP", "TMP"):
            env.pop(name, None)
    env["GIT_OPTIONAL_LOCKS"] = "0"
    if interpreter.prefix is not None and not (interpreter.prefix / "conda-meta").is_dir():
        env["VIRTUAL_ENV"] = str(interpreter.prefix)
    elif env.get("VIRTUAL_ENV") == sys.prefix or interpreter.prefix is not None:
        env.pop("VIRTUAL_ENV", None)
    folder = str(Path(interpreter.python).parent)
    path = [part for part in env.get("PATH", os.defpath).split(os.pathsep) if part != folder]
    env["PATH"] = os.pathsep.join([folder, *path])
    return env
