"""The Unix-socket server: a request in, the ban on disk, one line back."""

from __future__ import annotations

import asyncio
import math
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import structlog

from f2b_enrich.daemon.listening import BACKLOG
from f2b_enrich.errors import F2bEnrichError, WireError
from f2b_enrich.inert import cut, printable
from f2b_enrich.wire import END, MAX_REQUEST, decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from f2b_enrich.daemon.intake import Take, Taken

log = structlog.get_logger(__name__)

_LONGEST_REPLY = 400

MOST_AHEAD = 64 * 1024
"""What a peer may send of the next requests while the answer to one is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a peer may use up; `users` are numbers."""

    users: frozenset[int]
    connections: int
    seconds: float


def user_numbers(names: tuple[str, ...]) -> frozenset[int]:
    """Turn user names or numbers into numbers; root is always among them.

    Raises:
        F2bEnrichError: this machine has no such user.
    """
    numbers = {0, os.geteuid()}
    for name in names:
        if name.isdecimal():
            numbers.add(int(name))
            continue
        try:
            numbers.add(pwd.getpwnam(name).pw_uid)
        except KeyError:
            raise F2bEnrichError(f"daemon.users: there is no user {name!r}") from None
    return frozenset(numbers)


class Server:
    """Serve connections until told to stop, then finish those under way."""

    def __init__(
        self,
        take: Take,
        *,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self.take = take
        self.limits = limits
        self.now = now
        self.connections: set[_Connection] = set()
        self._server: asyncio.AbstractServer | None = None

    async def start(self, listener: socket.socket) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        # create_unix_server would, from Python 3.13 on, remove systemd's socket.
        self._server = await loop.create_server(
            lambda: _Connection(self), sock=listener, backlog=BACKLOG
        )

    async def stop(self) -> None:
        """Accept no more, answer what was asked completely, and close."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self.connections):
            connection.finish()
        while self.connections:
            await next(iter(self.connections)).closed
        await self._server.wait_closed()


class _Connection(asyncio.Protocol):
    """One peer: requests one after another, each acknowledged once it is on disk."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = bytearray()
        self._busy = False
        self._finishing = False
        self._timer: asyncio.TimerHandle | None = None
        self._expires_at = math.inf
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        limits = self._server.limits
        self._server.connections.add(self)
        user = _peer_user(transport.get_extra_info("socket"))
        if user not in limits.users:
            self._refuse(f"user {user} may not report bans (daemon.users)")
        elif len(self._server.connections) > limits.connections:
            self._refuse(f"over {limits.connections} connections at once")
        else:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._stop_timer()
        self._server.connections.discard(self)
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        searched = max(len(self._buffer) - 1, 0)
        self._buffer += data
        if not self._busy:
            self._next_request(searched)
        elif len(self._buffer) > MOST_AHEAD:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Keep the way back open while an answer is due."""
        self._finishing = True
        if not self._busy and self._buffer:
            self._next_request(0)
        return self._busy

    def pause_writing(self) -> None:
        """Part with a peer that asks and asks and reads no answer."""
        log.warning("connection ended: its answers are not read")
        self._transport.abort()

    def finish(self) -> None:
        """Close, after the answers to what has arrived."""
        self._finishing = True
        if not self._transport.is_closing():
            self._transport.pause_reading()  # or who sends on and on is never done
        if not self._busy:
            self._close()

    def _next_request(self, searched: int) -> None:
        end = self._buffer.find(END, searched)
        size = len(self._buffer) if end < 0 else end + len(END)
        if size > MAX_REQUEST:
            self._refuse(f"request is over {MAX_REQUEST} bytes")
        elif end >= 0:
            request = bytes(self._buffer[:size])
            del self._buffer[:size]
            self._handle(request)
        elif self._finishing:
            self._refuse("request was cut off: it does not end in an empty field")

    def _handle(self, request: bytes) -> None:
        try:
            event = decode(request, received_at=self._server.now())
        except WireError as exc:
            self._refuse(str(exc))
            return
        self._busy = True
        self._expires_at = math.inf
        alone = len(self._server.connections) == 1 and not self._buffer
        self._server.take(event, self._answer, alone=alone)

    def _answer(self, taken: Taken | Exception) -> None:
        self._busy = False
        if isinstance(taken, Exception):
            log.error("event not recorded", reason=str(taken))
            self._reply(f"error {taken}")
        else:
            self._transport.write(b"ok %s\n" % (taken.ban_id or "-").encode())
        if not self._transport.is_closing():
            if not self._finishing:
                self._transport.resume_reading()
            self._go_on()

    def _go_on(self) -> None:
        if self._buffer:
            self._start_timer()
            self._next_request(0)
        elif self._finishing:
            self._close()
        else:
            self._start_timer()

    def _reply(self, text: str) -> None:
        line = cut(printable(text), _LONGEST_REPLY)
        self._transport.write(line.encode("utf-8", "replace") + b"\n")

    def _refuse(self, reason: str) -> None:
        log.warning("request refused", reason=reason)
        self._reply(f"error {reason}")
        self._buffer.clear()
        self._close()

    def _close(self) -> None:
        """Close when all answers have left; there is time for it, not for ever."""
        self._transport.close()
        self._start_timer()

    def _start_timer(self) -> None:
        """Give the next request its time; a timer that runs already is prolonged."""
        loop = asyncio.get_running_loop()
        self._expires_at = loop.time() + self._server.limits.seconds
        if self._timer is None:
            self._timer = loop.call_at(self._expires_at, self._expire)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        if self._expires_at == math.inf:
            return  # an answer is due, and then the next request has its time
        if loop.time() < self._expires_at:
            self._timer = loop.call_at(self._expires_at, self._expire)
        elif self._transport.is_closing():
            self._transport.abort()
        elif self._buffer:
            self._refuse(f"request took over {self._server.limits.seconds:g} s")
        else:
            self._close()


def _peer_user(peer: socket.socket) -> int:
    """Ask the kernel who connected (SO_PEERCRED, unix(7))."""
    credentials = peer.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    _, user, _ = struct.unpack("3i", credentials)
    return cast("int", user)
