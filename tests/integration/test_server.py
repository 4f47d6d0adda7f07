"""The socket server: a request in, one line back, and nobody holds it up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.daemon.intake import Taken
from f2b_enrich.daemon.server import Limits, Server, user_numbers
from f2b_enrich.errors import F2bEnrichError, StoreError
from f2b_enrich.wire import MAX_REQUEST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from f2b_enrich.daemon.intake import Answer
    from f2b_enrich.model import Event

DEADLINE = 20.0
NOBODYS_REQUEST = """
import socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
try:
    peer.sendall(b"V=1" + bytes(2))
except OSError:
    pass
print(peer.recv(1000))
"""


def now() -> datetime:
    return datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def request(ip: str = "192.0.2.7", **more: str) -> bytes:
    fields = {"V": "1", "EVENT": "ban", "JAIL": "sshd", "IP": ip, "TIME": "1.7e9"}
    block = "".join(f"{key}={value}\0" for key, value in (fields | more).items())
    return block.encode() + b"\0"


@dataclass
class Store:
    """Takes events; while `holding` it answers only when told to."""

    holding: bool = False
    taken: list[Event] = field(default_factory=list)
    alone: list[bool] = field(default_factory=list)
    waiting: list[asyncio.Future[Taken]] = field(default_factory=list)

    def take(self, event: Event, answer: Answer, *, alone: bool = False) -> None:
        future: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        future.add_done_callback(
            lambda done: answer(done.exception() or done.result())  # type: ignore[arg-type]
        )
        self.taken.append(event)
        self.alone.append(alone)
        if self.holding:
            self.waiting.append(future)
        else:
            future.set_result(Taken(ban_id=f"id-of-{event.ip}"))

    @property
    def ips(self) -> list[str]:
        return [event.ip for event in self.taken]


@dataclass
class Peer:
    """One client's end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def line(self) -> str:
        async with asyncio.timeout(DEADLINE):
            return (await self.reader.readline()).decode()

    async def rest(self) -> str:
        """Read up to the end of the connection."""
        async with asyncio.timeout(DEADLINE):
            return (await self.reader.read()).decode()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class Site:
    """A server that runs, its store, and its peers."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.store = Store()
        self.server = Server(self.store.take, limits=limits, now=now)
        self.peers: list[Peer] = []

    async def connect(self) -> Peer:
        peer = Peer(*await asyncio.open_unix_connection(self.path))
        self.peers.append(peer)
        return peer

    async def until_taken(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE):
            while len(self.store.taken) < count:  # noqa: ASYNC110 - one loop for all
                await asyncio.sleep(0)

    async def until_empty(self) -> None:
        async with asyncio.timeout(DEADLINE):
            while self.server.connections:
                await next(iter(self.server.connections)).closed


@contextlib.asynccontextmanager
async def serving(
    folder: Path,
    *,
    users: frozenset[int] = frozenset({os.geteuid()}),
    connections: int = 10,
    seconds: float = DEADLINE,
) -> AsyncIterator[Site]:
    path = folder / "x.sock"
    limits = Limits(users=users, connections=connections, seconds=seconds)
    site = Site(path, limits)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen()
        await site.server.start(listener)
        try:
            yield site
        finally:
            async with asyncio.timeout(DEADLINE):
                await site.server.stop()
            for peer in site.peers:
                await peer.close()


@pytest.fixture
async def site(short_folder: Path) -> AsyncIterator[Site]:
    async with serving(short_folder) as running:
        yield running


async def test_a_request_is_answered_with_the_bans_id(site: Site) -> None:
    peer = await site.connect()
    await peer.send(request())
    assert await peer.line() == "ok id-of-192.0.2.7\n"
    (event,) = site.store.taken
    assert (event.jail, event.at) == ("sshd", now())


async def test_an_event_without_a_ban_is_answered_with_a_dash(site: Site) -> None:
    site.store.holding = True
    peer = await site.connect()
    await peer.send(request(EVENT="unban"))
    await site.until_taken(1)
    site.store.waiting[0].set_result(Taken(ban_id=None))
    assert await peer.line() == "ok -\n"


async def test_requests_follow_each_other_on_one_connection(site: Site) -> None:
    peer = await site.connect()
    for number in range(3):
        await peer.send(request(f"192.0.2.{number}"))
        assert await peer.line() == f"ok id-of-192.0.2.{number}\n"


async def test_pipelined_requests_are_answered_in_order(site: Site) -> None:
    peer = await site.connect()
    ips = [f"192.0.2.{number}" for number in range(100)]
    await peer.send(b"".join(map(request, ips)))
    assert [await peer.line() for _ in ips] == [f"ok id-of-{ip}\n" for ip in ips]
    assert site.store.ips == ips


async def test_one_request_of_a_connection_is_under_way_at_a_time(site: Site) -> None:
    site.store.holding = True
    peer = await site.connect()
    await peer.send(request("192.0.2.1") + request("192.0.2.2"))
    await site.until_taken(1)
    other = await site.connect()
    await other.send(request("192.0.2.3"))
    await site.until_taken(2)
    assert site.store.ips == ["192.0.2.1", "192.0.2.3"]
    site.store.waiting[0].set_result(Taken(ban_id="first"))
    await site.until_taken(3)
    assert site.store.ips == ["192.0.2.1", "192.0.2.3", "192.0.2.2"]
    for future in site.store.waiting[1:]:
        future.set_result(Taken(ban_id="other"))
    assert [await peer.line(), await peer.line()] == ["ok first\n", "ok other\n"]


async def test_a_request_may_come_one_byte_at_a_time(site: Site) -> None:
    peer = await site.connect()
    for byte in request() + request("192.0.2.8"):
        await peer.send(bytes([byte]))
        await asyncio.sleep(0)
    assert await peer.line() == "ok id-of-192.0.2.7\n"
    assert await peer.line() == "ok id-of-192.0.2.8\n"


async def test_a_request_that_is_cut_off_is_refused(site: Site) -> None:
    peer = await site.connect()
    await peer.send(request() + request()[:-1])
    peer.writer.write_eof()
    assert await peer.rest() == (
        "ok id-of-192.0.2.7\n"
        "error request was cut off: it does not end in an empty field\n"
    )
    assert len(site.store.taken) == 1


async def test_a_peer_that_has_said_all_still_gets_its_answer(site: Site) -> None:
    site.store.holding = True
    peer = await site.connect()
    await peer.send(request("192.0.2.1") + request("192.0.2.2"))
    peer.writer.write_eof()
    for number in range(2):
        await site.until_taken(number + 1)
        site.store.waiting[number].set_result(Taken(ban_id=f"{number}"))
    assert await peer.rest() == "ok 0\nok 1\n"


async def test_what_is_wrong_is_told_in_one_line_and_the_connection_ends(
    site: Site,
) -> None:
    peer = await site.connect()
    await peer.send(request(TIME="\x1b]soon\n") + request())
    answer = await peer.rest()
    assert answer.startswith("error TIME is ")
    assert answer.count("\n") == 1
    assert "\x1b" not in answer
    assert site.store.taken == []


async def test_an_error_of_the_store_is_told_and_the_connection_goes_on(
    site: Site,
) -> None:
    site.store.holding = True
    peer = await site.connect()
    await peer.send(request())
    await site.until_taken(1)
    site.store.waiting[0].set_exception(StoreError("store: a\nb\x1b " + "x" * 999))
    answer = await peer.line()
    assert answer.startswith("error store: a\u240ab\u241b xxx")
    assert len(answer) == 401
    site.store.holding = False
    await peer.send(request())
    assert await peer.line() == "ok id-of-192.0.2.7\n"


async def test_one_that_no_other_can_follow_is_alone(site: Site) -> None:
    first = await site.connect()
    await first.send(request())
    await first.line()
    await first.send(request() * 2)
    await first.line()
    await first.line()
    assert site.store.alone == [True, False, True]
    second = await site.connect()
    await second.send(request())
    await second.line()
    assert site.store.alone[-1] is False


async def test_a_peer_that_left_before_its_answer_is_forgotten(site: Site) -> None:
    site.store.holding = True
    peer = await site.connect()
    await peer.send(request())
    await site.until_taken(1)
    await peer.close()
    site.store.waiting[0].set_result(Taken(ban_id="id"))
    await site.until_empty()


def converse(path: Path, data: bytes) -> bytes:
    """Send all that is taken, then read all that comes."""
    answer = b""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(DEADLINE)
        peer.connect(str(path))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            peer.sendall(data)
        with contextlib.suppress(ConnectionResetError):
            while chunk := peer.recv(4096):
                answer += chunk
    return answer


@pytest.mark.parametrize("end", [b"", b"\0\0"])
async def test_a_request_over_the_limit_is_refused(site: Site, end: bytes) -> None:
    room = MAX_REQUEST - len(request(MATCHES="")) + 1
    data = request(MATCHES="x" * room)[:-2] + end
    answer = await asyncio.to_thread(converse, site.path, data + b"x" * (2 - len(end)))
    assert answer == b"error request is over 4194304 bytes\n"
    assert site.store.taken == []


async def test_a_request_at_the_limit_is_taken(site: Site) -> None:
    room = MAX_REQUEST - len(request(MATCHES=""))
    peer = await site.connect()
    await peer.send(request(MATCHES="x" * room))
    assert await peer.line() == "ok id-of-192.0.2.7\n"
    assert site.store.taken[0].lines == ("x" * room,)


async def test_another_user_is_refused(
    short_folder: Path, as_nobody: tuple[str, ...]
) -> None:
    async with serving(short_folder) as site:
        assert await ask_as(as_nobody, site.path) == (
            "b'error user 65534 may not report bans (daemon.users)\\n'"
        )
    (short_folder / "x.sock").unlink()
    async with serving(short_folder, users=frozenset({65534})) as site:
        assert (await ask_as(as_nobody, site.path)).startswith("b'error EVENT is miss")


async def ask_as(prefix: tuple[str, ...], path: Path) -> str:
    python = ("/usr/bin/python3", "-I", "-S", "-c", NOBODYS_REQUEST)
    process = await asyncio.create_subprocess_exec(
        *prefix, *python, str(path), stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate()
    return answer.decode().strip()


async def test_more_connections_than_allowed_are_refused(short_folder: Path) -> None:
    async with serving(short_folder, connections=2) as site:
        first, second = await site.connect(), await site.connect()
        for peer in (first, second):
            await peer.send(request())
            await peer.line()
        third = await site.connect()
        assert await third.rest() == "error over 2 connections at once\n"
        connection = next(iter(site.server.connections))
        await first.close()
        await second.close()
        async with asyncio.timeout(DEADLINE):
            await connection.closed
        await site.until_empty()
        fourth = await site.connect()
        await fourth.send(request())
        assert await fourth.line() == "ok id-of-192.0.2.7\n"


async def test_a_peer_that_sends_too_slowly_is_refused(short_folder: Path) -> None:
    async with serving(short_folder, seconds=0.05) as site:
        peer = await site.connect()
        await peer.send(request()[:-1])
        assert await peer.rest() == "error request took over 0.05 s\n"


async def test_a_peer_that_sends_nothing_is_parted_with(short_folder: Path) -> None:
    async with serving(short_folder, seconds=0.05) as site:
        peer = await site.connect()
        assert await peer.rest() == ""
        after_one = await site.connect()
        await after_one.send(request())
        assert await after_one.rest() == "ok id-of-192.0.2.7\n"


async def test_the_time_of_a_request_ends_when_it_is_whole(short_folder: Path) -> None:
    async with serving(short_folder, seconds=0.05) as site:
        site.store.holding = True
        peer = await site.connect()
        await peer.send(request())
        await site.until_taken(1)
        idle = await site.connect()
        assert await idle.rest() == ""  # the same time has passed
        site.store.waiting[0].set_result(Taken(ban_id="id"))
        assert await peer.line() == "ok id\n"


async def test_a_peer_that_reads_no_answers_is_parted_with(site: Site) -> None:
    def ask_on_and_on() -> int:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(DEADLINE)
            peer.connect(str(site.path))
            for number in range(1_000_000):
                try:
                    peer.sendall(request())
                except (BrokenPipeError, ConnectionResetError):
                    return number
        return -1

    assert await asyncio.to_thread(ask_on_and_on) > 0
    await site.until_empty()


async def test_at_the_stop_what_was_asked_is_answered(site: Site) -> None:
    site.store.holding = True
    busy, idle, half = [await site.connect() for _ in range(3)]
    await busy.send(request("192.0.2.1") + request("192.0.2.2") + request()[:9])
    await half.send(request()[:9])
    await idle.send(request())
    await site.until_taken(2)
    site.store.waiting[[e.ip for e in site.store.taken].index("192.0.2.7")].set_result(
        Taken(ban_id="idle")
    )
    assert await idle.line() == "ok idle\n"
    stopping = asyncio.create_task(site.server.stop())
    assert await idle.rest() == ""
    assert await half.rest() == ""
    assert not stopping.done()
    for number in range(3):
        await site.until_taken(number + 1)
        if not site.store.waiting[number].done():
            site.store.waiting[number].set_result(Taken(ban_id="busy"))
    assert await busy.rest() == (
        "ok busy\nok busy\n"
        "error request was cut off: it does not end in an empty field\n"
    )
    async with asyncio.timeout(DEADLINE):
        await stopping
    with pytest.raises(OSError, match="refused"):
        await site.connect()


async def test_a_peer_that_sends_on_and_on_does_not_hold_up_the_stop(
    site: Site,
) -> None:
    peer = await site.connect()

    async def ask_on_and_on() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await peer.send(request())
                await peer.line()
                await peer.send(request() * 20)

    asking = asyncio.create_task(ask_on_and_on())
    await site.until_taken(100)
    async with asyncio.timeout(DEADLINE):
        await site.server.stop()
    asking.cancel()


async def test_a_peer_that_reads_no_answers_does_not_hold_up_the_stop(
    short_folder: Path,
) -> None:
    async with serving(short_folder, seconds=0.2) as site:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(site.path))
            await asyncio.to_thread(peer.sendall, request() * 1000)
            await site.until_taken(1000)
            (connection,) = site.server.connections
            assert connection._transport.get_write_buffer_size() > 0
            async with asyncio.timeout(DEADLINE):
                await site.server.stop()
        assert not site.server.connections


async def test_a_server_that_never_started_can_be_stopped() -> None:
    limits = Limits(users=frozenset(), connections=1, seconds=1)
    await Server(Store().take, limits=limits, now=now).stop()


def test_users_are_names_or_numbers_and_root_is_among_them() -> None:
    name = pwd.getpwuid(os.geteuid()).pw_name
    assert user_numbers((name, "4711")) == {0, os.geteuid(), 4711}
    with pytest.raises(F2bEnrichError, match="there is no user 'no-such-user'"):
        user_numbers(("no-such-user",))
