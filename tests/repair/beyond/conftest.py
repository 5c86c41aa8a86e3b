"""Real projects, as the tests of the checks open them."""

from __future__ import annotations

from tests.checks.conftest import opened

__all__ = ["opened"]
