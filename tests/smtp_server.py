"""A real SMTP server in a thread of its own, as rude as a test wants it.

    with SmtpServer(replies={"RCPT": "550 5.1.1 nobody here"}) as server:
        ...  # localhost:server.port
        server.received[0].content

`replies` maps a verb to what is said instead of serving it: a line, DROP or HANG. The
verbs are CONNECT, STARTTLS, AUTH and the rest of SMTP, and END for the reply to the
message itself. Knobs may be turned while the server runs.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from aiosmtpd.smtp import (
    SMTP,
    AuthResult,
    Envelope,
    LoginPassword,
    Session,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

DROP = "drop the connection"
HANG = "never answer"


@dataclass(frozen=True)
class Received:
    """One message as the server took it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    helo: str
    is_encrypted: bool
    user: str | None


@dataclass
class SmtpServer:
    """Takes mail on a port of 127.0.0.1 while its `with` block lasts."""

    replies: dict[str, str] = field(default_factory=dict)
    greeting_delay: float = 0.0
    drip: float = 0.0
    """Seconds between any two bytes of the greeting."""

    starttls: ssl.SSLContext | None = None
    tls: ssl.SSLContext | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    """Names and passwords; with any, mail is taken only after a log-in."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    """Every verb that came, in order, CONNECT for each connection."""

    def __enter__(self) -> Self:
        self._news = threading.Condition()
        self._sessions: set[_Conversation] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self._listener = listening.result(60)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._listener.close)
        self.drop_connections()
        asyncio.run_coroutine_threadsafe(self._cancel_tasks(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def wait_for(self, count: int, *, seconds: float = 60.0) -> list[Received]:
        """Wait until so many messages have come; give all that came."""
        self.wait_until(lambda: len(self.received) >= count, seconds=seconds)
        return list(self.received)

    def wait_until(self, is_so: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Wait for what a verb, a message or a lost connection brings about."""
        with self._news:
            if not self._news.wait_for(is_so, seconds):
                raise TimeoutError(f"not so after {seconds} s: {self}")

    def drop_connections(self) -> None:
        """Close every connection from this side, as a restarting server does."""
        self._loop.call_soon_threadsafe(self._abort_all)
        self.wait_until(lambda: not self._sessions)

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        return len(self._sessions)

    def note(self, verb: str) -> None:
        with self._news:
            self.verbs.append(verb)
            self._news.notify_all()

    def keep(self, message: Received) -> None:
        with self._news:
            self.received.append(message)
            self._news.notify_all()

    def opened(self, session: _Conversation) -> None:
        self._sessions.add(session)

    def closed(self, session: _Conversation) -> None:
        with self._news:
            self._sessions.discard(session)
            self._news.notify_all()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(
            lambda: _Conversation(self, self._loop),
            "127.0.0.1",
            self.port,
            ssl=self.tls,
        )

    def _abort_all(self) -> None:
        for session in tuple(self._sessions):
            session.abort()
            # Of a client that left in the middle of a TLS handshake nobody is told.
            self.closed(session)

    async def _cancel_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Conversation(SMTP):
    def __init__(self, server: SmtpServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._is_greeted = False
        super().__init__(
            _Keeper(server),
            hostname="mx.example.org",
            tls_context=server.starttls,
            authenticator=self._log_in,
            auth_require_tls=False,
            loop=loop,
        )
        for verb, serve in tuple(self._smtp_methods.items()):
            self._smtp_methods[verb] = functools.partial(self._serve, verb, serve)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._server.opened(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._server.closed(self)

    def abort(self) -> None:
        transport = self._original_transport or self.transport
        if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
            transport.abort()

    @property
    def is_encrypted(self) -> bool:
        transport = self.transport
        return bool(transport and transport.get_extra_info("sslcontext"))

    async def push(self, status: Any) -> None:
        if self._is_greeted:
            await super().push(status)
            return
        self._is_greeted = True
        self._server.note("CONNECT")
        await asyncio.sleep(self._server.greeting_delay)
        greeting = await self._instead("CONNECT", status)
        if self._server.drip:
            for char in greeting:
                self._writer.write(char.encode())
                await asyncio.sleep(self._server.drip)
            greeting = ""
        await super().push(greeting)

    async def _serve(self, verb: str, serve: Any, arg: str | None) -> None:
        self._server.note(verb)
        reply = await self._instead(verb, "")
        is_known = self.session is not None and self.session.authenticated
        if verb == "MAIL" and self._server.users and not is_known:
            reply = reply or "530 5.7.0 Authentication required"
        if reply:
            await self.push(reply)
        else:
            await serve(arg)

    async def _instead(self, verb: str, otherwise: str) -> str:
        reply = self._server.replies.get(verb, otherwise)
        if reply == DROP:
            self.abort()
        if reply in {DROP, HANG}:
            try:
                await asyncio.Event().wait()  # until the client has gone
            finally:
                self.abort()
        return reply

    def _log_in(
        self, _: object, __: Session, ___: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if mechanism not in {"LOGIN", "PLAIN"} or not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        user, password = data.login.decode(), data.password.decode()
        is_right = self._server.users.get(user) == password
        return AuthResult(success=is_right, handled=False, auth_data=user)


class _Keeper:
    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, conversation: _Conversation, session: Session, envelope: Envelope
    ) -> str:
        reply = self._server.replies.get("END", "250 2.0.0 Ok: queued as 4F2B")
        if reply.startswith("2") or reply in {DROP, HANG}:
            self._server.keep(
                Received(
                    sender=envelope.mail_from or "",
                    recipients=tuple(envelope.rcpt_tos),
                    content=envelope.original_content or b"",
                    helo=session.host_name or "",
                    is_encrypted=conversation.is_encrypted,
                    user=session.auth_data,
                )
            )
        return await conversation._instead("END", reply)
