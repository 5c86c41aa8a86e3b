"""The methods that an editor calls: sessions opened, loaded, listed, and talked in."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from acp import PROTOCOL_VERSION, Client, RequestError
from acp.schema import (
    AgentCapabilities,
    AuthenticateResponse,
    AuthMethodAgent,
    ClientCapabilities,
    CloseSessionResponse,
    ForkSessionResponse,
    Implementation,
    InitializeResponse,
    ListSessionsResponse,
    LoadSessionResponse,
    McpCapabilities,
    NewSessionResponse,
    PromptCapabilities,
    PromptResponse,
    ResumeSessionResponse,
    SessionCapabilities,
    SessionCloseCapabilities,
    SessionForkCapabilities,
    SessionInfo,
    SessionListCapabilities,
    SessionResumeCapabilities,
    SetSessionConfigOptionResponse,
    SetSessionModeResponse,
)

from agent_core import __version__
from agent_core.acp import settings
from agent_core.acp.buffers import Buffers
from agent_core.acp.prompts import Block, said
from agent_core.acp.servers import Server, tables
from agent_core.acp.talk import Talk
from agent_core.acp.trouble import AUTH, NOT_FOUND, failure, wrong
from agent_core.acp.words import title
from agent_core.build import Engine
from agent_core.config_tables import Config
from agent_core.errors import ConfigError, PairloopError
from agent_core.events import Entry
from agent_core.partners.build import NoPartnerError, endpoint_of
from agent_core.partners.presets import BUILTIN, DEFAULT_KEY

_KEY = "key"


class PairloopAgent:
    """Pairloop, for one editor; the methods are those of `acp.Agent`.

    Args:
        flags: Settings from the command line, as nested tables.
        environ: The environment.
    """

    def __init__(self, flags: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self._flags = flags
        self._environ = environ
        self._client: Client | None = None
        self._reads_files = False
        self._talks: dict[str, Talk] = {}
        self._opening = asyncio.Lock()

    def on_connect(self, conn: Client) -> None:
        """The editor is there."""
        self._client = conn

    async def close(self) -> None:
        """End all sessions in an orderly way."""
        talks, self._talks = tuple(self._talks.values()), {}
        await asyncio.gather(*(talk.close() for talk in talks))

    # -- the beginning

    async def initialize(
        self,
        protocol_version: int,  # noqa: ARG002 - the one version there is, is answered
        client_capabilities: ClientCapabilities | None = None,
        client_info: Implementation | None = None,  # noqa: ARG002
        **_: Any,
    ) -> InitializeResponse:
        """Say what pairloop can do."""
        files = client_capabilities.fs if client_capabilities is not None else None
        self._reads_files = bool(files and files.read_text_file)
        return InitializeResponse(
            protocol_version=PROTOCOL_VERSION,
            agent_capabilities=AgentCapabilities(
                load_session=True,
                prompt_capabilities=PromptCapabilities(embedded_context=True),
                mcp_capabilities=McpCapabilities(http=True),
                session_capabilities=SessionCapabilities(
                    list=SessionListCapabilities(),
                    resume=SessionResumeCapabilities(),
                    fork=SessionForkCapabilities(),
                    close=SessionCloseCapabilities(),
                ),
            ),
            auth_methods=list(self._auth_methods()),
            agent_info=Implementation(name="pairloop", title="pairloop", version=__version__),
        )

    async def authenticate(self, method_id: str, **_: Any) -> AuthenticateResponse:
        """See whether there is a key by now."""
        methods = self._auth_methods()
        if any(method.id == method_id for method in methods):
            raise RequestError(AUTH, f"There is no key yet. {methods[0].description}")
        return AuthenticateResponse()

    def _auth_methods(self) -> tuple[AuthMethodAgent, ...]:
        try:
            config = Engine(None, self._flags, self._environ).config()
        except ConfigError:
            # What is wrong with it is told where a session is opened.
            return ()
        if not _key_wanted(config, self._environ):
            return ()
        words = (
            f"Set {config.partner.key_env or DEFAULT_KEY} in the environment of your editor or in the settings of this "
            "agent there, or run `pairloop key set` in a terminal, or start a local server such as Ollama; then start "
            "the agent again."
        )
        return (AuthMethodAgent(id=_KEY, name="Set a key", description=words),)

    # -- sessions

    async def new_session(self, cwd: str, mcp_servers: Sequence[Server] | None = None, **_: Any) -> NewSessionResponse:
        """Open a new session on a project."""
        talk = await self._opened(cwd, None, mcp_servers)
        talk.begin()
        return NewSessionResponse(session_id=talk.session.id, **self._choices(talk))

    async def load_session(
        self, cwd: str, session_id: str, mcp_servers: Sequence[Server] | None = None, **_: Any
    ) -> LoadSessionResponse:
        """Go on with a session, and tell all that happened in it."""
        talk = self._talks.get(session_id)
        entries = await self._known(cwd, session_id)
        if talk is None:
            talk = await self._made(cwd, session_id, mcp_servers)
        talk.retell(entries)
        await talk.told()
        await self._take_in(talk)
        talk.begin()
        return LoadSessionResponse(**self._choices(talk))

    async def resume_session(
        self, session_id: str, cwd: str, mcp_servers: Sequence[Server] | None = None, **_: Any
    ) -> ResumeSessionResponse:
        """Go on with a session of which the editor knows what happened."""
        talk = self._talks.get(session_id)
        if talk is None:
            await self._known(cwd, session_id)
            talk = await self._opened(cwd, session_id, mcp_servers)
        talk.begin()
        return ResumeSessionResponse(**self._choices(talk))

    async def fork_session(
        self, session_id: str, cwd: str, mcp_servers: Sequence[Server] | None = None, **_: Any
    ) -> ForkSessionResponse:
        """Begin a session as a copy of another one."""
        await self._known(cwd, session_id)
        try:
            fork = await self._engine(cwd).shelf().fork(session_id)
        except PairloopError as error:
            raise failure(error) from error
        talk = await self._opened(cwd, fork, mcp_servers)
        talk.begin()
        return ForkSessionResponse(session_id=fork, **self._choices(talk))

    async def list_sessions(self, cwd: str | None = None, cursor: str | None = None, **_: Any) -> ListSessionsResponse:
        """The sessions of a project; without one, of those that are open here and the one this process stands in."""
        if cursor:
            return ListSessionsResponse(sessions=[])
        roots = [cwd] if cwd else sorted({str(talk.root) for talk in self._talks.values()} | {str(Path.cwd())})
        found = [info for root in roots for info in await self._listed(root)]
        return ListSessionsResponse(sessions=found)

    async def _listed(self, cwd: str) -> list[SessionInfo]:
        try:
            cards = await self._engine(cwd).shelf().cards()
        except PairloopError as error:
            raise failure(error) from error
        return [
            SessionInfo(
                session_id=card.id,
                cwd=cwd,
                title=title(card.title) or None,
                updated_at=datetime.fromtimestamp(card.last, UTC).isoformat(),
            )
            for card in cards
        ]

    async def close_session(self, session_id: str, **_: Any) -> CloseSessionResponse:
        """End a session in an orderly way; it can be loaded again."""
        talk = self._talk(session_id)
        del self._talks[session_id]
        await talk.close()
        return CloseSessionResponse()

    # -- within a session

    async def prompt(self, session_id: str, prompt: Sequence[Block], **_: Any) -> PromptResponse:
        """Carry out what the human writes, to the end of the turn."""
        talk = self._talk(session_id)
        text, left = said(prompt, talk.root)
        if not text:
            raise wrong(f"The prompt holds no words. {left}".strip())
        return PromptResponse(stop_reason=await talk.prompt(text, left))

    async def cancel(self, session_id: str, **_: Any) -> None:
        """Stop what runs in a session."""
        await self._talk(session_id).cancel()

    async def set_session_mode(self, session_id: str, mode_id: str, **_: Any) -> SetSessionModeResponse:
        """Choose when to be asked."""
        await self._choose(session_id, "mode", mode_id)
        return SetSessionModeResponse()

    async def set_config_option(
        self, config_id: str, session_id: str, value: object, **_: Any
    ) -> SetSessionConfigOptionResponse:
        """Choose a mode or a partner."""
        talk = await self._choose(session_id, config_id, value)
        return SetSessionConfigOptionResponse(config_options=settings.options(talk.state, talk.partners))

    async def _choose(self, session_id: str, config_id: str, value: object) -> Talk:
        talk = self._talk(session_id)
        try:
            command = settings.chosen(config_id, value, talk.partners)
        except PairloopError as error:
            raise wrong(str(error)) from error
        await talk.choose(command)
        return talk

    # -- helpers

    def _talk(self, session_id: str) -> Talk:
        talk = self._talks.get(session_id)
        if talk is None:
            raise RequestError(NOT_FOUND, f"Session {session_id} is not open here: load it first.")
        return talk

    def _engine(self, cwd: str, flags: Mapping[str, Any] | None = None, **more: Any) -> Engine:
        """The engine of a project.

        Raises:
            RequestError: There is no such folder.
        """
        folder = Path(cwd)
        if not folder.is_absolute():
            raise wrong(f"The folder of a session is an absolute path; {cwd!r} is none.")
        try:
            return Engine(folder, flags or self._flags, self._environ, **more)
        except PairloopError as error:
            raise failure(error, wrong("").code) from error

    async def _known(self, cwd: str, session_id: str) -> tuple[Entry, ...]:
        """What happened in a session so far.

        Raises:
            RequestError: There is no such session.
        """
        try:
            entries = await self._engine(cwd).shelf().entries(session_id)
        except PairloopError as error:
            raise failure(error) from error
        if not entries:
            raise RequestError(NOT_FOUND, f"There is no session {session_id} in {cwd}.")
        return entries

    async def _opened(self, cwd: str, resume: str | None, servers: Sequence[Server] | None) -> Talk:
        """A session that is open."""
        talk = await self._made(cwd, resume, servers)
        await self._take_in(talk)
        return talk

    async def _take_in(self, talk: Talk) -> None:
        try:
            await talk.open()
        except RequestError:
            await talk.close()
            raise
        self._talks[talk.session.id] = talk

    async def _made(self, cwd: str, resume: str | None, servers: Sequence[Server] | None) -> Talk:
        """A session that is still to be opened."""
        assert self._client is not None, "on_connect was called"
        try:
            found, left = tables(servers, self._engine(cwd).config().mcp) if servers else ({}, "")
        except PairloopError as error:
            raise failure(error) from error
        flags = {**self._flags, "mcp": found} if found else self._flags
        buffers: Buffers | None = None

        async def unsaved(paths: Collection[str]) -> tuple[str, ...]:
            return await buffers.unsaved(paths) if buffers is not None else ()

        engine = self._engine(cwd, flags, unsaved=unsaved)
        try:
            config = engine.config()
        except PairloopError as error:
            raise failure(error) from error
        try:
            # A journal that is made anew is made once.
            async with self._opening:
                session = await engine.open(resume)
        except PairloopError as error:
            raise (failure(error, AUTH) if isinstance(error, NoPartnerError) else failure(error)) from error
        # As the editor names it: it may know the folder by a link.
        root = Path(cwd)
        if self._reads_files:
            buffers = Buffers(self._client, session.id, root)
        talk = Talk(session, engine, self._client, root, tuple(dict.fromkeys((*config.partners, BUILTIN))))
        if left:
            talk.note(left)
        return talk

    def _choices(self, talk: Talk) -> dict[str, Any]:
        """What can be chosen in a session, as responses have it."""
        return {"modes": settings.modes(talk.state), "config_options": settings.options(talk.state, talk.partners)}


def _key_wanted(config: Config, environ: Mapping[str, str]) -> bool:
    """Whether nobody is configured who could be asked without a key, and none is in the environment."""
    partner = config.partner
    if partner.script or partner.use:
        return False
    try:
        endpoint_of(partner, environ)
    except NoPartnerError:
        return True
    except ConfigError:
        # What is wrong with it is told where a session is opened.
        return False
    return False
