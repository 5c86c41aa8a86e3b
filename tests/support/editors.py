"""The ways editors save a file, step by step, so that something else can happen between any two steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

Step = Callable[[], object]
Pattern = Callable[[Path, bytes], Iterator[Step]]


def beside(path: Path, name: str, data: bytes) -> Step:
    return lambda: path.with_name(name).write_bytes(data)


def rename(path: Path, old: str, new: str) -> Step:
    return lambda: path.with_name(old).rename(path.with_name(new))


def remove(path: Path, name: str) -> Step:
    return lambda: path.with_name(name).unlink()


def emptied_and_filled(path: Path, data: bytes) -> Iterator[Step]:
    """VS Code, and whoever writes in place."""
    descriptors: list[int] = []
    yield lambda: descriptors.append(os.open(path, os.O_WRONLY | os.O_TRUNC))
    yield lambda: os.write(descriptors[0], data)
    yield lambda: os.close(descriptors[0])


def created_and_filled(path: Path, data: bytes) -> Iterator[Step]:
    descriptors: list[int] = []
    yield lambda: descriptors.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    yield lambda: os.write(descriptors[0], data)
    yield lambda: os.close(descriptors[0])


def vim(path: Path, data: bytes) -> Iterator[Step]:
    name = path.name
    yield beside(path, f".{name}.swp", b"b0VIM")
    yield beside(path, "4913", b"")
    yield remove(path, "4913")
    yield rename(path, name, f"{name}~")
    yield from created_and_filled(path, data)
    yield lambda: path.chmod(0o644)
    yield remove(path, f"{name}~")
    yield remove(path, f".{name}.swp")


def vim_backupcopy(path: Path, data: bytes) -> Iterator[Step]:
    yield beside(path, f"{path.name}~", path.read_bytes())
    yield from emptied_and_filled(path, data)
    yield remove(path, f"{path.name}~")


def emacs(path: Path, data: bytes) -> Iterator[Step]:
    name = path.name
    yield lambda: path.with_name(f".#{name}").symlink_to("me@host.4711:1700000000")
    yield beside(path, f"#{name}#", b"half a")
    yield rename(path, name, f"{name}~")
    yield from created_and_filled(path, data)
    yield remove(path, f"#{name}#")
    yield remove(path, f".#{name}")


def vs_code_atomic(path: Path, data: bytes) -> Iterator[Step]:
    yield beside(path, f"{path.name}.vsctmp", data)
    yield rename(path, f"{path.name}.vsctmp", path.name)


def jetbrains(path: Path, data: bytes) -> Iterator[Step]:
    name = path.name
    yield beside(path, f"{name}___jb_tmp___", data)
    yield rename(path, name, f"{name}___jb_old___")
    yield rename(path, f"{name}___jb_tmp___", name)
    yield remove(path, f"{name}___jb_old___")


def nano(path: Path, data: bytes) -> Iterator[Step]:
    yield beside(path, f".{path.name}.swp", b"b0nano")
    yield from emptied_and_filled(path, data)
    yield remove(path, f".{path.name}.swp")


def kate(path: Path, data: bytes) -> Iterator[Step]:
    name = path.name
    yield beside(path, f".{name}.kate-swp", b"swap")
    yield beside(path, f"{name}.aBcD12", data)
    yield rename(path, f"{name}.aBcD12", name)
    yield remove(path, f".{name}.kate-swp")


def gedit(path: Path, data: bytes) -> Iterator[Step]:
    yield beside(path, ".goutputstream-AB12CD", data)
    yield beside(path, f"{path.name}~", path.read_bytes())
    yield rename(path, ".goutputstream-AB12CD", path.name)


def sed(path: Path, data: bytes) -> Iterator[Step]:
    yield beside(path, "sedXa1b2C", data)
    yield rename(path, "sedXa1b2C", path.name)


PATTERNS: tuple[Pattern, ...] = (
    *(emptied_and_filled, vim, vim_backupcopy, emacs, vs_code_atomic),
    *(jetbrains, nano, kate, gedit, sed),
)
