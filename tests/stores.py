"""Real stores for tests, filled as the daemon fills them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from f2b_enrich.address import read_address
from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.classify.rules import shipped
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.model import Enrichment, Event, EventKind, OutboxState
from f2b_enrich.outbox import message_id
from f2b_enrich.store import bans, classes, enrichments, outbox, search
from f2b_enrich.store.connection import open_reader, open_writer, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

LINES = (
    "2026-11-21T20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7",
    "2026-11-21T20:13:31 web1 sshd[4025]: Invalid user admin from 192.0.2.7",
)
NOW = datetime(2026, 11, 21, 20, 14, 3, tzinfo=UTC)
DAY = 86_400


@cache
def shipped_analysis() -> Analysis:
    """Compile the shipped rules, once for all tests."""
    return Analysis(shipped(), (), shipped_jails())


def event(
    ip: str = "192.0.2.7",
    *,
    at: datetime = NOW,
    kind: EventKind = EventKind.BAN,
    jail: str = "sshd",
    bantime: int | None = DAY,
    failures: int = 5,
    lines: tuple[str, ...] = LINES,
) -> Event:
    """Make what a client would have reported, at the moment it happened."""
    return Event(
        kind=kind,
        jail=jail,
        ip=ip,
        failed_at=at.timestamp(),
        at=at,
        bantime_seconds=bantime,
        failures=failures,
        lines=lines,
    )


def located(ip: str = "192.0.2.7", *, at: datetime = NOW) -> Enrichment:
    """Make what a source with cities knows about an address."""
    values: dict[str, Any] = {
        "hostname": "vps7.example.net",
        "hostname_confirmed": True,
        "country_code": "NL",
        "country": "Netherlands",
        "city": "Amsterdam",
        "location_precision": "city",
        "asn": 64500,
        "as_name": "Example Hosting B.V.",
        "as_domain": "example.net",
        "is_hosting": True,
    }
    return Enrichment(
        ip=read_address(ip).text,
        looked_up_at=at,
        source="IPinfo",
        field_sources=dict.fromkeys(values, "IPinfo"),
        **values,
    )


@dataclass
class StoreBuilder:
    """Writes to one store file, each call in a transaction of its own."""

    path: Path
    host: str = "web1"
    ids: list[str] = field(default_factory=list)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with open_writer(self.path) as connection, transaction(connection):
            yield connection

    def record(self, *events: Event, host: str | None = None) -> list[str]:
        """Record events; give the ids of the bans that are new."""
        host = host or self.host
        with self.writing() as connection:
            found = [
                bans.record(connection, each, host=host, jail=each.jail, now=each.at)
                for each in events
            ]
            search.index_new_lines(connection)
        ids = [each.ban_id for each in found if each.is_new and each.ban_id]
        self.ids += ids
        return ids

    def classify(self, analysis: Analysis | None = None) -> None:
        """Class the bans that are not yet, by the shipped rules if no others."""
        analysis = analysis or shipped_analysis()
        with self.writing() as connection:
            analysis.announce(connection, now=NOW)
            for ban in classes.not_classed(connection, after=0, limit=-1):
                (shown,) = analysis.show_all((ban,))
                analysis.save(connection, ban, shown, now=NOW)

    def learn(self, *found: Enrichment) -> None:
        """Add snapshots; bans that wait for one get it."""
        with self.writing() as connection:
            for each in found:
                enrichments.save(connection, each)

    def mail(
        self,
        ban_id: str | None,
        *,
        state: OutboxState = OutboxState.DUE,
        at: datetime = NOW,
        recipient: str = "noc@admins.net",
        sender: str = "root@web1",
        error: str | None = None,
    ) -> int:
        """Queue a mail and bring it into a state; give its id."""
        with self.writing() as connection:
            count = connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
            new = outbox.NewMail(
                kind="alert",
                ban_id=ban_id,
                recipient=recipient,
                sender=sender,
                message_id=message_id(ban_id or "none", "alert", count, self.host),
                due_at=at,
            )
            outbox.add(connection, new, now=at)
            row_id: int = connection.execute("SELECT max(id) FROM outbox").fetchone()[0]
            row = outbox.row(connection, row_id)
            assert row is not None
            if state is OutboxState.SENT:
                outbox.sent(connection, row, now=at)
            elif state is not OutboxState.DUE:
                outbox.failed(
                    connection,
                    row,
                    state=state,
                    due_at=at,
                    error=error or "550 5.1.1 no such user",
                )
        return row_id

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with open_reader(self.path) as connection:
            yield connection


def filled(path: Path, *, now: datetime = NOW) -> StoreBuilder:
    """Make a store with a little of everything.

    192.0.2.7 has three bans of two jails: one in force, one that ended by an unban,
    one whose end passed. Its neighbour 192.0.2.9 has one, 2001:db8::7 one for ever.
    """
    store = StoreBuilder(path)
    old, older = now - timedelta(days=2), now - timedelta(days=50)
    earlier = store.record(
        event(at=older, jail="postfix-sasl", bantime=3600, lines=()),
        event(at=old),
    )
    unban = event(at=old, kind=EventKind.UNBAN, lines=())
    store.record(replace(unban, at=old + timedelta(hours=3)))
    newest = store.record(
        event(at=now - timedelta(minutes=5)),
        event("192.0.2.9", at=now - timedelta(hours=30), bantime=600),
        event("2001:db8::7", at=now - timedelta(hours=40), bantime=-1),
    )
    store.learn(located(at=now - timedelta(minutes=4)))
    store.mail(earlier[1], state=OutboxState.SENT, at=old + timedelta(seconds=2))
    store.mail(newest[0], state=OutboxState.SENT, at=now - timedelta(minutes=4))
    store.mail(newest[1], state=OutboxState.DEAD, at=now - timedelta(hours=30))
    store.mail(newest[2], at=now + timedelta(minutes=1))
    return store
