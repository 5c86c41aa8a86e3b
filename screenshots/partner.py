"""Scenes of what a partner asks for, and of a line that is slow: over the real wire, with a server on loopback."""

from __future__ import annotations

from pathlib import Path

from screenshots.stage import playing
from tests.support.answers import Answer, call, chat_events, error, events, text
from tests.support.model_server import ModelServer

SIZE = (120, 34)
# The port is seen in the pictures: the same one each time.
_PORT = 8765
_MODELS = ("devstral-small-2507", "gpt-oss-120b", "qwen3-coder-30b")
_PRICE = {"input": 0.3, "cached": 0.03, "output": 1.2}
_STEPS = ("Find where the bill is split", "Hand out what is left over", "Cover the rest by a test")
_TESTS = "python3 -m pytest -x tests/test_split.py"
_PATCH = """*** Begin Patch
*** Update File: tab/split.py
@@ def split_bill(cents: int, people: int) -> list[int]:
-    share = cents // people
-    return [share] * people
+    share, rest = divmod(cents, people)
+    return [share + 1] * rest + [share] * (people - rest)
*** End Patch
"""


def _plan(done: int) -> Answer:
    stands = ("done",) * done + ("doing",) + ("open",) * len(_STEPS)
    return call(
        "update_plan", steps=[{"text": words, "status": how} for words, how in zip(_STEPS, stands, strict=False)]
    )


def _costing(answer: Answer, number: int, sent: int, cached: int, said: int) -> Answer:
    """An answer that says how many tokens it took."""
    body, final = chat_events(answer, number, usage=True)
    last = final[-2] if final[-1] == "[DONE]" else final[-1]
    assert isinstance(last, dict)
    last["usage"] = {
        "prompt_tokens": sent,
        "completion_tokens": said,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return events(*body, *final)


def _answers() -> list[Answer]:
    looking = text("I look at the code that splits the bill, and see whether its tests fail here.")
    reading = call("read_file", path="tab/split.py") + call("read_file", path="tests/test_split.py")
    question = call(
        "ask_human",
        question="1000 cents among 3 people leave one cent over. Who is to pay it?",
        options=["The first ones, a cent each", "The last one, all of it", "Whoever asked for the bill"],
    )
    mended = text("The rest is handed out a cent at a time now.") + call("apply_patch", patch=_PATCH)
    return [
        _costing(looking + _plan(0) + reading, 1, 6_204, 0, 188),
        _costing(call("run_command", command=_TESTS), 2, 7_118, 6_144, 41),
        _costing(_plan(1) + question, 3, 7_620, 7_040, 122),
        error(429, "Rate limit reached for requests. Please slow down.", headers={"retry-after": "90"}),
        _costing(mended, 4, 7_951, 7_552, 236),
    ]


async def make_pictures(folder: Path) -> None:
    """Make them.

    Args:
        folder: Where they go.
    """
    server = ModelServer(_answers(), models=_MODELS, port=_PORT, tells={"max_model_len": 131_072})
    async with server:
        partner = {
            "base_url": server.base_url,
            "model": _MODELS[-1],
            "price": _PRICE,
            "discover": False,
        }
        async with playing(SIZE, folder, partner, {}) as stage:
            await stage.until(lambda state: state.approval is not None)
            stage.picture("approval")
            await stage.press("f2")
            await stage.until(lambda state: state.question is not None)
            stage.picture("question")
            await stage.press("1", "enter")
            await stage.until_seen("waiting 80 s")
            stage.picture("waiting")
            await stage.press("f4")
            await stage.until(lambda state: state.waiting == 1 and state.proposal is not None)
            await stage.press("tab", "dollar_sign")
            stage.picture("usage")
            await stage.press("escape", "W")
            await stage.until_seen(_MODELS[0])
            stage.picture("partners")
            await stage.press("escape")
