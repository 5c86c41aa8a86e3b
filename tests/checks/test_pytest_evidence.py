"""What is told of a failing test: frames with source and variables, what was compared, groups, fixtures, no secrets."""

from __future__ import annotations

import time
from textwrap import dedent

import pytest

from agent_core.checks.model import Finding
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.pytest_plugin.pairloop_pytest.diff import sides
from agent_core.checks.pytest_plugin.pairloop_pytest.values import MASK, Show, mask, mask_source
from tests.checks.conftest import THIS_PYTHON, Open, run_one

CHECK = PytestCheck(THIS_PYTHON, timeout=60)


async def test_failures_are_told_in_full(opened: Open) -> None:
    project = await opened(
        {
            "shop.py": """
                def total(prices):
                    # Taxes come later.
                    result = 0
                    for price in prices:
                        result += price["amount"]
                    return result
            """,
            "test_a.py": """
                import unittest

                import pytest
                from shop import total

                def test_frames():
                    total([{"amount": 1}, {"sum": 2}])

                def test_dicts():
                    left = {f"key{number}": number for number in range(40)}
                    right = dict(left, key7=[1, 2])
                    assert left == right

                def test_texts():
                    assert "\\n".join("abcdef") == "\\n".join("abXdef")

                def test_long_lines():
                    assert "x" * 500 + "left" == "x" * 500 + "right"

                def test_another_compare_was_caught():
                    try:
                        assert {"a": list(range(40))} == {"b": list(range(50))}
                    except AssertionError:
                        pass
                    raise AssertionError("something else")

                def test_group():
                    raise ExceptionGroup("two went wrong", [KeyError("name"), ExceptionGroup("in", [OSError("disk")])])

                def test_no_fixture(nothing_of_that_name): pass

                @pytest.fixture
                def outer(request): return request.getfixturevalue("inner")

                @pytest.fixture
                def inner(): raise OSError("no disk")

                def test_fixture(outer): pass

                class TestIt(unittest.TestCase):
                    def test_sub(self):
                        with self.subTest(number=1):
                            self.assertEqual([1, 2], [1, 3])
            """,
            "test_b.py": "import sys\nprint('loading')\nraise LookupError('at import')\n",
        }
    )
    findings = {finding.code.partition("::")[2]: finding for finding in (await run_one(CHECK, project)).findings}

    frames = findings["test_frames"]
    assert (frames.message, frames.place) == ("KeyError: 'amount'", "shop.py:5")
    assert frames.detail == dedent(
        """\
        test_a.py:7 in test_frames
            4 | from shop import total
            5 |
            6 | def test_frames():
          > 7 |     total([{"amount": 1}, {"sum": 2}])
            8 |
            9 | def test_dicts():
        shop.py:5 in total
            2 |     # Taxes come later.
            3 |     result = 0
            4 |     for price in prices:
          > 5 |         result += price["amount"]
            6 |     return result
              prices = [{'amount': 1}, {'sum': 2}]
              result = 1
              price = {'sum': 2}
        KeyError: 'amount'"""
    )
    assert frames.near == "for price in prices:\nreturn result"

    assert "left (-) and right (+):" in findings["test_dicts"].detail
    assert "\n  - 'key7': 7,\n  + 'key7': [1, 2],\n" in findings["test_dicts"].detail
    assert "key30" not in findings["test_dicts"].detail.partition("left (-)")[2]
    assert findings["test_texts"].detail.endswith("   a\n   b\n  -c\n  +X\n   d\n   e")
    long = findings["test_long_lines"].detail
    assert "they differ from character 500 on (of 504 and 505):" in long
    assert f"  -...{'x' * 50}left\n  +...{'x' * 50}right" in long
    assert "left (-)" not in findings["test_another_compare_was_caught"].detail

    group = findings["test_group"]
    assert group.message == "ExceptionGroup: two went wrong (2 sub-exceptions): KeyError: 'name'"
    assert (
        "exception 2 in it:\n  ExceptionGroup: in (1 sub-exception)\n  exception 1 in it:\n    OSError: disk"
        in group.detail
    )

    assert findings["test_no_fixture"].message.startswith(
        "FixtureLookupError: fixture 'nothing_of_that_name' not found"
    )
    assert "available fixtures:" in findings["test_no_fixture"].detail
    assert "KeyError" not in findings["test_no_fixture"].detail
    assert findings["test_fixture"].message == "OSError: no disk (in setup of fixture inner)"
    assert findings["TestIt::test_sub"].message == "AssertionError: Lists differ: [1, 2] != [1, 3]"
    assert findings[""].message == "LookupError: at import"
    assert findings[""].place == "test_b.py:3"
    assert "loading" in findings[""].detail


