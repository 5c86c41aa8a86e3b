"""Which trees have files that would be imported in place of what is installed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from agent_core.sandbox.warm import Imported
from agent_core.workspace.tree import Snapshot

_ENDINGS = (".py", ".pyc", ".so")
_TREES_KNOWN = 8

# Python looks for these by itself when it starts.
_STARTED = frozenset({"sitecustomize", "usercustomize"})


class Importable(msgspec.Struct, frozen=True):
    """What could be imported from some files.

    Attributes:
        names: Top-level names of modules and packages, wherever they are: every folder that is no package itself could
            be on the import path.
        packages: Folders that are packages.
    """

    names: frozenset[str]
    packages: frozenset[str]


def importable(paths: Iterable[str], packages: frozenset[str] = frozenset()) -> Importable:
    """What could be imported from some files.

    Args:
        paths: The files, relative to the project.
        packages: Folders known to be packages.
    """
    modules = []
    for path in paths:
        if path.endswith(_ENDINGS):
            folder, _, file = path.rpartition("/")
            modules.append((folder, file.partition(".")[0]))
    own = {folder for folder, name in modules if name == "__init__"}
    packages |= own
    names = {name for folder, name in modules if not folder or folder not in packages}
    for folder in own:
        above, _, name = folder.rpartition("/")
        if name and (not above or above not in packages):
            names.add(name)
    return Importable(frozenset(names), packages)


def _on_disk(folder: Path, wanted: frozenset[str]) -> bool:
    """Whether a folder has a module or package of one of these names, whether git knows of it or not."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return False
    for entry in entries:
        if entry.name.partition(".")[0] in wanted and (
            entry.name.endswith(_ENDINGS) or Path(entry.path, "__init__.py").exists()
        ):
            return True
    return False


class Shadows:
    """Looks for files that hide what is installed.

    Args:
        root: The project.
        prefix: The environment of its interpreter.
    """

    def __init__(self, root: Path, prefix: Path | None) -> None:
        self._root = root
        # What is installed may be part of the tree itself.
        self._installed = prefix.relative_to(root) if prefix is not None and prefix.is_relative_to(root) else None
        self._known: dict[str, Importable] = {}

    def any(self, imported: Imported, *, base: Snapshot, tree: Snapshot, changed: Sequence[str]) -> bool:
        """Whether a tree has a file that Python would import, or might, in place of what has been imported.

        Args:
            imported: What has been.
            base: The tree it stands on.
            tree: The tree.
            changed: What of it differs from the base.
        """
        if self._installed is not None and any(Path(path).is_relative_to(self._installed) for path in changed):
            return True
        names = imported.names | _STARTED
        if not all(map(names.isdisjoint, self._names(base, tree, changed))):
            return True
        # A folder on the import path is looked into, even where it is a package too.
        folders = {os.path.relpath(folder, self._root) for folder in imported.folders}
        if folders:
            files = [path.rpartition("/") for path in tree.files if path.endswith(_ENDINGS)]
            if not names.isdisjoint(file.partition(".")[0] for folder, _, file in files if folder in folders):
                return True
        return any(_on_disk(folder, names) for folder in (self._root, *map(Path, imported.folders)))

    def _names(self, base: Snapshot, tree: Snapshot, changed: Sequence[str]) -> Iterator[frozenset[str]]:
        """The names a tree's files could be imported under; among them some of files it no longer has.

        They come in parts, as putting together those of a large tree would take longer than to look at them.
        """
        if any(path.endswith("__init__.py") for path in changed):
            # A folder may no longer be a package: its modules have other names then.
            yield importable(tree.files).names
            return
        if base.tree not in self._known:
            while len(self._known) >= _TREES_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[base.tree] = importable(base.files)
        known = self._known[base.tree]
        yield known.names
        yield importable(changed, known.packages).names
