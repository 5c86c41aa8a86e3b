"""A real project, and what the partner's tools see of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from agent_core.config_tables import Config, SandboxConfig
from agent_core.draft import Draft, take
from agent_core.tools.base import Tool, ToolOutput
from agent_core.view import DraftView
from agent_core.workspace.project import Project, open_project
from tests.projects import make_project

FILES = {
    ".gitignore": "*.log\nbuild/\n",
    "README.md": "# shop\n",
    "shop/__init__.py": "",
    "shop/prices.py": """
        def total(prices):
            return sum(prices)


        def average(prices):
            return total(prices) / len(prices)
    """,
    "shop/deep/er/names.py": "NAMES = ['a1', 'b2']\n",
    "tests/test_prices.py": "from shop.prices import total\n",
    "größe/über: alles.py": "WIDTH = 1\n",
}
PATCH = """*** Begin Patch
*** Update File: shop/prices.py
@@
 def total(prices):
-    return sum(prices)
+    return sum(prices, start=0)
*** Add File: shop/fresh.py
+FRESH = 1
*** Delete File: tests/test_prices.py
*** End Patch"""


async def opened(root: Path, files: Mapping[str, str] = FILES, candidate: Literal["auto", "copy"] = "auto") -> Project:
    """The project in a git repository, with an ignored file and one git does not know yet."""
    make_project(root, files)
    (root / "debug.log").write_text("total total total\n")
    (root / "shop/new.py").write_text("total = 3\n")
    return await open_project(root, Config(sandbox=SandboxConfig(candidate=candidate)), os.environ)


async def view_of(project: Project, patch: str = "") -> DraftView:
    """The project with a draft over it."""
    draft = Draft(await project.snapshot())
    return DraftView(project, take(draft, patch, project).draft if patch else draft)


async def use(tool: Tool, view: DraftView, **arguments: Any) -> ToolOutput:
    """Call a tool as a partner does."""
    return await tool.run(json.dumps(arguments), view)
