"""Turns what the pytest plug-in tells of a failure into a finding, with the evidence as text in its detail."""

from __future__ import annotations

from typing import Any

import msgspec

from agent_core.checks.model import Finding
from agent_core.checks.tool import finding, one_line, shorten
from agent_core.text import printable

_DETAIL = 12_000
_MAX_LONG_MESSAGE = 1500

Link = dict[str, Any]


def failure(record: dict[str, Any], phase: str) -> Finding:
    """A finding of a record: placed at the innermost frame of the project's own code.

    Args:
        record: What the plug-in wrote; see its module.
        phase: ``setup``, ``call``, ``teardown`` or ``collect``.
    """
    chain: list[Link] = record["chain"]
    path, line, text = record["path"] or None, record["line"], ""
    frames = next((some for link in chain if (some := _frames(link))), [])
    if frames:
        path, line, text = frames[-1]["path"], frames[-1]["line"], frames[-1]["source"]
    if chain:
        message = _headline(chain[0], text)
    else:
        told = [row for row in record["told"].splitlines() if row.strip()]
        message = told[-1] if told else "failed without saying why"
    if phase in {"setup", "teardown"}:
        fixture = record["fixture"]
        message += f" (in {phase} of fixture {fixture})" if fixture and fixture not in message else f" (in {phase})"
    found = finding("pytest", one_line(message), path=path, line=line, code=record["id"], text=text)
    near = [str(row[1]).strip() for row in frames[-1]["around"] if row[0] in {line - 1, line + 1}] if frames else []
    return msgspec.structs.replace(found, near=printable("\n".join(near)), detail=_bounded(_detail(record, chain)))


def and_then(old: Finding, new: Finding) -> Finding:
    """Two failures of one test as one finding: that of the first, told with the second."""
    return msgspec.structs.replace(old, detail=_bounded(f"{old.detail}\n\nand then {new.message}\n{new.detail}"))


def told_of(record: dict[str, Any]) -> str:
    """An error that was no test's in one line, with its place."""
    chain: list[Link] = record["chain"]
    if not chain:
        return ""
    frames = next((some for link in chain if (some := _frames(link))), [])
    place = f" at {frames[-1]['path']}:{frames[-1]['line']}" if frames else ""
    return one_line(_headline(chain[0], "") + place)


def _bounded(text: str) -> str:
    return printable(shorten(text, _DETAIL))


def _headline(link: Link, text: str) -> str:
    """An exception in one line, that of a group with the first that is in it."""
    first = str(link["message"]).strip().split("\n")[0] or text
    message = f"{link['type']}: {first}" if first else str(link["type"])
    group = link.get("group")
    return f"{message}: {_headline(group[0][0], '')}" if group and group[0] else message


def _frames(link: Link) -> list[dict[str, Any]]:
    """The frames that lead to an exception: of a group those of the first in it, which is where it went wrong."""
    for chain in link.get("group") or ():
        for inner in chain:
            if found := _frames(inner):
                return found
    frames: list[dict[str, Any]] = link["frames"]
    return frames


def _detail(record: dict[str, Any], chain: list[Link]) -> str:
    """Frames with their variables, the whole message, what was compared, captured output."""
    parts = _chain(chain)
    if record["told"]:
        parts.append(record["told"].strip())
    for title, text in record["captured"]:
        parts.append(f"--- {title} ---\n{text.strip()}")
    return "\n".join(parts)


def _chain(chain: list[Link]) -> list[str]:
    parts: list[str] = []
    for number, link in enumerate(chain):
        if number:
            parts.append("which came from:")
        parts += _link(link)
    return parts


def _link(link: Link) -> list[str]:
    parts: list[str] = []
    for frame in link["frames"]:
        place = f"{frame['path']}:{frame['line']}"
        parts.append(f"{place} in {frame['function']}" if frame["function"] else place)
        parts += _source(frame)
        parts.extend(f"      {name} = {value}" for name, value in frame["locals"])
    message = str(link["message"]).strip()
    if link["diff"] and len(message) > _MAX_LONG_MESSAGE:
        # The diff says it better.
        message = shorten(message, _MAX_LONG_MESSAGE)
    parts.append(f"{link['type']}: {message}" if message else str(link["type"]))
    if link["diff"]:
        parts.append("left (-) and right (+):")
        parts.extend(f"  {row}" for row in link["diff"])
    for number, inner in enumerate(link.get("group") or (), 1):
        parts.append(f"exception {number} in it:")
        parts.extend(f"  {row}" for part in _chain(inner) for row in part.split("\n"))
    return parts


def _source(frame: dict[str, Any]) -> list[str]:
    """A frame's line, with those around it where they are known."""
    around: list[list[Any]] = frame["around"]
    if not any(number == frame["line"] for number, _ in around):
        return [f"    {frame['source']}"]
    width = len(str(around[-1][0]))
    return [
        f"  {'>' if number == frame['line'] else ' '} {number:>{width}} | {text}".rstrip() for number, text in around
    ]
