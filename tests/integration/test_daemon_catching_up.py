"""Old bans looked up in the background, and live ones before them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from f2b_enrich.daemon.catching_up import PAGE, CatchingUp, Measure
from f2b_enrich.daemon.commits import Commits
from f2b_enrich.daemon.enriching import LookUps
from f2b_enrich.daemon.reads import Reads
from f2b_enrich.enrich.enricher import Enricher
from f2b_enrich.enrich.local import LocalDatabase
from f2b_enrich.enrich.reverse_dns import ReverseDns
from f2b_enrich.store import wishes
from f2b_enrich.store.connection import open_reader, open_writer
from tests.clock import Clock
from tests.daemons import DEADLINE, QUICK, Daemon, living
from tests.dns_server import DnsServer
from tests.fake_ipinfo import FakeIpinfo
from tests.ipinfo_client import opened
from tests.mmdb import GERMAN, write_lite
from tests.old_bans import bring

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from f2b_enrich.enrich.provider import Provider
    from f2b_enrich.store.wishes import LookUp

LIFTED = (ip_network("198.18.0.0/15"), ip_network("192.0.2.0/24"))
FAST = replace(QUICK, sweep=0.05)


def addresses(count: int) -> list[str]:
    return [f"198.18.{number >> 8}.{number & 255}" for number in range(count)]


def database(folder: Path) -> Path:
    return write_lite(folder / "geo.mmdb", {"198.18.0.0/15": GERMAN})


class Sought(LocalDatabase):
    """Counts how often somebody asks whether it is there."""

    sought = 0

    @property
    def is_there(self) -> bool:
        self.sought += 1
        return super().is_there


class Server:
    """A store that old bans are in, and the loop that looks them up."""

    def __init__(self, folder: Path, store: sqlite3.Connection) -> None:
        self.folder = folder
        self.store = store
        self.clock = Clock()
        self.read = 0
        """How many statements were read from the store."""
        self.live = asyncio.Event()
        """Is set when nothing of live bans waits."""
        self.live.set()

    @contextlib.asynccontextmanager
    async def catching_up(
        self,
        *providers: Provider,
        local: LocalDatabase | None = None,
        beside: Sequence[Provider] = (),
        until: int = 500,
    ) -> AsyncIterator[None]:
        look = Enricher(
            [*providers, local] if local is not None else providers,
            deadline=5,
            now=self.clock,
            lifted=LIFTED,
            local=local,
            beside=beside,
        )
        with open_reader(self.folder / "bans.db") as reader:
            reader.set_trace_callback(self.note)
            reads = Reads(reader)
            async with Commits(self.store) as commits:
                loop = CatchingUp(
                    commits,
                    reads,
                    measure=Measure(fresh=timedelta(days=30), until=until),
                    live_done=self.live_done,
                    now=self.clock,
                    sweep_seconds=0.02,
                    pause_seconds=0.02,
                )
                task = asyncio.create_task(loop.run(look))
                try:
                    yield
                finally:
                    task.cancel()
                    await asyncio.wait([task])
                    await look.aclose()
            reads.close()

    def note(self, _: str) -> None:
        self.read += 1

    async def live_done(self) -> None:
        await self.live.wait()

    def local(self, path: Path | None = None) -> LocalDatabase:
        return LocalDatabase(path or database(self.folder), now=self.clock)

    def waiting(self) -> tuple[int, int]:
        with open_reader(self.folder / "bans.db") as reader:
            found = wishes.waiting(reader)
        return found.local, found.full

    async def until_waiting(self, local: int, full: int) -> None:
        await until(lambda: self.waiting() == (local, full))

    def known(self) -> list[tuple[str, str | None, str | None]]:
        """Give the bans in their order: address, country, city."""
        with open_reader(self.folder / "bans.db") as reader:
            rows = reader.execute(
                "SELECT bans.ip, country_code, city FROM bans LEFT JOIN enrichments "
                "ON enrichments.id = enrichment_id ORDER BY banned_at, bans.id"
            ).fetchall()
        return [tuple(row) for row in rows]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await asyncio.to_thread(condition):
            pass


async def test_old_bans_are_known_from_the_local_database_and_nobody_is_asked(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    ips = addresses(2 * PAGE + 1)
    bring(store, ips)
    bring(store, ["198.18.255.1"], look_up="none")
    server = Server(tmp_path, store)
    with FakeIpinfo() as ipinfo:
        async with (
            DnsServer() as names,
            opened(ipinfo.url, server.clock, token="tok-plus", plan="plus") as api,
            server.catching_up(
                api, local=server.local(), beside=[ReverseDns(names.resolver)]
            ),
        ):
            await server.until_waiting(0, 0)

    assert ipinfo.paths() == []
    assert names.asked == []
    found = {ip: country for ip, country, _ in server.known()}
    assert found == dict.fromkeys(ips, "DE") | {"198.18.255.1": None}


async def test_many_bans_of_an_address_are_one_look_up_and_several_writes(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    bring(store, ["198.18.0.1"] * (3 * PAGE))
    server = Server(tmp_path, store)
    async with server.catching_up(local=server.local()):
        await server.until_waiting(0, 0)

    assert store.execute("SELECT count(*) FROM enrichments").fetchone()[0] == 1
    assert {country for _, country, _ in server.known()} == {"DE"}


async def test_without_a_database_old_bans_wait_unread_until_one_comes(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    bring(store, addresses(10))
    server = Server(tmp_path, store)
    missing = Sought(tmp_path / "none.mmdb", now=server.clock)
    with capture_logs() as logs:
        async with server.catching_up(local=missing):
            await until(lambda: missing.sought >= 3)
            assert (server.read, server.waiting()) == (0, (10, 0))
            database(tmp_path).rename(tmp_path / "none.mmdb")
            await server.until_waiting(0, 0)
    assert logs == []


async def test_a_damaged_database_is_no_end(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    bring(store, addresses(10))
    server = Server(tmp_path, store)
    (tmp_path / "geo.mmdb").write_text("no database")
    with capture_logs() as logs:
        async with server.catching_up(local=server.local(tmp_path / "geo.mmdb")):
            await until(lambda: len(logs) >= 2)
            database(tmp_path).rename(tmp_path / "new.mmdb")
            (tmp_path / "new.mmdb").rename(tmp_path / "geo.mmdb")
            server.clock.move(seconds=2)
            await server.until_waiting(0, 0)
    assert {entry["event"] for entry in logs} == {"look-ups of old bans put off"}


async def test_what_may_not_be_looked_up_waits_no_longer(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    bring(store, ["10.0.0.1", "host.example", "203.0.113.0/24"], look_up="full")
    server = Server(tmp_path, store)
    with FakeIpinfo() as ipinfo:
        async with (
            opened(ipinfo.url, server.clock, token="tok-plus", plan="plus") as api,
            server.catching_up(api, local=server.local()),
        ):
            await server.until_waiting(0, 0)
    assert ipinfo.paths() == []


@contextlib.asynccontextmanager
async def with_ipinfo(
    server: Server, ipinfo: FakeIpinfo, *, until: int = 500
) -> AsyncIterator[None]:
    async with (
        opened(ipinfo.url, server.clock, token="tok-plus", plan="plus") as api,
        server.catching_up(api, local=server.local(), until=until),
    ):
        yield


async def test_ipinfo_is_asked_of_the_newest_wish_first_and_up_to_a_days_measure(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    server, ips = Server(tmp_path, store), addresses(5)
    bring(store, ips, look_up="full")
    bring(store, [*ips[:4], *ips[:4], "192.0.2.1"], look_up="full")
    with FakeIpinfo() as ipinfo:
        async with with_ipinfo(server, ipinfo, until=3):
            await server.until_waiting(0, 5)
            newest = ("192.0.2.1", ips[3], ips[2])
            assert ipinfo.paths() == [f"/lookup/{ip}" for ip in newest]
            assert all(
                ip == "192.0.2.1" or country for ip, country, _ in server.known()
            )

            server.clock.move(days=1)
            await server.until_waiting(0, 0)
        assert ipinfo.paths()[3:] == [
            f"/lookup/{ip}" for ip in (ips[1], ips[0], ips[4])
        ]


async def test_look_ups_for_live_bans_come_first(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    server = Server(tmp_path, store)
    server.live.clear()
    bring(store, addresses(3), look_up="full")
    with FakeIpinfo() as ipinfo:
        async with with_ipinfo(server, ipinfo):
            await server.until_waiting(0, 3)
            assert ipinfo.paths() == []
            server.live.set()
            await server.until_waiting(0, 0)


async def test_a_silent_ipinfo_is_asked_later(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    server = Server(tmp_path, store)
    bring(store, addresses(3), look_up="full")
    with FakeIpinfo() as ipinfo, capture_logs() as logs:
        ipinfo.script("429-token")
        async with with_ipinfo(server, ipinfo):
            await until(lambda: len(logs) > 5)
            assert len(ipinfo.paths()) == 1
            assert server.waiting() == (0, 3)
            ipinfo.behave()
            server.clock.move(hours=2)
            await server.until_waiting(0, 0)
    assert len(ipinfo.paths()) == 4


async def test_an_address_without_a_record_is_not_asked_again(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    server, ips = Server(tmp_path, store), addresses(2)
    bring(store, ips * 2, look_up="full")
    with FakeIpinfo() as ipinfo:
        ipinfo.script("404", ip=ips[1])
        async with with_ipinfo(server, ipinfo):
            await server.until_waiting(0, 0)
    assert ipinfo.paths() == [f"/lookup/{ip}" for ip in reversed(ips)]
    assert {country for _, country, _ in server.known()} == {"DE"}


async def test_idle_is_when_no_look_up_waits_or_is_under_way(
    store: sqlite3.Connection, tmp_path: Path
) -> None:
    clock = Clock()
    with FakeIpinfo() as ipinfo:
        ipinfo.script("delay", seconds=0.1)
        async with (
            opened(ipinfo.url, clock, token="tok-plus", plan="plus") as api,
            Commits(store) as commits,
        ):
            look_ups = LookUps(commits, changed=lambda: None)
            await look_ups.until_idle()
            for ip in addresses(20):
                look_ups.ask(ip)
            look = Enricher([api], deadline=5, now=clock, lifted=LIFTED)
            task = asyncio.create_task(look_ups.run(look))
            async with asyncio.timeout(DEADLINE):
                await look_ups.until_idle()
            assert len(ipinfo.paths()) == 20
            with open_reader(tmp_path / "bans.db") as reader:
                count = reader.execute("SELECT count(*) FROM enrichments")
                assert count.fetchone()[0] == 20
            task.cancel()
            await asyncio.wait([task])


async def bring_to(daemon: Daemon, ips: Sequence[str], look_up: LookUp) -> None:
    """Take old bans in beside the running daemon."""

    def import_() -> None:
        with open_writer(daemon.lab.store) as store:
            bring(store, ips, look_up=look_up)

    await asyncio.to_thread(import_)


async def test_a_daemon_looks_up_what_an_import_brings_and_tells_nobody(
    short_folder: Path,
) -> None:
    ips = [f"192.0.2.{number}" for number in range(1, 4)]
    with FakeIpinfo() as ipinfo:
        async with living(short_folder) as daemon:
            daemon.spans = FAST
            daemon.environ["F2B_ENRICH_IPINFO_TOKEN"] = "tok-plus"
            daemon.configure(
                ipinfo={"base_url": ipinfo.url, "plan": "plus", "imported_until": 2},
                geo={"database": str(write_lite(short_folder / "geo.mmdb"))},
            )
            await daemon.start()
            await bring_to(daemon, ips[:2], "local")
            known = "SELECT count(enrichment_id) AS known FROM bans"
            await daemon.until(lambda: daemon.rows(known)[0]["known"] == 2)
            assert ipinfo.paths() == []

            # A live ban of such an address is looked up as any other is.
            await daemon.ban(ips[0])
            await daemon.until(lambda: daemon.rows(known)[0]["known"] == 3)
            assert ipinfo.paths() == [f"/lookup/{ips[0]}"]
            assert [ban["city"] for ban in daemon.bans()].count("Berlin") == 1

            # It counts: one of two is left for old bans, and others wait, the one that
            # had a smaller wish among them.
            await bring_to(daemon, [ips[1], ips[2]], "full")
            waiting = "SELECT count(*) AS bans FROM bans WHERE look_up = 'later'"
            await daemon.until(lambda: daemon.rows(waiting)[0]["bans"] == 2)
            await daemon.restart()
            await daemon.until_sent(1)
            assert ipinfo.paths()[1:] == [f"/lookup/{ips[2]}"]
