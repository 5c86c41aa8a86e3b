"""Which addresses may be fetched."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.web.address import AddressError, is_public, named_by, read_address, resolve


def test_one_form_for_all_ways_to_write_it() -> None:
    for written, form in (
        ("HTTPS://Docs.Python.org:443/3/a b.html", None),
        ("https://Docs.Python.ORG:443/3/?q=ä#part", "https://docs.python.org/3/?q=%C3%A4"),
        ("http://example.org", "http://example.org/"),
        ("https://bücher.example./", "https://xn--bcher-kva.example/"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
        ("ftp://example.org/", None),
        ("file:///etc/passwd", None),
        ("https://user:pass@example.org/", None),
        ("https://example.org\\@evil.org/", None),
        ("https://exa\tmple.org/", None),
        ("https://:80/", None),
        ("https://example.org:99999/", None),
        ("https://" + "a" * 3000, None),
        ("example.org", None),
    ):
        if form is None:
            with pytest.raises(AddressError):
                read_address(written)
        else:
            assert str(read_address(written)) == form


@given(st.text(max_size=60) | st.text("htps:/@[]?#.%\\1a ", max_size=40).map(lambda rest: f"http://{rest}"))
def test_reading_twice_changes_nothing(text: str) -> None:
    try:
        once = read_address(text)
    except AddressError:
        return
    assert read_address(str(once)) == once
    assert str(once).isascii()
    assert " " not in str(once)


@pytest.mark.parametrize(
    "number",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "240.0.0.1", "198.18.0.1", "2001:db8::1", "224.0.0.1"),
        "fec0::1",
    ],
)
def test_what_is_not_public(number: str) -> None:
    assert not is_public(number)


def test_what_is_public() -> None:
    assert all(map(is_public, ("1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101")))


def answering(monkeypatch: pytest.MonkeyPatch, *numbers: str) -> None:
    def answers(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in numbers]

    monkeypatch.setattr(socket, "getaddrinfo", answers)


def test_a_name_is_what_it_leads_to(monkeypatch: pytest.MonkeyPatch) -> None:
    there = read_address("https://somewhere.example/")
    answering(monkeypatch, "93.184.216.34")
    assert resolve(there, private=False) == "93.184.216.34"
    # One number that is not public is enough, whichever comes first.
    answering(monkeypatch, "93.184.216.34", "127.0.0.1")
    with pytest.raises(AddressError, match="on this machine or its network"):
        resolve(there, private=False)
    assert resolve(there, private=True) == "93.184.216.34"


def test_odd_ways_to_write_this_machine() -> None:
    for host in ("localhost", "127.1", "2130706433", "0x7f000001", "0"):
        with pytest.raises(AddressError):
            resolve(read_address(f"http://{host}/"), private=False)


def test_only_a_rule_that_names_a_server_opens_it() -> None:
    here = read_address("http://localhost:8000/docs/a")
    for rule, opens in (
        ("fetch http://localhost:8000/*", True),
        ("fetch http://localhost:8000/docs/*", True),
        ("fetch http://localhost:8000", True),
        ("fetch http://localhost:8000/other/*", False),
        ("fetch http://localhost/*", False),
        ("fetch https://localhost:8000/*", False),
        ("fetch http://*/*", False),
        ("fetch http://*:8000/*", False),
        ("fetch *", False),
        ("run http://localhost:8000/*", False),
        ("", False),
    ):
        assert named_by(here, [rule]) is opens, rule
