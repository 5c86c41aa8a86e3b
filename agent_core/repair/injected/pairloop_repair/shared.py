"""What is used of the test check's plug-in, which lies beside.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_core.checks.pytest_plugin.pairloop_pytest.evidence import Places
    from agent_core.checks.pytest_plugin.pairloop_pytest.plan import Plan
    from agent_core.checks.pytest_plugin.pairloop_pytest.values import Show, mask, masked_cut
else:
    from pairloop_pytest.evidence import Places
    from pairloop_pytest.plan import Plan
    from pairloop_pytest.values import Show, mask, masked_cut

__all__ = ["Places", "Plan", "Show", "mask", "masked_cut"]
