"""Small files are there whole or as they were, and only plain files are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent_core.small_files import open_regular, put_in_place


def test_a_file_is_written_for_its_owner_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "rules"
    path.write_bytes(b"old")
    path.chmod(0o644)
    put_in_place(path, b"new", durable=True)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_put_in_place_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    with pytest.raises(OSError, match="rules"):
        put_in_place(tmp_path / "rules", b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["rules"]


def test_a_link_in_its_place_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    other, link = tmp_path / "other", tmp_path / "rules"
    other.write_bytes(b"theirs")
    link.symlink_to(other)
    put_in_place(link, b"ours")
    assert (other.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"theirs", b"ours", False)


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    plain, link, pipe = tmp_path / "plain", tmp_path / "link", tmp_path / "pipe"
    plain.write_bytes(b"words")
    link.symlink_to(plain)
    os.mkfifo(pipe)
    with open_regular(plain) as file:
        assert file.read() == b"words"
    for other in (link, pipe, tmp_path, tmp_path / "missing"):
        with pytest.raises(OSError, match=other.name):
            open_regular(other)
