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
        "POETRY_PYPI_TOKEN_MINE",
        "PIP_KEY",
        "npm_config__auth",
        "DJANGO_SECRET_KEY",
        "PYTHON_WEBHOOK_URL",
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


@pytest.mark.parametrize(
    "value", ["https://me:pw@host/simple", "https://ghp_0123456789abcdefghij@host", "postgres://u:p@h/db"]
)
def test_an_address_with_a_password_is_a_secret(value: str) -> None:
    assert command_environment({"PIP_INDEX_URL": value}, SYSTEM) == command_environment({}, SYSTEM)
    open_address = {"PIP_INDEX_URL": "https://host:8080/simple"}
    assert command_environment(open_address, SYSTEM)["PIP_INDEX_URL"] == "https://host:8080/simple"


def test_nobody_knows_all_names_so_only_usual_ones_are_let_in() -> None:
    mine = {"MYAPP": "x", "DISPLAY": ":0", "GOOGLE_CLOUD_PROJECT": "x", "GH_HOST": "x", "HTTPS_PROXY": "http://p"}
    assert not mine.keys() & command_environment(mine, SYSTEM).keys()
    assert command_environment(mine, SYSTEM, network=True)["HTTPS_PROXY"] == "http://p"


def test_the_human_lets_in_what_they_name() -> None:
    mine = {"MYAPP_A": "1", "MYAPP_TOKEN": "t", "OTHER_TOKEN": "t", "GIT_DIR": "x", "KEYED": "k"}
    allowed = ("MYAPP_*", "OTHER_TOKEN", "GIT_DIR", "KEYED")
    env = command_environment(mine, SYSTEM, allowed=allowed)
    # A secret has to be named in full, and a trap makes the verdict one about another tree.
    assert mine.keys() & env.keys() == {"MYAPP_A", "OTHER_TOKEN", "KEYED"}


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
