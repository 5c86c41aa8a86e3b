"""Has modules be loaded from other texts than those of their files.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import importlib.machinery
import linecache
import os
from typing import Any


class _Edited:
    """In the place of the path of a file, for whoever reads it."""

    def __init__(self, path: str, data: bytes) -> None:
        self._path = path
        self._data = data

    def __fspath__(self) -> str:
        return self._path

    def __str__(self) -> str:
        return self._path

    def read_bytes(self) -> bytes:
        """The other text."""
        return self._data


def put_in_place(texts: dict[str, bytes]) -> None:
    """Have the files of some modules seem to be others, for this process and as long as it lives.

    Args:
        texts: Absolute path -> text.
    """
    for path, data in texts.items():
        text = data.decode("utf-8-sig")
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    loader: Any = importlib.machinery.SourceFileLoader
    get_code, get_data = loader.get_code, loader.get_data

    def edited_code(self: Any, fullname: str) -> Any:
        path = self.get_filename(fullname)
        data = _found(texts, path)
        return get_code(self, fullname) if data is None else self.source_to_code(data, path)

    def edited_data(self: Any, path: str) -> Any:
        data = _found(texts, path)
        return get_data(self, path) if data is None else data

    loader.get_code, loader.get_data = edited_code, edited_data
    _rewritten(texts)


def _found(texts: dict[str, bytes], path: Any) -> bytes | None:
    name = os.fspath(path)
    found = texts.get(name)
    return texts.get(os.path.realpath(name)) if found is None and isinstance(name, str) else found


def _rewritten(texts: dict[str, bytes]) -> None:
    """Likewise for the modules in which pytest rewrites assertions."""
    import _pytest.assertion.rewrite as pytest_rewrite  # noqa: PLC0415 - where it is needed

    rewrite: Any = pytest_rewrite
    read, make, write = rewrite._read_pyc, rewrite._rewrite_test, rewrite._write_pyc  # noqa: SLF001 - there is no other way in

    def read_edited(source: Any, *args: Any, **kwargs: Any) -> Any:
        return None if _found(texts, source) is not None else read(source, *args, **kwargs)

    def make_edited(path: Any, *args: Any, **kwargs: Any) -> Any:
        data = _found(texts, path)
        return make(path if data is None else _Edited(str(path), data), *args, **kwargs)

    def write_others(state: Any, code: Any, *args: Any, **kwargs: Any) -> Any:
        # A compiled form of what is not there must not stay; those of the others serve the next child.
        return True if _found(texts, code.co_filename) is not None else write(state, code, *args, **kwargs)

    rewrite._read_pyc, rewrite._rewrite_test, rewrite._write_pyc = read_edited, make_edited, write_others  # noqa: SLF001 - as above
