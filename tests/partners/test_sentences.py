"""What servers really say when something is wrong, and what a human reads of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from agent_core.partners.endpoint import Endpoint, Key
from agent_core.partners.errors import error_in, from_status, retry_after
from agent_core.partners.transport import OfflineError, from_transport

HERE = Endpoint("https://ai.example/v1", "coder", Key("sk-secret-1234", "AI_KEY"), 10.0)


def openai(message: str, code: str | None = None, kind: str = "invalid_request_error", param: str | None = None) -> Any:
    return {"message": message, "type": kind, "param": param, "code": code}


SAID: tuple[tuple[str, int, Any, str, str], ...] = (
    # OpenAI
    (
        "openai: quota",
        429,
        openai(
            "You exceeded your current quota, please check your plan and billing details. For more information on this "
            "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
            "insufficient_quota",
            "insufficient_quota",
        ),
        "refused",
        "no credit or quota left",
    ),
    (
        "openai: a rate limit that advertises paying",
        429,
        openai(
            "Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested "
            "1. Please try again in 20s. You can increase your rate limit by adding a payment method to your account "
            "at https://platform.openai.com/account/billing.",
            "rate_limit_exceeded",
            "requests",
        ),
        "rate_limit",
        "too many requests",
    ),
    (
        "openai: one request above the limit of a minute",
        429,
        openai(
            "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 43712. "
            "The input or output tokens must be reduced in order to run successfully.",
            "rate_limit_exceeded",
            "tokens",
        ),
        "context_too_long",
        "longer than the model can read",
    ),
    (
        "openai: context of chat",
        400,
        openai(
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 140312 tokens. "
            "Please reduce the length of the messages.",
            "context_length_exceeded",
            param="messages",
        ),
        "context_too_long",
        "140312",
    ),
    (
        "openai: context of responses",
        400,
        openai(
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "context_length_exceeded",
            param="input",
        ),
        "context_too_long",
        "Start a new session",
    ),
    (
        "openai: no such model",
        404,
        openai("The model `coder` does not exist or you do not have access to it.", "model_not_found"),
        "unknown_model",
        '"coder"',
    ),
    (
        "openai: retired",
        404,
        openai(
            "The model `coder` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations",
            "model_not_found",
        ),
        "unknown_model",
        "has retired",
    ),
    (
        "openai: wrong key",
        401,
        openai("Incorrect API key provided: sk-secre*****1234.", "invalid_api_key"),
        "auth",
        "AI_KEY",
    ),
    (
        "openai: region",
        403,
        openai(
            "Country, region, or territory not supported", "unsupported_country_region_territory", "request_forbidden"
        ),
        "auth",
        "does not serve the region",
    ),
    (
        "openai: not verified",
        400,
        openai(
            "Your organization must be verified to stream this model. Please go to: "
            "https://platform.openai.com/settings/organization/general and click on Verify Organization.",
            "unsupported_value",
            param="stream",
        ),
        "auth",
        "Verify it in the settings",
    ),
    (
        "openai: closed account",
        403,
        openai("Your access was terminated.", "access_terminated"),
        "auth",
        "has closed the account",
    ),
    (
        "openai: billing",
        429,
        openai("Billing hard limit has been reached", "billing_hard_limit_reached"),
        "refused",
        "credit",
    ),
    ("openai: wrong path", 404, openai("Invalid URL (POST /responses)"), "bad_request", "base_url"),
    (
        "openai: policy",
        400,
        openai("Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "invalid_prompt"),
        "refused",
        "in other words",
    ),
    (
        "openai: a value that the model does not take",
        400,
        openai("Unsupported value: 'xhigh' is not supported with the 'gpt-5' model.", "unsupported_value", param="x"),
        "bad_request",
        "'xhigh' is not supported",
    ),
    # Azure
    (
        "azure: content filter",
        400,
        openai(
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            "content_filter",
        ),
        "refused",
        "refused the request",
    ),
    (
        "azure: deployment",
        404,
        {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."},
        "unknown_model",
        "--model",
    ),
    ("azure: path", 404, {"code": "404", "message": "Resource not found"}, "bad_request", "base_url"),
    (
        "azure: rate",
        429,
        {"code": "429", "message": "Requests have exceeded call rate limit. Please retry after 6 seconds."},
        "rate_limit",
        "too many requests",
    ),
    # OpenRouter
    ("openrouter: credits", 402, {"message": "Insufficient credits. Add more.", "code": 402}, "refused", "Add credit"),
    ("openrouter: model", 400, {"message": "foo/bar is not a valid model ID", "code": 400}, "unknown_model", "--model"),
    (
        "openrouter: no tools",
        404,
        {"message": "No endpoints found that support tool use. To learn more about provider routing, ...", "code": 404},
        "bad_request",
        "cannot call tools",
    ),
    (
        "openrouter: privacy",
        404,
        {"message": "No endpoints found matching your data policy (Paid model training).", "code": 404},
        "bad_request",
        "privacy and routing",
    ),
    (
        "openrouter: upstream",
        429,
        {"message": "Provider returned error", "code": 429, "metadata": {"raw": "foo is temporarily rate-limited"}},
        "rate_limit",
        "temporarily rate-limited",
    ),
    # vLLM
    (
        "vllm: model",
        404,
        {"message": "The model `coder` does not exist.", "type": "NotFoundError", "code": 404},
        "unknown_model",
        "",
    ),
    (
        "vllm: tools",
        400,
        {
            "message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
            "type": "BadRequestError",
            "code": 400,
        },
        "bad_request",
        "--enable-auto-tool-choice",
    ),
    (
        "vllm: context",
        400,
        {
            "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
            "type": "BadRequestError",
        },
        "context_too_long",
        "4096",
    ),
    # llama.cpp
    (
        "llama.cpp: context",
        400,
        {
            "code": 400,
            "message": "the request exceeds the available context size. try increasing the context size",
            "type": "exceed_context_size_error",
        },
        "context_too_long",
        "-c",
    ),
    (
        "llama.cpp: loading",
        503,
        {"code": 503, "message": "Loading model", "type": "unavailable_error"},
        "server",
        "Loading",
    ),
    ("llama.cpp: tools", 500, {"code": 500, "message": "tools param requires --jinja flag"}, "bad_request", "--jinja"),
    # Ollama
    (
        "ollama: model",
        404,
        openai('model "coder" not found, try pulling it first', None, "api_error"),
        "unknown_model",
        "pulling it",
    ),
    (
        "ollama: tools",
        400,
        openai("registry.ollama.ai/library/gemma:2b does not support tools", None, "api_error"),
        "bad_request",
        "cannot call tools",
    ),
    # LM Studio
    (
        "lm studio: nothing loaded",
        404,
        openai("No models loaded. Please load a model in the developer page or use the 'lms load' command."),
        "unknown_model",
        "lms load",
    ),
    (
        "lm studio: context",
        400,
        (
            "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with "
            "context length of only 4096 tokens"
        ),
        "context_too_long",
        "4096",
    ),
    # Others
    (
        "groq: retired",
        400,
        openai("The model `coder` has been decommissioned.", "model_decommissioned"),
        "unknown_model",
        "retired",
    ),
    (
        "mistral: model",
        400,
        {"message": "Invalid model: coder", "type": "invalid_model", "code": "1500"},
        "unknown_model",
        "",
    ),
    ("deepseek: model", 400, openai("Model Not Exist"), "unknown_model", "--model"),
    ("deepseek: credit", 402, openai("Insufficient Balance", None, "unknown_error"), "refused", "credit"),
    (
        "google: a quota of a minute",
        429,
        [
            {
                "error": {
                    "code": 429,
                    "message": "You exceeded your current quota, please check your plan and billing details. "
                    "Please retry in 33.9s.",
                    "status": "RESOURCE_EXHAUSTED",
                }
            }
        ],
        "rate_limit",
        "33.9s",
    ),
    ("anthropic: overloaded", 529, {"type": "overloaded_error", "message": "Overloaded"}, "server", "529"),
    ("a key that is too old", 401, openai("This API key has expired."), "auth", "has expired"),
    (
        "nginx: size",
        413,
        "<html><head><title>413 Request Entity Too Large</title></head></html>",
        "context_too_long",
        "413",
    ),
    ("a web server", 405, {"detail": "Method Not Allowed"}, "bad_request", "base_url"),
    ("cloudflare", 522, "<html><title>Connection timed out</title></html>", "server", '"Connection timed out"'),
)


@pytest.mark.parametrize(("status", "body", "kind", "words"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_what_servers_say(status: int, body: Any, kind: str, words: str) -> None:
    # The client library hands on what is under "error" where there is such a thing; both forms count.
    for said in (body, {"error": body}) if isinstance(body, dict) else (body,):
        error = from_status(HERE, status, said, {})
        assert error.kind == kind
        assert words in str(error)
        assert "sk-sec" not in str(error)
        assert error.retryable == (kind in {"rate_limit", "server"})
        assert len(error.message) < 600
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("key", "said", "told"),
    [
        (Key("sk-secret-1234", "AI_KEY"), "no", "The key came from $AI_KEY: check"),
        (Key("sk-secret-1234", "AI_KEY", "the system keyring"), "no", "The key came from the system keyring: check"),
        (Key("sk-secret-1234", "AI_KEY", "/home/me/keys.toml"), "It expired.", "It came from /home/me/keys.toml."),
        (Key("", "AI_KEY"), "no", "(export AI_KEY=..., or pairloop key set ai.example)"),
    ],
)
def test_where_a_key_that_is_not_taken_came_from(key: Key, said: str, told: str) -> None:
    endpoint = Endpoint("https://ai.example/v1", "coder", key, 10.0)
    assert told in str(from_status(endpoint, 401, openai(said), {}))


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 20s.", 20),
        ("Please try again in 1.2s. Visit", 1.2),
        ("Please try again in 86ms.", 0.086),
        ("Please try again in 6m0s.", 360),
        ("Please try again in 1h2m3s.", 3723),
        ("Please retry after 6 seconds.", 6),
        ("Please retry in 33.9s.", 33.9),
        ("Try again later.", None),
        ("try again in ...s", None),
    ],
)
def test_waits_in_words(words: str, seconds: float | None) -> None:
    error = from_status(HERE, 429, openai(words, "rate_limit_exceeded"), {})
    assert error.retry_after == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "7200"}, 7200),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": "Thu, 01 Jan 1970 00:10:00 GMT"}, 100),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e300"}, 86_400),
        ({"retry-after": "Thu, 99 Jan 1970"}, None),
        ({}, None),
    ],
)
def test_waits_in_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=500.0) == seconds


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (
            {"type": "error", "code": "rate_limit_exceeded", "message": "Rate limit reached, try again in 3s."},
            "rate_limit",
        ),
        ({"error": {"code": 502, "message": "Provider disconnected unexpectedly"}, "choices": []}, "server"),
        ({"error": {"code": 429, "message": "slow down"}}, "rate_limit"),
        ({"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}, "refused"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "server"),
        ({"error": "in words"}, "server"),
    ],
)
def test_errors_in_a_stream(event: dict[str, Any], kind: str) -> None:
    error = error_in(HERE, event)
    assert error is not None
    assert error.kind == kind


def test_no_error_is_none() -> None:
    assert error_in(HERE, {"type": "response.created", "error": None}) is None


def chained(*errors: Exception) -> Exception:
    for outer, inner in itertools.pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


class ConnectError(Exception):
    pass


class ProxyError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "kind", "words", "again"),
    [
        (
            chained(ConnectError("failed"), OSError("[Errno -2] Name or service not known")),
            "unreachable",
            "Offline",
            True,
        ),
        (
            chained(ConnectError("x"), OSError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer")),
            "bad_request",
            "SSL_CERT_FILE",
            False,
        ),
        (chained(ConnectError("x"), OSError("[SSL: WRONG_VERSION_NUMBER]")), "bad_request", "http://", False),
        (chained(ProxyError("407 Proxy Authentication Required")), "bad_request", "HTTPS_PROXY", False),
    ],
)
def test_what_stands_between(error: Exception, kind: str, words: str, *, again: bool) -> None:
    told = from_transport(HERE, error, streaming=False)
    assert told.kind == kind
    assert words in str(told)
    assert told.retryable == again
    assert isinstance(told, OfflineError) == again


def test_a_long_wait_is_told() -> None:
    told = [from_status(HERE, 429, openai("Slow down."), {"retry-after": seconds}) for seconds in ("7", "300", "7200")]
    assert [
        error.message.removeprefix("ai.example says that too many requests or tokens were sent") for error in told
    ] == [
        ': "Slow down".',
        ', and to wait for 5 minutes: "Slow down".',
        ', and to wait for 2 hours: "Slow down".',
    ]
    assert ["need not wait" in error.hint for error in told] == [False, True, True]