async def test_secrets_are_told_nowhere(opened: Open) -> None:
    project = await opened(
        {
            "test_a.py": """
                import logging
                import sys

                class Settings:
                    def __repr__(self): return "Settings(db_password='hunter2')"

                def connect(password, api_key):
                    raise ConnectionError(f"postgres://ada:{password}@db/shop?token={api_key}")

                def test_connect():
                    password = "hunter2"
                    headers = {"Authorization": "Bearer hunter2.hunter2"}
                    settings, nested = Settings(), [{"deep": {"client_secret": b"hunter2"}}]
                    print("password=" + password)
                    sys.stderr.write(f"AWS_SECRET_ACCESS_KEY='{password}'")
                    logging.warning("token: %r", password * 2)
                    connect(password, password * 2)

                def test_compare():
                    assert {"a": list(range(40)), "password": "hunter2"} == {"a": [], "password": "hunter2!"}
            """,
        }
    )
    findings = (await run_one(CHECK, project)).findings
    assert len(findings) == 2
    for finding in findings:
        assert "hunter2" not in str(finding)
    assert "postgres://ada:***@db/shop?token=***" in findings[0].message
    assert "a" in findings[1].detail


SHOW = Show()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "s3cr3t"),
        ("DB_PASSWD", b"s3cr3t"),
        ("userPassword", "s3cr3t"),
        ("apiKey", "s3cr3t"),
        ("x", {"api-key": "s3cr3t"}),
        ("x", [("client_secret", "s3cr3t")]),
        ("passwords", ["s3cr3t", "s3cr3t2"]),
        ("accessToken", "s3cr3t"),
        ("credentials", {"user": "s3cr3t"}),
        ("cookie", "id=s3cr3t"),
        ("url", "https://ada:s3cr3t@example.org/"),
        ("header", "Authorization: Bearer s3cr3t-s3cr3t"),
        ("x", "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----"),
        ("x", '{"refresh_token": "s3cr3t"}'),
        ("x", "ghp_" + "s3cr3t" * 6),
        ("x", "sk-" + "s3cr3t" * 6),
        ("long", "y" * 5000 + " password='s3cr3t' " + "y" * 100),
        ("x", {"a": {"b": {"secretKey": "s3cr3t"}}}),
    ],
)
def test_a_secret_is_masked(name: str, value: object) -> None:
    shown = SHOW.show(name, value)
    assert "s3cr3t" not in shown
    assert MASK in shown or "long" in name


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("author", "Ada", "'Ada'"),
        ("tokenizer", "words", "'words'"),
        ("token", "if", "'if'"),
        ("tokens", ["(", "name", ")"], "['(', 'name', ')']"),
        ("password", None, "None"),
        ("secret", False, "False"),
        ("password", "", "''"),
        ("passing", "yes", "'yes'"),
        ("key", "name", "'name'"),
        ("monkey", "chimp", "'chimp'"),
    ],
)
def test_what_is_no_secret_is_shown(name: str, value: object, shown: str) -> None:
    assert SHOW.show(name, value) == shown


def test_source_keeps_what_is_no_literal() -> None:
    assert mask_source('if token == "if": password = ask("who")') == 'if token == "if": password = ask("who")'
    assert mask_source('login(user="ada", password="s3cr3t")') == "login(user=\"ada\", password='***')"


@pytest.mark.parametrize(
    "piece", ["z", "token", "a.", "password='", "-eyJ", "x://", "-----BEGIN ", "'password',", "Bearer a"]
)
def test_no_text_takes_long_to_mask(piece: str) -> None:
    start = time.process_time()
    mask(piece * (40_000 // len(piece)))
    assert time.process_time() - start < 5


def test_no_value_takes_long_to_compare_or_breaks_it() -> None:
    class Nasty:
        def __eq__(self, other: object) -> bool:
            raise SystemExit

        def __hash__(self) -> int:
            return 1

        def __repr__(self) -> str:
            raise SystemExit

    start = time.process_time()
    endless: list[object] = []
    endless.append(endless)
    for left, right in (
        (list(range(10**6)), list(range(10**6 + 1))),
        ("a\n" * 10**6, "b\n" * 10**6),
        ([str(number) for number in range(1400)], [str(-number) for number in range(1400)]),
        (endless, [endless]),
        (Nasty(), {Nasty(): 1}),
    ):
        assert len(sides(left, right)) <= 61
    assert time.process_time() - start < 5
    assert sides(3, 4) == []


def test_a_finding_stays_of_one_identity() -> None:
    first = Finding("pytest", "a", "x.py", 1, "t.py::t", near="a")
    assert first.fingerprint == Finding("pytest", "b", "y.py", 9, "t.py::t", near="b").fingerprint
