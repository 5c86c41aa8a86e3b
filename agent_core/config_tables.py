"""The tables of the configuration: every setting with its default."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from agent_core.checks.settings import CommandConfig, Seconds
from agent_core.events.base import Mode
from agent_core.events.hookable import trouble
from agent_core.patch.paths import is_own
from agent_core.sandbox.limits import Limits, parse_limits
from agent_core.screen_settings import Keys, ScreenConfig

Positive = Annotated[int, msgspec.Meta(ge=1)]
PatchTool = Literal["auto", "builtin", "function"]
PatchForm = Literal["auto", "envelope", "blocks", "whole"]
"""Forms of patches: ours, SEARCH/REPLACE blocks, whole files. ``auto``: what was found to work."""

COMMANDS = "*"
"""Where the tables ``[checks.NAME]`` are put for the conversion."""


class PriceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a partner costs, in US dollars per million tokens.

    Attributes:
        input: What is sent.
        output: What is answered.
        cached: What is sent and comes from the provider's cache; as much as other input where it is not said.
    """

    input: Annotated[float, msgspec.Meta(ge=0)]
    output: Annotated[float, msgspec.Meta(ge=0)]
    cached: Annotated[float, msgspec.Meta(ge=0)] | None = None


class PartnerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who proposes.

    Attributes:
        use: Name of another partner, ``[partners.NAME]`` or a preset, that proposes instead of this one, which can
            still be chosen; in ``[partner]`` alone.
        preset: A server whose address, API and key are known by its name, such as ``ollama``; what else is set here
            goes over it. Empty for none.
        api: ``responses`` or ``chat``; ``auto`` takes Responses for OpenAI's own address and Chat
            Completions for every other.
        model: The model's id.
        base_url: Address of the API; empty for OpenAI's own.
        key_env: Name of the environment variable that holds the key; empty for the preset's, or ``OPENAI_API_KEY``.
        script: A file of turns to play instead of asking a model; relative to the configuration file's folder.
        timeout: Seconds without a byte from the server before the request counts as stalled. One that only says that it
            is alive is given five times as long.
        max_retries: How often a request is sent again after a failure that may pass.
        offline: For how many seconds it is tried again while the server cannot even be connected to; where nobody looks
            on, no more than 30.
        temperature: Sent to servers other than OpenAI's; small models keep to a form only near 0. Negative:
            not sent, the server chooses.
        reasoning_effort: Sent to models that reason; empty for the model's default.
        patch_tool: How patches come over the Responses API: through OpenAI's ``builtin`` tool or our ``function``;
            ``auto`` takes the built-in one for OpenAI's own models that have it (gpt-5.1 and later).
        context_window: How many tokens fit into the model's context; the status line then says how full it is. 0: not
            known.
        price: What it costs, where the public price lists that pairloop knows do not say it, or say something else.
        verbosity: How much OpenAI's models say; empty for the model's default.
        reasoning_summary: Whether summaries of the reasoning are asked for: ``auto`` for the most detailed there is.
        service_tier: OpenAI's, such as ``flex`` or ``priority``; empty for the project's default.
        parallel_tools: Let it call several tools in one answer.
        format: In which form it is to write patches; ``auto`` takes what was found to work with this model.
        aside: Name of the partner, as in ``[partners.NAME]``, that is asked for summaries and messages of commits;
            empty for this one.
        api_version: For Azure's addresses that want one.
        discover: Look for servers on the usual ports of this machine: where no server and no key is configured, and
            where partners are listed.
    """

    use: str = ""
    preset: str = ""
    api: Literal["auto", "responses", "chat"] = "auto"
    model: str = ""
    base_url: str = ""
    key_env: str = ""
    script: str = ""
    timeout: Seconds = 120.0
    max_retries: Annotated[int, msgspec.Meta(ge=0)] = 4
    offline: Annotated[float, msgspec.Meta(ge=0)] = 600.0
    temperature: float = 0.0
    reasoning_effort: Literal["", "none", "minimal", "low", "medium", "high", "xhigh"] = ""
    patch_tool: PatchTool = "auto"
    context_window: Annotated[int, msgspec.Meta(ge=0)] = 0
    price: PriceConfig | None = None
    verbosity: Literal["", "low", "medium", "high"] = ""
    reasoning_summary: Literal["auto", "concise", "detailed", "off"] = "auto"
    service_tier: Literal["", "auto", "default", "flex", "priority"] = ""
    parallel_tools: bool = True
    format: PatchForm = "auto"
    aside: str = ""
    api_version: str = ""
    discover: bool = True


class BudgetConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be spent before the human is asked. Zero: no limit.

    Attributes:
        task: US dollars for one task.
        session: US dollars for one session.
        task_tokens: Tokens, sent and answered, for one task: for partners whose price is not known.
        session_tokens: Likewise for one session.
    """

    task: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    session: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    task_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    session_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0


class ToolsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the partner may do.

    Attributes:
        fetch: It may ask for web addresses to be fetched; which, ``[permissions]`` says.
        parallel: How many calls that only look are carried out at the same time.
        map_tokens: Budget of the map of the project: its files' most important names, chosen for the task. 0: none.
    """

    fetch: bool = False
    parallel: Positive = 4
    map_tokens: Annotated[int, msgspec.Meta(ge=0)] = 1500


class PermissionsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be done without asking, and what may not be done at all.

    A rule is ``ACTION PATTERN``: ``run pytest *``, ``fetch https://docs.python.org/*``, ``mcp files/read_*``; ``*``
    stands for anything. What is denied is denied whatever else is said; what is to be asked goes before what is
    allowed.

    Attributes:
        allow: May be done without asking.
        ask: Is asked, even where it would be allowed.
        deny: May not be done.
    """

    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class McpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An MCP server, ``[mcp.NAME]``: a program that is started, or an address.

    Attributes:
        command: The program and its arguments; empty for a server at an address.
        env: Variables it is given beyond the usual ones. ``$NAME`` as a value stands for the variable of this
            environment.
        url: Its address (streamable HTTP).
        headers: Sent with each request; ``$NAME`` as above.
        tools: Names of its tools that are offered; ``*`` stands for anything.
        timeout: Seconds that a call may take.
        roots: Tell it the project's folder when it asks. Servers of files then take that in the place of the folders
            that their command names.
        off: Leave it out.
    """

    command: tuple[str, ...] = ()
    env: dict[str, str] = msgspec.field(default_factory=dict)
    url: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    tools: tuple[str, ...] = ("*",)
    timeout: Seconds = 60.0
    roots: bool = False
    off: bool = False

    def __post_init__(self) -> None:
        """Refuse a server that cannot be reached.

        Raises:
            ValueError: Says why.
        """
        if bool(self.command) == bool(self.url):
            raise ValueError("needs either command, a program and its arguments, or url")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError("url has to begin with http:// or https://")


class HookConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command of the human's own that runs on events, ``[hooks.NAME]``.

    It gets the event as JSON on standard input and stands in the project's folder; it is not shut in.

    Attributes:
        on: Names of events, as ``pairloop exec --json`` prints them.
        run: The command line.
        timeout: Seconds it may take.
    """

    on: tuple[str, ...]
    run: str
    timeout: Seconds = 30.0

    def __post_init__(self) -> None:
        """Refuse events that there are not, and commands that are none.

        Raises:
            ValueError: Says which and why.
        """
        for name in self.on:
            if reason := trouble(name):
                raise ValueError(reason)
        if not self.on or not self.run.strip():
            raise ValueError("needs on, names of events, and run, a command line")


class LoopConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the loop goes.

    Attributes:
        mode: ``step`` asks at every proposal, ``until-green`` when green or out of attempts, ``auto`` lands when green.
        max_attempts: Proposals per task before it stops.
        max_refusals: Patches per task, since its last proposal, that cannot be applied before it stops.
        max_broken_requests: Requests per task that break off and are sent again before it stops.
        max_steps: Requests per task before it stops.
    """

    mode: Mode = "step"
    max_attempts: Positive = 5
    max_refusals: Positive = 6
    max_broken_requests: Annotated[int, msgspec.Meta(ge=0)] = 12
    max_steps: Positive = 60


class ChecksConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who judges.

    Every other table in it, ``[checks.NAME]``, is a `CommandConfig`.

    Attributes:
        off: Names of checks that are not run.
        discover: Look for checks of the project's own, such as a lint script in package.json.
        timeout: Seconds a check may take.
        commands: Commands of the project's own, and what is different about other checks, by name.
    """

    off: tuple[str, ...] = ()
    discover: bool = True
    timeout: Seconds = 600.0
    commands: dict[str, CommandConfig] = msgspec.field(default_factory=dict, name=COMMANDS)


class SandboxConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where foreign code runs.

    Attributes:
        candidate: ``auto`` takes the best mechanism that works here; the others insist on one.
        required: Refuse to run checks and commands where nothing isolates them.
        network: Whether checks and commands may use the network.
        env: Names of environment variables that checks need beyond the usual ones; ``*`` stands for any part of a name,
            but a variable whose name says that it holds a secret has to be named in full.
        memory: Most memory of one run, such as ``4 GB`` or ``80%`` of this machine's.
        processes: Most processes of one run.
        disk: Most of what one run writes to each temporary folder, and to one file.
    """

    candidate: Literal["auto", "bubblewrap", "unshare", "seatbelt", "copy"] = "auto"
    required: bool = False
    network: bool = False
    env: tuple[str, ...] = ()
    memory: str = "80%"
    processes: Annotated[int, msgspec.Meta(ge=16)] = 2048
    disk: str = "25%"

    def __post_init__(self) -> None:
        """Refuse sizes that are none.

        Raises:
            ValueError: Says which and why.
        """
        _ = self.limits

    @property
    def limits(self) -> Limits:
        """What one run of a command may use up."""
        return parse_limits(self.memory, self.processes, self.disk)


class PromptConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the partner sees.

    Attributes:
        project_tokens: Budget for AGENTS.md, README and pyproject together.
        tool_tokens: Most tokens of one tool's output.
    """

    project_tokens: Annotated[int, msgspec.Meta(ge=0)] = 8000
    tool_tokens: Positive = 6000


class WatchConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the human's saves are heard.

    Attributes:
        comments: Whether a comment that begins or ends with ``AI!`` or ``AI?`` is a word to the partner.
    """

    comments: bool = True


class MemoryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is remembered.

    Attributes:
        compact_at: How full the partner's context may get before the oldest of the conversation is replaced by a
            summary, as a share of its window; 1 and more: only when the partner refuses a request as too long.
        lessons: Whether lessons are proposed, and told to the partner where they fit.
        file: The project's file of lessons: a ``.md`` in the folder ``.pairloop`` of the project.
    """

    compact_at: Annotated[float, msgspec.Meta(gt=0)] = 0.8
    lessons: bool = True
    file: str = ".pairloop/memory.md"

    def __post_init__(self) -> None:
        """Refuse a file that could be one of the project's own.

        Raises:
            ValueError: Says why.
        """
        if not is_own(self.file) or not self.file.endswith(".md"):
            raise ValueError("has to be a .md file in .pairloop, such as .pairloop/memory.md")


class GitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done with the repository.

    Attributes:
        commit: Commit each landing.
        trailer: A line put at the end of commit messages, such as ``Assisted-by: {partner}``, where ``{partner}``
            stands for who proposed and ``{model}`` for its model; empty for none.
    """

    commit: bool = False
    trailer: str = ""


class RepairConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table ``[repair]``: repairs found by search, without a model.

    Attributes:
        beside: Look for one in the background while a model thinks, where a test fails.
        seconds: Most time that one search takes.
    """

    beside: bool = True
    seconds: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 60.0


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings, a table each.

    Attributes:
        partners: Other partners that can be chosen, by their names.
        mcp: MCP servers, by their names.
        hooks: Commands that run on events, by their names.
        keys: Other keys for the screen's actions, by their ids; what can stand there the screen says.
    """

    partner: PartnerConfig = PartnerConfig()
    partners: dict[str, PartnerConfig] = msgspec.field(default_factory=dict)
    budget: BudgetConfig = BudgetConfig()
    tools: ToolsConfig = ToolsConfig()
    permissions: PermissionsConfig = PermissionsConfig()
    mcp: dict[str, McpConfig] = msgspec.field(default_factory=dict)
    hooks: dict[str, HookConfig] = msgspec.field(default_factory=dict)
    loop: LoopConfig = LoopConfig()
    repair: RepairConfig = RepairConfig()
    checks: ChecksConfig = ChecksConfig()
    sandbox: SandboxConfig = SandboxConfig()
    prompt: PromptConfig = PromptConfig()
    watch: WatchConfig = WatchConfig()
    memory: MemoryConfig = MemoryConfig()
    git: GitConfig = GitConfig()
    screen: ScreenConfig = ScreenConfig()
    keys: Keys = msgspec.field(default_factory=dict)
