"""The environment of commands in candidates: of the human's own what programs need, without secrets and traps.

It is made of what is let in, not of what is left out: nobody knows all the names that secrets have.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from agent_core.keys.known import KNOWN
from agent_core.workspace.interpreter import Interpreter

# A word of a name that says its value is a secret. TOKENIZERS_PARALLELISM and KEYBOARD say no such thing.
_SECRET = re.compile(
    r"(^|_)(API_?KEYS?|ACCESS_?KEYS?|PRIVATE_?KEYS?|SIGNING_?KEYS?|KEY_?ID|TOKENS?|SECRETS?|CREDENTIALS?|CREDS|AUTH|PAT"
    r"|PASSPHRASE|PASS|COOKIES?|DSN|WEBHOOK(_URL)?|CONNECTION_STRING)(_|$)"
    r"|PASSWORD|PASSWD|^AWS_|AUTHTOKEN|(^|_)KEY$",
    re.IGNORECASE,
)

# An address with a password in it.
_ADDRESS = re.compile(r"://[^/@\s:]*:[^/@\s]+@|://[^/@\s:]{16,}@")

# What programs, compilers and test-suites need to find themselves and each other, and what tests are commonly run with.
_USUAL = (
    # who and where
    *(
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "HOSTNAME",
        "LANG",
        "LANGUAGE",
        "LC_*",
        "TZ",
        "TZDIR",
        "LOCALE_ARCHIVE",
    ),
    *("TERM", "TERMINFO", "TERMINFO_DIRS", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR*"),
    *("TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_*_DIRS"),
    *("CI", "DEBUG", "ENV", "ENVIRONMENT", "APP_ENV", "LOG_LEVEL", "SOURCE_DATE_EPOCH", "EDITOR", "PAGER"),
    # Python and its tools
    *("PYTHON*", "PYTEST_*", "VIRTUAL_ENV", "CONDA_*", "PYENV_*", "PIP_*", "UV_*", "POETRY_*", "PDM_*", "HATCH_*"),
    *("MYPYPATH", "MYPY_*", "RUFF_*", "COVERAGE_*", "COV_*", "HYPOTHESIS_*", "TOX_*", "NOX_*", "PRE_COMMIT_*"),
    *("DJANGO_*", "FLASK_*", "NUMBA_*", "OMP_*", "MKL_*", "OPENBLAS_*", "MPL*", "QT_QPA_PLATFORM", "SDL_*DRIVER"),
    *(
        "CUDA_*",
        "TF_CPP_*",
        "TORCH_HOME",
        "HF_HOME",
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "TOKENIZERS_PARALLELISM",
    ),
    # other languages and builds
    *(
        "NODE_*",
        "NVM_*",
        "VOLTA_HOME",
        "FNM_*",
        "PNPM_HOME",
        "COREPACK_*",
        "npm_config_cache",
        "BUN_INSTALL",
        "DENO_DIR",
    ),
    *(
        "CARGO_*",
        "RUST*",
        "GOOS",
        "GO[!O]*",
        "JAVA_*",
        "JDK_HOME",
        "MAVEN_*",
        "M2_HOME",
        "GRADLE_*",
        "SDKMAN_DIR",
        "KOTLIN_HOME",
    ),
    *(
        "GEM_*",
        "BUNDLE_*",
        "RUBY*",
        "RBENV_*",
        "PERL*",
        "PHP*",
        "COMPOSER_HOME",
        "DOTNET_*",
        "NUGET_PACKAGES",
        "ASDF_*",
    ),
    *(
        "MISE_*",
        "CC",
        "CXX",
        "CPP",
        "LD",
        "AR",
        "*FLAGS",
        "MAKE*",
        "CMAKE_*",
        "NINJA_STATUS",
        "PKG_CONFIG_*",
        "CCACHE_*",
    ),
    *("C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "CPATH", "LIBRARY_PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_*"),
    *("SDKROOT", "MACOSX_DEPLOYMENT_TARGET", "DEVELOPER_DIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"),
    *("NIX_*", "GUIX_*", "IN_NIX_SHELL", "HOMEBREW_PREFIX", "SSL_CERT_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    # git, as tests use it
    *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_AUTHOR_*", "GIT_COMMITTER_*"),
    *("GIT_CEILING_DIRECTORIES", "GIT_DEFAULT_HASH", "GIT_TERMINAL_PROMPT"),
)

# Of use only with a network.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")

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


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def passes(name: str, value: str, *, key_env: str = "", allowed: Sequence[str] = (), network: bool = False) -> bool:
    """Whether commands get to see a variable of the human's environment.

    Args:
        name: The variable.
        value: Its value; an address with a password in it is a secret whatever its name.
        key_env: Name of the variable that holds the partner's key.
        allowed: Names the human lets in beyond the usual ones, see `SandboxConfig.env`.
        network: Commands have a network.
    """
    if _TRAPS.match(name):
        return False
    if name in allowed:
        return True
    if is_secret(name, key_env=key_env) or _ADDRESS.search(value) or KNOWN.are_in(value):
        return False
    return _any(name, allowed) or _any(name, _USUAL) or (network and name in _PROXIES)


def command_environment(
    parent: Mapping[str, str],
    interpreter: Interpreter,
    *,
    key_env: str = "",
    private_tmp: bool = True,
    allowed: Sequence[str] = (),
    network: bool = False,
) -> dict[str, str]:
    """What a command in a candidate gets as its environment.

    Args:
        parent: The environment to start from.
        interpreter: Its environment is made the active one.
        key_env: Name of the variable that holds the partner's key.
        private_tmp: The command has its own /tmp, so a temporary folder elsewhere is forgotten.
        allowed: Names the human lets in beyond the usual ones, see `SandboxConfig.env`.
        network: Commands have a network.
    """
    env = {
        name: value
        for name, value in parent.items()
        if passes(name, value, key_env=key_env, allowed=allowed, network=network)
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
