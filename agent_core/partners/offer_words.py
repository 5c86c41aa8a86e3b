"""Partners and their models in words, for lists of them."""

from __future__ import annotations

from agent_core.partners.listing import Offer, OfferedModel

_THOUSAND, _MILLION = 1000, 1_000_000


def model_words(model: OfferedModel) -> str:
    """What is known of a model: ``200k tokens, $2.50 / $10.00 per million``; empty where nothing is."""
    parts = [window_words(model.window)] if model.window else []
    if model.input is not None and model.output is not None:
        parts.append("free" if not model.input and not model.output else price_words(model.input, model.output))
    return ", ".join(parts)


def model_figures(model: OfferedModel) -> str:
    """The same where there is little room, prices per million: ``200k $2.50/$10.00``."""
    parts = [_short(model.window)] if model.window else []
    if model.input is not None and model.output is not None:
        free = not model.input and not model.output
        parts.append("free" if free else f"${model.input:,.2f}/${model.output:,.2f}")
    return " ".join(parts)


def window_words(tokens: int) -> str:
    """How much a model can read: ``200k tokens``, ``1M tokens``."""
    return f"{_short(tokens)} tokens"


def _short(tokens: int) -> str:
    if tokens >= _MILLION:
        return f"{tokens / _MILLION:.3g}M"
    return f"{tokens / _THOUSAND:.0f}k" if tokens >= 10 * _THOUSAND else f"{tokens:,}"


def price_words(sent: float, answered: float) -> str:
    """What a million tokens cost, sent and answered."""
    return f"${sent:,.2f} / ${answered:,.2f} per million"


def offer_words(offer: Offer) -> str:
    """A partner, and where it is: ``Ollama (ollama), 127.0.0.1:11434``."""
    name = f" ({offer.name})" if offer.name and offer.name != offer.title else ""
    place = f", {offer.place}" if offer.place else ""
    return f"{offer.title}{name}{place}"
