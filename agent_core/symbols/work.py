"""The work behind maps and searches for names: what can be asked, and the answer.

It runs in a thread where there is little to do, and in a process of its own where there is much: reading ten thousand
files would else hold up the screen. ``main`` is that process: a request on standard input, the answer on standard
output.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.symbols.languages import language_of
from agent_core.symbols.rank import Wish, parts_of
from agent_core.symbols.repo_map import draw
from agent_core.symbols.store import Key, Store
from agent_core.symbols.tags import Definition, Tags, Use, tags_of, uses
from agent_core.workspace.layering import read_below

Kind = Literal["fill", "map", "find"]
_AT_ONCE = 100
"""So many files are read before what was found in them is kept."""
_MOST_PLACES = 400
_MOST_MAPPED = 2000
_NICE = 5


class Request(msgspec.Struct, frozen=True):
    """What is asked.

    Attributes:
        kind: ``fill`` reads what is not known yet; ``map`` draws a map; ``find`` looks for a name.
        root: The project.
        store: The file of what is known.
        files: Path and content hash of the project's source files.
        drafts: Contents that are not on disk, by path.
        seconds: How long files may be read that are not known yet; those that are left are then left out.
        wish: What a map is for.
        tokens: Its budget.
        without: Files to leave out of it.
        name: What to look for.
    """

    kind: Kind
    root: str
    store: str
    files: tuple[tuple[str, str], ...]
    drafts: dict[str, bytes] = {}
    seconds: float = 600.0
    wish: Wish = Wish()
    tokens: int = 0
    without: frozenset[str] = frozenset()
    name: str = ""


class Found(msgspec.Struct, frozen=True):
    """Where a name is.

    Attributes:
        definitions: Where it is defined: path and definition.
        uses: Where else it stands in code.
        similar: Names that are defined, and like it, where it is not.
    """

    definitions: tuple[tuple[str, Definition], ...] = ()
    uses: tuple[Use, ...] = ()
    similar: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        text: A map.
        found: What was found.
        left: How many files were not read, as there was no time.
    """

    text: str = ""
    found: Found = Found()
    left: int = 0


def carry_out(asked: Request) -> Answer:
    """Do what is asked."""
    read = _reader(asked)
    if asked.kind == "find":
        return Answer(found=_find(asked, read))
    known, left = _known(asked, read)
    if asked.kind == "fill":
        return Answer(left=left)
    return Answer(draw(known, asked.wish, asked.tokens, without=asked.without), left=left)


def _reader(asked: Request) -> Callable[[str], bytes]:
    root = Path(asked.root)

    def read(path: str) -> bytes:
        draft = asked.drafts.get(path)
        return draft if draft is not None else read_below(root, path) or b""

    return read


def _known(asked: Request, read: Callable[[str], bytes]) -> tuple[Mapping[str, Tags], int]:
    """What the files have, and how many were not read."""
    until = time.monotonic() + asked.seconds
    store = Store(Path(asked.store))
    keys: dict[str, Key] = {path: (digest, language_of(path)) for path, digest in asked.files}
    if asked.kind == "map" and len(keys) > _MOST_MAPPED:
        # Even what is known takes its time to be read and ranked.
        keys = {path: keys[path] for path in _in_order(list(keys), asked.wish)[:_MOST_MAPPED]}
    before = store.get(keys.values())
    found = {path: before[key] for path, key in keys.items() if key in before}
    missing = _in_order([path for path in keys if path not in found], asked.wish)
    done = 0
    for part in _batches(missing):
        fresh: dict[Key, Tags] = {}
        for path in part:
            if time.monotonic() > until:
                break
            found[path] = fresh[keys[path]] = tags_of(path, read(path))
            done += 1
        store.put(fresh)
        if time.monotonic() > until:
            break
    return found, len(asked.files) - len(keys) + len(missing) - done


def _in_order(paths: Sequence[str], wish: Wish) -> list[str]:
    """What to read first when time is short: what the task names, what was changed lately, what is near the root."""
    recent, wanted = set(wish.recent), parts_of(wish.task)

    def near(path: str) -> tuple[bool, bool, int, int, str]:
        named = path.rsplit("/", 1)[-1] in wish.task
        return not named, path not in recent, -len(parts_of(path) & wanted), path.count("/"), path

    return sorted(paths, key=near)


def _batches(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(paths), _AT_ONCE):
        yield paths[at : at + _AT_ONCE]


def _find(asked: Request, read: Callable[[str], bytes]) -> Found:
    definitions: list[tuple[str, Definition]] = []
    places: list[Use] = []
    for path, _ in asked.files:
        defined, used = uses(path, read(path), asked.name)
        definitions += [(path, one) for one in defined]
        places += used
        if len(places) > _MOST_PLACES and definitions:
            break
    if definitions or places:
        return Found(tuple(definitions), tuple(places[:_MOST_PLACES]))
    return Found(similar=_similar(asked, read))


def _similar(asked: Request, read: Callable[[str], bytes]) -> tuple[str, ...]:
    import difflib  # noqa: PLC0415 - only for what is not there

    tags, _ = _known(msgspec.structs.replace(asked, seconds=2.0), read)
    names = {one.name for file in tags.values() for one in file.definitions}
    lowered = {name.lower(): name for name in sorted(names)}
    wanted = asked.name.lower()
    close = [lowered[wanted]] if wanted in lowered else []
    close += [name for name in sorted(names) if wanted in name.lower()]
    close += [lowered[one] for one in difflib.get_close_matches(wanted, lowered, n=5, cutoff=0.7)]
    return tuple(dict.fromkeys(close))[:5]


def main() -> None:
    """Carry out one request, out of the way of what the human does meanwhile."""
    os.nice(_NICE)
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request)
    sys.stdout.buffer.write(msgspec.msgpack.encode(carry_out(asked)))
