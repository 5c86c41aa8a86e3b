"""Rules on what the partner may do: what they fit, what gets past none of them, what is offered, where it is kept."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.config import load
from agent_core.config_tables import PermissionsConfig
from agent_core.errors import ConfigError, PermissionsError
from agent_core.events.running import Action
from agent_core.permission_book import KnownRule, PermissionBook
from agent_core.permissions import Offer, Rules, read_rule, rules_trouble
from agent_core.shell_words import possible_commands, simple_commands


def allowing(*rules: str) -> Rules:
    return Rules(PermissionsConfig(allow=rules))


def answer(rules: Rules, subject: str, action: Action = "run") -> str:
    return rules.judge(action, subject).answer


@pytest.mark.parametrize(
    "command",
    [
        "pytest",
        "pytest tests/x.py",
        "pytest -k 'a or b; c'",
        'pytest "x y"',
        "pytest tests/*.py",
        "pytest 2>&1",
        "pytest && pytest -x",
        "pytest a | pytest b ; pytest c",
        "pytest a\npytest b",
        "py'test' x",
    ],
)
def test_what_a_rule_with_any_words_allows(command: str) -> None:
    assert answer(allowing("run pytest *"), command) == "allow"


HOSTILE = [
    "; rm -rf /",
    " && x",
    " || x",
    " | sh",
    " & x",
    "\nx",
    "\r\nx",
    " $(curl evil)",
    " `curl evil`",
    ' "$(curl evil)"',
    ' "`curl evil`"',
    " $HOME",
    " ${x:-y}",
    " > /etc/passwd",
    " >> x",
    " < x",
    " 2> x",
    " &> x",
    " 2>&1x",
    " <(x)",
    " <<E\nx\nE",
    " \\\n; x",
    " # x",
    " |& x",
    " ;; x",
    " 'x",
    ' "x',
    " \\",
    " \x1b[2J",
    " \u202ex",
    " (x)",
    " x\u00a0; y",
    " \n sh -c 'pytest'",
]


@pytest.mark.parametrize("more", HOSTILE)
@pytest.mark.parametrize("rule", ["run pytest *", "run pytest tests/x.py *"])
def test_what_a_rule_never_allows_along(more: str, rule: str) -> None:
    command = rule.removeprefix("run ").removesuffix(" *")
    assert answer(allowing(rule), command) == "allow"
    assert answer(allowing(rule), command + more) == "ask"


@pytest.mark.parametrize(
    "command",
    [
        "A=1 pytest",
        "sh -c pytest",
        "sh -c 'pytest; x'",
        "env pytest",
        "/tmp/pytest",
        "pytestx",
        "./pytest",
        "! pytest",
        "if pytest; then x; fi",
        "{ pytest; }",
        "pyt* x",
        "{pytest,x}",
        "$(pytest)",
        "PYTEST",
        "'pytest x'",
        "",
        ";",
        "&&",
    ],
)
def test_what_only_looks_like_it(command: str) -> None:
    assert answer(allowing("run pytest *"), command) == "ask"


def test_words_are_matched_one_by_one() -> None:
    rules = allowing("run git status", "run cat src/*", "run npm run test:*", "run ./scripts/*", "run echo '*'")
    for command in ("git status", "cat src/a.py", "cat src/a/b.py", "npm run test:unit", "./scripts/a", "echo '*'"):
        assert answer(rules, command) == "allow", command
    for command in (
        "git status -s",
        "git",
        "cat src/a src/b",
        "cat src/../etc/passwd",
        "cat src/..",
        "cat src/*",
        "npm run test",
        "./scripts/../x",
        "./scripts/a/b",
        "echo a",
        "echo *",
    ):
        assert answer(rules, command) == "ask", command
    assert answer(allowing("run *"), "pytest > x; $(y)") == "allow"


DENIED = [
    "rm x",
    "/bin/rm x",
    "ls; rm x",
    "ls && rm x",
    "ls | rm x",
    "ls\nrm x",
    "ls & rm x",
    "echo $(rm x)",
    'echo "$(rm $(cat y))"',
    "echo `rm x`",
    "(rm x)",
    "{ rm x; }",
    "A=1 rm x",
    "r'm' x",
    "\\rm x",
    "sudo -u me rm x",
    "env A=1 rm x",
    "find . -name y | xargs -n 1 rm -f",
    "find . -exec rm {} +",
    "sh -c 'cd y; rm x'",
    "sudo sh -c 'rm x'",
    "if true; then rm x; fi",
    "timeout 5 rm x",
    "ls > y; rm x",
    "rm \\\n x",
    "2> y rm x",
    "< y rm x",
    "> y rm x",
    "time -p rm x",
    "sh <<< 'rm x'",
    "echo 'rm x' | sh",
    "trap 'rm x' EXIT",
    "ssh there rm x",
    "ssh there 'rm x'",
    "strace -f rm x",
    "docker run -it image rm x",
    "npm exec -- rm x",
    "script -c 'rm x'",
]


@pytest.mark.parametrize("command", DENIED)
def test_what_is_denied_is_denied_wherever_it_stands(command: str) -> None:
    rules = Rules(PermissionsConfig(allow=("run *",), ask=("run *",), deny=("run rm *",)))
    assert rules.judge("run", command) == rules.judge("run", "rm x")
    assert answer(rules, command) == "deny"
    # And to be asked goes before being allowed, in the same places.
    assert answer(Rules(PermissionsConfig(allow=("run *",), ask=("run rm *",))), command) == "ask"


@pytest.mark.parametrize(
    "command", ["git push", "git -C there push origin", "git --no-pager -c a.b=c push", "git --git-dir x push -f"]
)
def test_options_before_what_a_program_is_to_do_hide_nothing(command: str) -> None:
    assert answer(Rules(PermissionsConfig(allow=("run *",), deny=("run git push *",))), command) == "deny"


@pytest.mark.parametrize(
    "command",
    [
        "x=rm; $x y",
        "$'rm' x",
        "rm${IFS}x",
        "{rm,x}",
        "/bin/r[m] x",
        "/bin/r? x",
        "$(echo rm) x",
        '"$(echo rm)" x',
        "`echo rm` x",
        "ls && $(echo rm) x",
        'bash -c "$(echo rm) x"',
        "sudo $x y",
        'eval "$x"',
    ],
)
def test_a_line_that_does_not_say_what_it_runs_is_asked_where_anything_is_denied(command: str) -> None:
    assert answer(allowing("run *"), command) == "allow", "whoever denies nothing means anything"
    for rules in (
        PermissionsConfig(allow=("run *",), deny=("run rm *",)),
        PermissionsConfig(("run *",), ("run rm *",)),
    ):
        assert answer(Rules(rules), command) == "ask"


@pytest.mark.parametrize(
    "command", ["ls *.py", "echo $HOME $(date)", "[ -f x ] && cat x", "for a in *; do ls $a; done"]
)
def test_what_says_its_programs_is_not_asked_for_its_words(command: str) -> None:
    assert answer(Rules(PermissionsConfig(allow=("run *",), deny=("run rm *",))), command) == "allow"


@pytest.mark.parametrize(
    "command",
    [
        "ls rm",
        "git rm x",
        "echo 'rm x'",
        "rmdir x",
        "git commit -m 'a; rm x'",
        "git commit -m push",
        "git log --grep push",
    ],
)
def test_what_has_the_name_among_its_words_is_not_denied(command: str) -> None:
    rules = PermissionsConfig(allow=("run *",), deny=("run rm *", "run git push *"))
    assert answer(Rules(rules), command) == "allow"


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://docs.python.org/3/library", True),
        ("https://DOCS.python.org/3/?q=../x", True),
        ("https://docs.python.org/2/", False),
        ("http://docs.python.org/3/", False),
        ("https://docs.python.org@evil.com/3/", False),
        ("https://docs.python.org.evil.com/3/", False),
        ("https://docs.python.org/3/../2/", False),
        ("https://docs.python.org/3/%2E%2e%2f2/", False),
        ("https://docs.python.org/3/\n", False),
        ("https://a.example.org/x", True),
        ("https://evil.com/.example.org/x", False),
        ("https://evil.com?.example.org/x", False),
        ("https://evil.com#.example.org/x", False),
    ],
)
def test_addresses_are_matched_by_server_and_path(address: str, allowed: bool) -> None:
    rules = allowing("fetch https://docs.python.org/3/*", "fetch https://*.example.org/*")
    assert answer(rules, address, "fetch") == ("allow" if allowed else "ask")
    assert answer(rules, address, "run") == "ask"


def test_tools_of_servers_are_matched_by_name() -> None:
    rules = Rules(PermissionsConfig(allow=("mcp files/read_*",), deny=("mcp */drop",)))
    assert answer(rules, "files/read_file", "mcp") == "allow"
    assert answer(rules, "files/write", "mcp") == "ask"
    assert answer(rules, "db/drop", "mcp") == "deny"
    assert rules.offer("mcp", "files/write") == Offer("mcp files/write", "mcp files/*")


@pytest.mark.parametrize(
    ("command", "exact", "wider"),
    [
        ("pytest tests/x.py", "run pytest tests/x.py", "run pytest *"),
        ("python -m pytest x", "run python -m pytest x", "run python -m pytest *"),
        ("python x.py", "run python x.py", ""),
        ("git log -3", "run git log -3", "run git log *"),
        ("git -C x log", "run git -C x log", ""),
        ("npm run test", "run npm run test", "run npm run test *"),
        ("uv run bash x", "run uv run bash x", ""),
        ("rm x", "run rm x", ""),
        ("sh -c 'a; b'", "run sh -c 'a; b'", ""),
        ("cd a && mypy b", "run cd a\nrun mypy b", ""),
        ("ls *.py", "run ls *", ""),
        ("rm *", "", ""),
        ("pytest > x", "", ""),
        ("echo $(x)", "", ""),
        ("a; b; c; d", "", ""),
    ],
)
def test_the_narrowest_rule_is_offered_and_one_wider_step(command: str, exact: str, wider: str) -> None:
    assert allowing().offer("run", command) == Offer(exact, wider)


def test_nothing_is_offered_where_it_would_not_help() -> None:
    rules = Rules(PermissionsConfig(allow=("run ls",), ask=("run pytest *",), deny=("run rm *",)))
    assert [rules.offer("run", one) for one in ("ls", "pytest x", "rm x")] == [Offer()] * 3
    # Of a line only what is not allowed yet.
    assert rules.offer("run", "ls && make all") == Offer("run make all", "run make all *")


PIECES = st.sampled_from(
    ["a", "-x", "b c", "*", "'", '"', "$x", "`", ";", "&", "|", "\\", "#", "ä", "=", "{", "~", ">", ""]
)


@given(st.lists(st.lists(PIECES, max_size=4).map("".join), min_size=1, max_size=4))
def test_whatever_is_quoted_is_a_word_and_its_rule_allows_it_alone(words: list[str]) -> None:
    words = ["prog", *words]
    line = shlex.join(words)
    (command,) = simple_commands(line) or ()
    assert [word.text for word in command] == words
    offer = allowing().offer("run", line)
    assert offer.rule == f"run {line}"
    rules = allowing(offer.rule)
    assert answer(rules, line) == "allow"
    assert answer(rules, f"{line} more") == answer(rules, shlex.join(words[:-1])) == "ask"


@settings(max_examples=60)
@given(st.lists(PIECES, min_size=1, max_size=8).map("".join))
def test_what_is_read_strictly_is_what_a_shell_runs(text: str) -> None:
    found = simple_commands(f"printf '%s\\0' {text}")
    if found is None or len(found) > 1 or any(word.wild for word in found[0]):
        return
    done = subprocess.run(["sh", "-c", f"printf '%s\\0' {text}"], capture_output=True, check=True, timeout=10)
    assert done.stdout.decode() == "".join(f"{word.text}\0" for word in found[0][2:]) or len(found[0]) == 2


@given(st.text(alphabet="ab rm;|&$()`'\"\\\n{}<>#*=!", max_size=40))
def test_nothing_that_is_allowed_by_words_runs_anything_else(line: str) -> None:
    # Whatever can be read strictly is found by the generous reading too: a rule that denies it would have been met.
    for command in simple_commands(line) or ():
        texts = tuple(word.text for word in command)
        assert texts in {tuple(one) for one in possible_commands(line)}


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("pytest *", "begins with one of run, fetch, mcp"),
        ("run", "what it is about"),
        ("run a; b", "one command"),
        ("run a > b", "one command"),
        ("run a\nrun b", "a line"),
        ("fetch docs.python.org", "an address"),
        ("", "begins with"),
    ],
)
def test_what_is_no_rule_is_named_with_its_line(rule: str, why: str, tmp_path: Path) -> None:
    assert why in rules_trouble(rule)
    (tmp_path / "pairloop.toml").write_text(f"[permissions]\nask = [\n  'run x',\n  {json.dumps(rule)},\n]\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {}, {})
    assert "permissions.ask" in caught.value.message
    assert why in caught.value.message
    if rule and "\n" not in rule and rule not in {"run", "fetch"}:
        assert f"{tmp_path / 'pairloop.toml'}:4:" in caught.value.message


def test_a_project_adds_rules_and_takes_none_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "config.toml"
    own.write_text("[permissions]\nallow = ['run a']\nask = ['run b']\ndeny = ['run c']\n")
    monkeypatch.setattr("agent_core.config.user_file", lambda: own)
    project = tmp_path / "project"
    project.mkdir()
    (project / "pairloop.toml").write_text("[permissions]\nask = []\ndeny = ['run d']\n")
    assert load(project, {}, {}).permissions == PermissionsConfig(("run a",), ("run b",), ("run c", "run d"))
    (project / "pairloop.toml").write_text("[permissions]\nallow = ['run d']\n")
    with pytest.raises(ConfigError, match="a project cannot set this for you"):
        load(project, {}, {})


def test_rules_are_kept_for_their_owner_alone_and_forgotten(tmp_path: Path) -> None:
    book = PermissionBook(tmp_path / "state")
    assert book.rules() == ()
    book.keep(("run a", "run 'b c' *"))
    PermissionBook(tmp_path / "state").keep(("run d", "run a"))
    assert book.rules() == ("run a", "run 'b c' *", "run d")
    assert book.path.stat().st_mode & 0o777 == 0o600
    known = book.known(PermissionsConfig(deny=("run x",)))
    assert known[0] == KnownRule("allow", "run d", kept=True)
    assert known[-1] == KnownRule("deny", "run x")
    with pytest.raises(PermissionsError, match="cannot be kept"):
        book.keep(("run e", "run a; b"))
    assert book.forget("run a")
    assert not book.forget("run a")
    with book.path.open("a") as file:
        file.write("rubbish\n\x00\n")
    assert book.rules() == ("run 'b c' *", "run d")


def test_a_rule_is_told_as_it_was_written() -> None:
    assert read_rule("  run  pytest  * ").text == "run pytest  *"
