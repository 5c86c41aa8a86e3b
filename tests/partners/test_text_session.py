"""A whole session with a model that has no tools: its patches stand in its words, in any format."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.chat_entries import Said
from tests.support.answers import text
from tests.support.model_server import ModelServer
from tests.support.running import flags, running, server_settings
from tests.support.shop import MENDED, QUICK, RIGHT_AT_ONCE, make_shop

UNIFIED = """\
--- a/shop/prices.py
+++ b/shop/prices.py
@@ -5,5 +5,5 @@
     \"\"\"Sum of all prices, less a discount in percent, never below zero.\"\"\"
     result = 0
-    for price in prices[1:]:
+    for price in prices:
         result += price
"""
BLOCK = """\
shop/prices.py
<<<<<<< SEARCH
    for price in prices[1:]:
=======
    for price in prices:
>>>>>>> REPLACE
"""


@pytest.mark.parametrize("patch", [RIGHT_AT_ONCE + "\n", UNIFIED, BLOCK], ids=["envelope", "unified", "blocks"])
async def test_a_patch_in_words_grows_on_screen_lands_and_leaves_no_trace_in_the_words(
    tmp_path: Path, patch: str
) -> None:
    project = make_shop(tmp_path / "shop")
    answers = [text(f"The first price is left out.\n\n```\n{patch}```\nThat mends it.")]
    async with (
        ModelServer(answers) as server,
        running(project, flags("auto", off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("mend total in shop/prices.py"))
        done = await here.seen(ev.TaskFinished)
        assert done.outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED
        streamed = here.all(ev.PatchStreamed)
        assert patch in "".join(event.text for event in streamed)
        assert {event.call_id for event in streamed} == {here.state.proposals[0].call_id}
        said = [entry.text for entry in here.state.chat if isinstance(entry, Said) and entry.who == "partner"]
        assert said == ["The first price is left out.\n\nThat mends it."]
