"""A whole session with OpenAI's built-in apply_patch tool: refused, repaired, landed, resumed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from agent_core import commands
from agent_core import events as ev
from tests.partners.talk import input_bytes
from tests.support.answers import call, create, text, update
from tests.support.model_server import ModelServer
from tests.support.running import flags, running, server_settings
from tests.support.shop import MENDED, NEW_FILE, QUICK, RIGHT_AT_ONCE, make_shop, tree

MEND = "@@\n-    for price in prices[1:]:\n+    for price in prices:\n"


async def test_a_whole_task_is_done_with_it_and_gone_on_with_from_the_journal(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    before = tree(project)
    wrong = update("shop/prices.py", MEND.replace("prices[1:]", "prices[7:]"))
    right = create("shop/notes.md", "+# Notes\n") + update("shop/prices.py", MEND)
    settings = flags("step", off=QUICK)
    async with ModelServer([wrong, right, text("Done."), text("Nothing more.")]) as server:
        partner = server_settings(server.base_url, "responses")
        partner["partner"] |= {"patch_tool": "builtin"}
        async with running(project, settings | partner) as here:
            session = here.session.id
            here.submit(commands.Ask("mend total in shop/prices.py"))
            await here.until(lambda state: state.waiting == 1)
            assert here.all(ev.PatchRejected)
            shown = "".join(event.text for event in here.all(ev.PatchStreamed))
            head = "*** Begin Patch\n*** Update File: shop/prices.py\n"
            added = "*** Begin Patch\n*** Add File: shop/notes.md\n+# Notes\n*** End Patch\n"
            assert shown.endswith(f"{added}{head}{MEND}*** End Patch\n")
            assert tree(project) == before
            here.submit(commands.Accept(1))
            await here.seen(ev.TaskFinished)
            assert (project / "shop/prices.py").read_text() == MENDED
            assert (project / "shop/notes.md").read_text() == "# Notes\n"
        async with running(project, settings | partner, resume=session) as here:
            here.submit(commands.Ask("anything more?"))
            await here.seen(ev.TaskFinished)
        sent = [input_bytes(one) for one in server.requests]
        last = server.requests[-1].body["input"]
    for earlier, later in pairwise(sent):
        assert later.startswith(earlier)
    statuses = [item["status"] for item in last if item["type"] == "apply_patch_call_output"]
    assert len(statuses) == 3
    assert statuses[-1] == "completed"


async def test_patches_of_one_answer_are_shown_one_below_the_other(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    answer = call("apply_patch", "one", patch=RIGHT_AT_ONCE) + call("apply_patch", "two", patch=NEW_FILE)
    async with (
        ModelServer([answer]) as server,
        running(project, flags("step", off=QUICK) | server_settings(server.base_url, "responses")) as here,
    ):
        here.submit(commands.Ask("mend total in shop/prices.py"))
        await here.until(lambda state: state.waiting == 1)
        streamed = here.all(ev.PatchStreamed)
    assert "".join(event.text for event in streamed) == f"{RIGHT_AT_ONCE}\n{NEW_FILE}"
    ids = [event.call_id for event in streamed]
    assert ids == sorted(ids), "the second does not begin before the first is shown to its end"
