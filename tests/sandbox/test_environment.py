"""What commands get to see of the human's environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent_core.sandbox.environment import command_environment, is_secret
from agent_core.workspace.interpreter import Interpreter

SYSTEM = Interpreter(Path("/usr/bin/python3"), "PATH")


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "GITHUB_TOKEN",
        "TOKEN",
        "CLIENT_SECRET",
        "DB_PASSWORD",
        "PGPASSWORD",
        "AWS_PROFILE",
        "MY_CREDENTIALS",
    ],
)
def test_secrets_stay_out(name: str) -> None:
    assert is_secret(name)
    assert name not in command_environment({name: "x"}, SYSTEM)
    assert name.lower() not in command_environment({name.lower(): "x"}, SYSTEM)


@pytest.mark.parametrize(
    "name", ["HOME", "LANG", "LC_ALL", "PYTHONPATH", "TOKENIZERS_PARALLELISM", "DJANGO_SETTINGS_MODULE", "CFLAGS"]
)
def test_what_programs_need_stays(name: str) -> None:
    assert command_environment({name: "x"}, SYSTEM)[name] == "x"


def test_the_partners_key_stays_out_whatever_its_name() -> None:
    assert "LLAMA" not in command_environment({"LLAMA": "x"}, SYSTEM, key_env="LLAMA")


@pytest.mark.parametrize("name", ["PYTEST_ADDOPTS", "PYTHONHOME", "GIT_DIR", "GIT_INDEX_FILE", "SSH_AUTH_SOCK", "PWD"])
def test_traps_stay_out(name: str) -> None:
    assert name not in command_environment({name: "x"}, SYSTEM)


def test_the_interpreters_environment_is_the_active_one() -> None:
    parent = {"PATH": "/usr/bin:/p/.venv/bin", "VIRTUAL_ENV": "/other"}
    venv = Interpreter(Path("/p/.venv/bin/python"), ".venv", Path("/p/.venv"))
    env = command_environment(parent, venv)
    assert (env["PATH"], env["VIRTUAL_ENV"]) == ("/p/.venv/bin:/usr/bin", "/p/.venv")
    assert command_environment(parent, SYSTEM)["VIRTUAL_ENV"] == "/other"
    assert "VIRTUAL_ENV" not in command_environment({"VIRTUAL_ENV": sys.prefix}, SYSTEM)


def test_a_temporary_folder_elsewhere_is_forgotten_with_a_private_one() -> None:
    assert "TMPDIR" not in command_environment({"TMPDIR": "/scratch"}, SYSTEM)
    assert command_environment({"TMPDIR": "/scratch"}, SYSTEM, private_tmp=False)["TMPDIR"] == "/scratch"
