"""Logs made of a few lines, loaded at once into a store, and what it holds then."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from f2b_enrich.attacks import REPEAT_OFFENDER
from f2b_enrich.importing.records import Record
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.portions import Portion, Step
from f2b_enrich.intake.stopping import Stop
from f2b_enrich.intake.writing import Writer
from f2b_enrich.store import retention
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.intake import Brought, take_in
from f2b_enrich.store.jails import KnownJail, note
from f2b_enrich.store.retention import Limits
from tests import imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from f2b_enrich.importing.log_batches import LogEvent

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BEGIN = int((NOW - timedelta(days=10)).timestamp())
_NAMES = Names(host="web1")
REPEATING = "recidive"
_DAY = date(2026, 11, 12)
# What a ban is called, its `announced_at`, and its origins besides those of the records
# that it has in the end depend on which record came first.
# Of several in one second the id tells which is repeated, so it is known by its time.
_CONTENTS = {
    "bans": """
        SELECT bans.host, bans.jail, bans.ip, bans.ip_version, bans.subnet,
        bans.banned_at, bans.banned_at_source, bans.bantime_seconds, bans.expires_at,
        bans.unbanned_at, bans.failures, bans.ban_count,
        bans.received_at, bans.lines_received, bans.look_up, repeated.banned_at
        FROM bans LEFT JOIN bans AS repeated ON repeated.id = bans.repeat_of
    """,
    "records": """
        SELECT ban_records.ip, ban_records.host, at, kind, precision,
        ban_records.origin, ban_records.jail, ends_at, message_id, failed_at, alert_of,
        bans.jail, bans.banned_at
        FROM ban_records LEFT JOIN bans ON bans.id = ban_id
    """,
    "hosts": "SELECT * FROM hosts",
    "jails": "SELECT * FROM jails",
    "found": "SELECT * FROM found_counts",
    "imports": """
        SELECT kind, fingerprint, name, place, first_day, last_day FROM imports
    """,
    "schema": "SELECT type, name, sql FROM sqlite_schema",
}
_LINES: tuple[LogEvent, ...] = (
    (BEGIN, "ban", "sshd", "192.0.2.7"),
    (BEGIN + 600, "unban", "sshd", "192.0.2.7"),
    (BEGIN + 700, "ban", "sshd", "192.0.2.8"),
)


class Part:
    """What a portion is made of: it is used up when it is written."""

    def __init__(
        self,
        log: str,
        events: Sequence[LogEvent],
        others: Sequence[Record],
        found: int,
    ) -> None:
        self.log = log
        self.events = events
        self.others = others
        self.found = found

    def __repr__(self) -> str:
        return f"Part({self.log!r}, {self.events}, {self.others}, {self.found})"

    def portion(self, positions: Counter[str]) -> Portion:
        portion = Portion()
        portion.add_events(self.events, _NAMES, reference=self.log, now=NOW)
        for record in self.others:
            portion.add(record, _NAMES, reference=self.log, now=NOW)
        start = positions[self.log]
        positions[self.log] += 100
        step = Step(
            kind="log",
            name=self.log,
            fingerprint=f"of {self.log}",
            host="web1",
            start=start,
            place={"position": positions[self.log]},
        )
        if self.found:
            key = ("web1", "sshd", "192.0.2.7", _DAY + timedelta(days=self.found % 2))
            step.found[key] = self.found
        portion.steps.append(step)
        portion.pack()
        return portion


def a_known_jail(name: str) -> KnownJail:
    """Tell of a jail, and whether its bans repeat others."""
    attack = REPEAT_OFFENDER if name == REPEATING else "brute-force"
    return KnownJail(jail=name, service="ssh", attack=attack, origin="shipped")


@contextmanager
def a_store(
    before_them: Sequence[tuple[str, Brought]] = (), *, purged: datetime | None = None
) -> Iterator[sqlite3.Connection]:
    """Give a store in which some records are, or from which some were purged."""
    with (
        TemporaryDirectory() as folder,
        open_writer(Path(folder, "bans.db")) as connection,
    ):
        with transaction(connection):
            for ip, brought in before_them:
                note(connection, a_known_jail(brought.sighting.jail or ""))
                brought_of = {("web1", ip): [brought]}
                take_in(connection, brought_of, now=NOW, look_up="local")
            if purged is not None:
                limits = Limits(lines=None, bans=purged)
                retention.note(connection, limits, now=NOW)
        yield connection


@contextmanager
def a_writer(
    store: sqlite3.Connection,
    is_daemon_there: Callable[[], bool],
    *,
    pause: Callable[[float], None] = lambda _: None,
) -> Iterator[tuple[Writer, Stop]]:
    """Give what writes an import, and what stops it."""
    with imports.a_writer(
        store,
        now=NOW,
        is_daemon_there=is_daemon_there,
        pause=pause,
        known_jail=a_known_jail,
    ) as writer:
        yield writer


def written(
    store: sqlite3.Connection,
    some: Sequence[Part],
    is_daemon_there: Callable[[], bool] = lambda: False,
    between: Callable[[], None] = lambda: None,
) -> Counter[str]:
    """Write portions, line by line beside a daemon; tell what was written."""
    positions = Counter[str]()
    with a_writer(store, is_daemon_there) as (writer, _):
        for part in some:
            writer.add(part.portion(positions))
            between()
        writer.flush()
    return writer.taken


def contents(store: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Give all that does not depend on which record came first."""
    return {
        name: sorted(map(tuple, store.execute(query)), key=repr)
        for name, query in _CONTENTS.items()
    }


def many_bans(count: int) -> list[LogEvent]:
    """Give the lines of bans, each of another address."""
    return [
        (BEGIN + number, "ban", "sshd", f"2001:db8::{number:x}")
        for number in range(count)
    ]


def bans_in(store: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """Give address, beginning and end of each."""
    rows = store.execute("SELECT ip, banned_at, unbanned_at FROM bans ORDER BY ip")
    return list(map(tuple, rows))


def a_log(number: int = 1) -> list[Part]:
    """Give a log of two bans, that found so many lines beside them."""
    return [Part("fail2ban.log", _LINES, (), number)]


def file_of(store: sqlite3.Connection) -> Path:
    """Name the file that a store is in."""
    return Path(store.execute("PRAGMA database_list").fetchone()["file"])
