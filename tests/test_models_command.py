"""``pairloop models`` and ``--partner``: what there is to choose from, what is missing, and who then proposes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agent_core.config_tables import Config, PartnerConfig, PriceConfig
from agent_core.partners import discovery, listing
from agent_core.partners.discovery import Found
from agent_core.partners.listing import offers
from agent_core.partners.offer_words import model_figures, model_words
from agent_core.partners.presets import presets
from agent_core.partners.several import Partners
from agent_core.places import user_file
from tests.support.answers import text
from tests.support.calling import call as pairloop
from tests.support.command_line import run_pairloop
from tests.support.model_server import ModelServer
from tests.support.shop import make_quick_shop


async def test_partners_and_their_models_are_listed_and_one_is_taken(tmp_path: Path) -> None:
    project = make_quick_shop(tmp_path / "shop")
    async with ModelServer(
        [text("Hello.")], models=("small", "large", "text-embed"), tells={"max_model_len": 32768}
    ) as server:
        user_file().parent.mkdir(parents=True)
        user_file().write_text(
            f'[partners.work]\nbase_url = "{server.base_url}"\nmodel = "large"\nprice = {{input = 1.5, output = 6.0}}\n'
            '[partners."gone"]\nbase_url = "http://127.0.0.1:9/v1"\n'
        )
        code, out, _ = await asyncio.to_thread(pairloop, ["models"], project)
        assert code == 0
        place = server.base_url.removeprefix("http://").removesuffix("/v1")
        assert f"○ work, {place}\n" in out
        assert "    small  33k tokens\n    large  33k tokens, $1.50 / $6.00 per million\n" in out
        assert "text-embed" not in out
        assert "○ Built-in, no model: repairs tests, types, lint (builtin)\n" in out
        assert "does not list its models" not in out
        assert "  gone: No server could be reached at http://127.0.0.1:9/v1" in out
        code, out, _ = await asyncio.to_thread(pairloop, ["models", "--partner", "work", "--json"], project)
        assert code == 0
        told = json.loads(out)
        assert (told["name"], [one["id"] for one in told["models"]]) == ("work", ["small", "large"])
        code, out, err = await asyncio.to_thread(pairloop, ["models", "--partner", "nobody"], project)
        assert (code, out) == (2, "")
        assert 'There is no partner "nobody". Yours are work, gone.' in err
        assert (await asyncio.to_thread(pairloop, ["models", "--partner", "gone"], project)).code == 1
        code, out, _ = await run_pairloop(["exec", "--partner", "work", "--model", "small", "Say hello"], project)
        assert "small via" in out
    assert server.requests[0].body["model"] == "small"


async def test_what_can_be_used_comes_first_and_what_is_in_force_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ModelServer(models=("a", "b")) as server:

        async def look(seconds: float) -> tuple[Found, ...]:
            # A busy machine is given time where somebody waits for the list: it would be said that nothing listens.
            assert seconds > discovery.SECONDS
            return (Found(presets()["ollama"], ("x",)),)

        monkeypatch.setattr(listing, "discover", look)
        config = Config(
            partner=PartnerConfig(preset="groq"),
            partners={
                "first": PartnerConfig(base_url=server.base_url),
                "now": PartnerConfig(base_url=server.base_url, model="b", price=PriceConfig(1.0, 2.0)),
                "ollama": PartnerConfig(base_url=server.base_url),
            },
        )
        listed = await offers(Partners(config, {}), "now", "b")
    assert [(one.name, one.current, bool(one.missing)) for one in listed][:5] == [
        ("now", True, False), ("first", False, False), ("ollama", False, False), ("builtin", False, False),
        ("", False, True),
    ]  # fmt: skip
    assert [(one.id, one.current) for one in listed[0].models] == [("a", False), ("b", True)]
    assert (listed[4].title, listed[4].missing) == ("Groq", "Groq wants a key, and GROQ_API_KEY is not set.")
    # What is [partner] already is not listed again; what listens nowhere is said to.
    assert [one.name for one in listed].count("groq") == 0
    assert next(one for one in listed if one.name == "vllm").missing == "nothing listens at 127.0.0.1:8000"


async def test_servers_of_this_machine_are_left_out_where_they_are_not_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def look(seconds: float) -> tuple[Found, ...]:
        raise AssertionError(f"it was looked for, {seconds} seconds")

    monkeypatch.setattr(listing, "discover", look)
    config = Config(partner=PartnerConfig(preset="groq", discover=False), partners={"vllm": PartnerConfig(script="x")})
    names = [one.name for one in await offers(Partners(config, {}))]
    assert {"vllm", "openai"} <= set(names)
    assert not {"ollama", "lmstudio", "llamacpp", "litellm"} & set(names)


def test_figures_in_words() -> None:
    model = listing.OfferedModel
    assert model_words(model("m", 1_047_576, 2.5, 10)) == "1.05M tokens, $2.50 / $10.00 per million"
    assert model_words(model("m", 8192, 0, 0)) == "8,192 tokens, free"
    assert (model_words(model("m")), model_figures(model("m"))) == ("", "")
    assert model_figures(model("m", 200_000, 0.04, 0.1)) == "200k $0.04/$0.10"
