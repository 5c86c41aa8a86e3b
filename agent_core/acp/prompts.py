"""What a prompt holds, as words for the partner: text, files that are pointed at, texts that come along."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from acp.schema import (
    AudioContentBlock,
    EmbeddedResourceContentBlock,
    ImageContentBlock,
    ResourceContentBlock,
    TextContentBlock,
    TextResourceContents,
)

from agent_core.acp.words import fenced_whole

Block = TextContentBlock | ImageContentBlock | AudioContentBlock | ResourceContentBlock | EmbeddedResourceContentBlock


def said(blocks: Sequence[Block], root: Path) -> tuple[str, str]:
    """What a prompt says.

    Args:
        blocks: Its parts, in order.
        root: The project's folder; a file in it is named by its path there.

    Returns:
        The words, and why some of the prompt is left out, for the human; empty where nothing is.
    """
    parts: list[str] = []
    texts: list[str] = []
    left: list[str] = []
    for block in blocks:
        match block:
            case TextContentBlock(text=text):
                parts.append(text)
            case ResourceContentBlock(uri=uri):
                parts.append(mention(uri, root))
            case EmbeddedResourceContentBlock(resource=TextResourceContents(uri=uri, text=text)):
                name = mention(uri, root)
                parts.append(name)
                texts.append(f"{name}:\n{fenced_whole(text)}")
            case EmbeddedResourceContentBlock(resource=resource):
                parts.append(mention(resource.uri, root))
                left.append(f"The content of {mention(resource.uri, root)} is no text.")
            case _:
                left.append(f"The partner takes no {block.type}.")
    words = "".join(parts).strip()
    return "\n\n".join([words, *texts]).strip(), " ".join(dict.fromkeys(left))


def mention(uri: str, root: Path) -> str:
    """A resource by the name that the partner knows it by: a file's path in the project, else its address."""
    parts = urlsplit(uri)
    if parts.scheme not in {"file", "zed", ""} or not parts.path.startswith("/"):
        return uri
    path = Path(unquote(parts.path))
    for folder in (root, root.resolve()):
        if path.is_relative_to(folder):
            name = path.relative_to(folder).as_posix()
            return f"{name} ({parts.fragment})" if parts.fragment else name
    return str(path) if parts.scheme == "file" else uri
