"""More addresses to look up than can be looked up at once."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from f2b_enrich.daemon.commits import Commits
from f2b_enrich.daemon.enriching import AT_ONCE, PAGE, LookUps
from f2b_enrich.enrich.enricher import Enricher
from f2b_enrich.enrich.local import LocalDatabase
from f2b_enrich.enrich.provider import Facts
from f2b_enrich.enrich.reverse_dns import ReverseDns
from f2b_enrich.errors import ProviderError
from f2b_enrich.store import bans, enrichments
from f2b_enrich.store.connection import open_reader, transaction
from tests.clock import Clock
from tests.daemons import DEADLINE
from tests.dns_server import DnsServer
from tests.events import a_ban
from tests.fake_ipinfo import FakeIpinfo
from tests.ipinfo_client import opened

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, MutableMapping, Sequence
    from ipaddress import IPv4Address, IPv6Address
    from pathlib import Path

    from f2b_enrich.enrich.provider import Provider

LIFTED = (ip_network("198.18.0.0/15"), ip_network("192.0.2.0/24"))


class Source:
    """Knows a country of every address, unless told to fail."""

    name = "a source"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = False

    async def look_up(self, ip: IPv4Address | IPv6Address) -> Facts:
        self.asked.append(str(ip))
        if self.fails:
            raise ProviderError("out of order", retryable=True)
        return Facts(country_code="DE")

    async def aclose(self) -> None:
        """Nothing is open."""


def fill(store: sqlite3.Connection, count: int) -> list[str]:
    """Record bans of so many addresses that nobody looked up."""
    ips = [f"198.18.{i >> 8}.{i & 255}" for i in range(count)]
    clock = Clock()
    with transaction(store):
        for ip in ips:
            event = a_ban(ip=ip, lines=())
            bans.record(store, event, host="web1", jail="sshd", now=clock())
    return ips


@contextlib.asynccontextmanager
async def looking_up(
    store: sqlite3.Connection,
    *sources: Provider,
    most_waiting: int = 10_000,
    beside: Sequence[Provider] = (),
) -> AsyncIterator[tuple[LookUps, asyncio.Queue[None]]]:
    """Run look-ups over a store; each change puts something into the queue."""
    changes: asyncio.Queue[None] = asyncio.Queue()
    async with Commits(store) as commits:
        look_ups = LookUps(
            commits,
            changed=lambda: changes.put_nowait(None),
            most_waiting=most_waiting,
            sweep_seconds=0.02,
        )
        look = Enricher(sources, deadline=5, now=Clock(), lifted=LIFTED, beside=beside)
        task = asyncio.create_task(look_ups.run(look))
        try:
            yield look_ups, changes
        finally:
            task.cancel()
            await asyncio.wait([task])


async def changed(changes: asyncio.Queue[None], times: int) -> None:
    async with asyncio.timeout(DEADLINE):
        for _ in range(times):
            await changes.get()


async def test_more_addresses_than_fit_in_memory_are_looked_up_once_each(
    store: sqlite3.Connection,
) -> None:
    source, ips = Source(), fill(store, 60)
    async with looking_up(store, source, most_waiting=5) as (look_ups, changes):
        for ip in ips:
            look_ups.ask(ip)
        await changed(changes, 60)
    assert sorted(source.asked) == sorted(ips)


async def test_more_bans_than_a_page_holds_are_swept_in_the_order_they_came(
    store: sqlite3.Connection,
) -> None:
    count = 2 * PAGE + 1
    source, ips = Source(), fill(store, count)
    async with looking_up(store, source, most_waiting=10_000) as (_, changes):
        await changed(changes, count)
    assert source.asked == ips


async def test_while_every_look_up_fails_few_are_tried_and_then_all(
    store: sqlite3.Connection, tmp_path: Path
) -> None:
    count = 4 * PAGE
    source, ips = Source(), fill(store, count)
    source.fails = True
    async with looking_up(store, source, most_waiting=10_000) as (_, changes):
        with capture_logs() as logs:
            async with asyncio.timeout(DEADLINE):
                while times_put_off(logs) < 4:
                    await changes.get()
        # Two pages are asked for before the failures show; then AT_ONCE a sweep.
        assert len(source.asked) < 2 * PAGE + 10 * AT_ONCE
        source.fails = False
        with open_reader(tmp_path / "bans.db") as reader:
            async with asyncio.timeout(DEADLINE):
                while unknown(reader):
                    await changes.get()
    assert set(source.asked) == set(ips)


async def test_a_hundred_bans_at_once_are_one_question_to_each_source(
    store: sqlite3.Connection,
) -> None:
    event = a_ban(ip="192.0.2.1", lines=())
    with transaction(store):
        for number in range(100):
            again = replace(event, failed_at=event.failed_at + number)
            bans.record(store, again, host="web1", jail="sshd", now=Clock()())
    with FakeIpinfo() as ipinfo:
        async with (
            DnsServer() as names,
            opened(ipinfo.url, Clock(), token="tok-plus", plan="plus") as api,
            looking_up(store, api, beside=[ReverseDns(names.resolver)]) as (
                look_ups,
                changes,
            ),
        ):
            for _ in range(100):
                look_ups.ask("192.0.2.1")
            await changed(changes, 1)
            assert unknown(store) == 0

    assert ipinfo.paths() == ["/lookup/192.0.2.1"]
    assert names.asked == [("1.2.0.192.in-addr.arpa.", "PTR")]


async def test_without_a_database_an_address_without_a_name_is_not_asked_for_ever(
    store: sqlite3.Connection, tmp_path: Path
) -> None:
    ips = fill(store, 10)
    missing = LocalDatabase(tmp_path / "none.mmdb", now=Clock())
    with capture_logs() as logs:
        async with (
            DnsServer() as names,
            looking_up(store, missing, beside=[ReverseDns(names.resolver)]) as (
                look_ups,
                changes,
            ),
        ):
            await changed(changes, 10)
            # Whatever a sweep finds comes before this.
            for _ in range(2):
                look_ups.ask("198.18.9.9")
                await changed(changes, 1)

    assert len(names.asked) == 10 + 2
    assert logs == []
    found = [enrichments.latest(store, ip) for ip in ips]
    assert [each is not None and each.complete for each in found] == [False] * 10


def times_put_off(logs: list[MutableMapping[str, Any]]) -> int:
    return sum(entry["event"].startswith("look-ups put off") for entry in logs)


def unknown(store: sqlite3.Connection) -> int:
    row = store.execute("SELECT count(*) FROM bans WHERE enrichment_id IS NULL")
    count: int = row.fetchone()[0]
    return count
