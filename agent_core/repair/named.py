"""Which tests are meant by what somebody named."""

from __future__ import annotations

from collections.abc import Sequence


def meant(test: str, wanted: Sequence[str]) -> bool:
    """Whether a test is meant by what somebody named.

    Args:
        test: Its id; or that of a file or folder that could not be collected, which is meant with each test in it.
        wanted: Beginnings of ids that end where a part of an id does, names of files or folders, bare names of tests
            or classes.
    """
    path, _, rest = test.partition("::")
    plain = rest.partition("[")[0]
    parts = plain.split("::") if rest else []
    for one in wanted:
        given = one.removeprefix("./").rstrip("/")
        if test == given or test.startswith((f"{given}::", f"{given}[", f"{given}/")):
            return True
        if given.startswith((f"{test}::", f"{test}/")):
            return True
        if given in parts or given in {rest, plain} or f"/{path}".endswith(f"/{given}"):
            return True
    return False
