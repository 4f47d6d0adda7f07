"""Stores for reports: bans with what was learnt, and a request of a month."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from f2b_enrich.model import Enrichment, Event, EventKind
from f2b_enrich.report import hosts, making, sharing
from f2b_enrich.report.part import sum_of
from f2b_enrich.report.request import Request
from f2b_enrich.selection import Selection, Share
from f2b_enrich.store import bans, enrichments, jails
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.jails import KnownJail

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

    from f2b_enrich.model import Service
    from f2b_enrich.report.figures import Figures, Finding
    from f2b_enrich.report.part import Part

SERVICES: Mapping[str, Service] = {
    "apache-noscript": "web",
    "nginx-botsearch": "web",
    "postfix": "mail",
    "dovecot": "mail",
    "sshd": "ssh",
    "recidive": "other",
}
"""Jails, and what they guard."""

OCTOBER = datetime(2024, 10, 1, tzinfo=UTC)
SEPTEMBER = datetime(2024, 9, 1, tzinfo=UTC)
NOW = datetime(2024, 11, 3, 4, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DUTCH, GERMAN = ("NL", "Netherlands"), ("DE", "Germany")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A ban, and what its lines show and whom they name."""

    ip: str
    at: datetime
    jail: str = "sshd"
    host: str = "web1"
    failures: int = 5
    bantime: int | None = 600
    number: int = 1
    attack: str | None = None
    shown: tuple[tuple[str, int], ...] = ()
    names: tuple[str, ...] = ()


def place(
    ip: str,
    country: tuple[str, str] = ("", ""),
    network: tuple[int, str] = (0, ""),
    *,
    city: str = "",
    region: str = "",
    position: tuple[float, float] | None = None,
    scanner: str = "",
    at: datetime = OCTOBER,
    source: str = "IPinfo",
) -> Enrichment:
    """Say where and whose an address is; empty is not known."""
    code, name = country
    is_placed = "city" if city else "country"
    return Enrichment(
        ip=ip,
        looked_up_at=at,
        source=source,
        country_code=code or None,
        country=name or None,
        region=region or None,
        city=city or None,
        latitude=position[0] if position else None,
        longitude=position[1] if position else None,
        location_precision=is_placed if code else None,
        asn=network[0] or None,
        as_name=network[1] or None,
        scanner=scanner or None,
    )


@cache
def _empty() -> bytes:
    """Give an empty store: the making of one takes longer than most tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bans.db"
        with open_writer(path) as connection, transaction(connection):
            for jail, service in SERVICES.items():
                _note(connection, jail, service)
        return path.read_bytes()


def _note(connection: sqlite3.Connection, jail: str, service: Service) -> None:
    attack = "repeat-offender" if jail == "recidive" else "other"
    known = KnownJail(jail=jail, service=service, attack=attack, origin="shipped")
    jails.note(connection, known)


@dataclass(frozen=True, slots=True)
class ReportStore:
    """A store that bans are put into as the daemon does, but many at once."""

    path: Path

    def __post_init__(self) -> None:
        """Make it, empty."""
        self.path.write_bytes(_empty())

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open it for a transaction."""
        with open_writer(self.path) as connection, transaction(connection):
            yield connection

    def add(self, told: Iterable[Told], known: Iterable[Enrichment] = ()) -> None:
        """Put bans in, then look-ups for those of their addresses without one."""
        with self.writing() as connection:
            for each in told:
                _record(connection, each)
            for found in known:
                enrichments.save(connection, found)

    def place_host(self, host: str, country_code: str) -> None:
        """Tell where a host stands."""
        with self.writing() as connection:
            connection.execute(
                "UPDATE hosts SET country_code = ? WHERE host = ?", (country_code, host)
            )


def _record(connection: sqlite3.Connection, told: Told) -> None:
    at = told.at.timestamp()
    event = Event(
        kind=EventKind.BAN,
        jail=told.jail,
        ip=told.ip,
        failed_at=at,
        at=told.at,
        bantime_seconds=told.bantime,
        failures=told.failures,
        ban_count=told.number,
    )
    found = bans.record(connection, event, host=told.host, jail=told.jail, now=told.at)
    assert found.is_new, told
    connection.execute(
        "UPDATE bans SET attack = ? WHERE id = ?", (told.attack, found.ban_id)
    )
    connection.executemany(
        "INSERT INTO ban_attacks (ban_id, attack, lines) VALUES (?, ?, ?)",
        [(found.ban_id, attack, lines) for attack, lines in told.shown],
    )
    connection.executemany(
        "INSERT INTO observed (ban_id, kind, value, lines) "
        "VALUES (?, 'username', ?, 1)",
        [(found.ban_id, name) for name in told.names],
    )


def daily(
    first: datetime, days: int, *, bans: int = 1, host: str = "web1", jail: str = "sshd"
) -> Iterator[Told]:
    """Ban new addresses each day at noon."""
    for number in range(days):
        for each in range(bans):
            at = first + number * DAY + 12 * HOUR + timedelta(seconds=each)
            yield Told(ip=_ip(at, each), at=at, host=host, jail=jail)


def _ip(at: datetime, number: int) -> str:
    return f"198.{18 + number % 2}.{at.timetuple().tm_yday % 250}.{number + 1}"


def banned(
    ips: Iterable[str], at: datetime, attack: str | None = None
) -> Iterator[Told]:
    """Ban addresses, one each second."""
    for number, ip in enumerate(ips):
        yield Told(ip=ip, at=at + timedelta(seconds=number), attack=attack)


def month(year: int = 2024, number: int = 10, zone: str = "UTC") -> Request:
    """Ask for a month, which is compared with the one before."""
    there = ZoneInfo(zone)
    first = datetime(year, number, 1, tzinfo=there)
    after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=there)
    before = (first - DAY).replace(day=1)
    return Request(
        label=f"{first:%B %Y}",
        since=first.astimezone(UTC),
        until=after.astimezone(UTC),
        before_since=before.astimezone(UTC),
        before_label=f"{before:%B %Y}",
        zone=there,
    )


def organisation_of(asn: int, as_name: str) -> tuple[str, str]:
    """Merge by a few rules, else by name."""
    for begin, name in (("censys", "Censys, Inc."), ("alibaba", "Alibaba")):
        if as_name.casefold().startswith(begin):
            return begin, name
    return as_name.casefold() or f"AS{asn}", as_name or f"AS{asn}"


def figures(
    store: ReportStore,
    request: Request | None = None,
    *,
    now: datetime = NOW,
    processes: int = 1,
    **changes: Any,
) -> Figures:
    """Make the figures of October 2024, or of what is asked for."""
    asked = replace(request or month(), **changes)
    return making.make(store.path, asked, organisation_of, now=now, processes=processes)


def counted_in_shares(store: ReportStore, shares: int, *, top: int) -> Part:
    """Count October in shares, one after the other."""
    steps = [
        sharing.count_share(store.path, wanted(top), Share(number=number, of=shares))
        for number in range(shares)
    ]
    part = sum_of([next(each) for each in steps])
    asked = hosts.asked(part, replace(month(), top=top))
    return sum_of([part, *(each.send(asked) for each in steps)])


def counted_in_processes(store: ReportStore, processes: int, *, top: int) -> Part:
    """Count October in processes."""
    request = replace(month(), top=top)
    (part,) = sharing.count(
        store.path,
        [wanted(top)],
        lambda part: hosts.asked(part, request),
        processes=processes,
    )
    return part


def wanted(top: int) -> sharing.Wanted:
    """Ask for all bans of October."""
    selection = Selection(since=OCTOBER, until=OCTOBER + 31 * DAY, newest=1 << 40)
    return sharing.Wanted(selection=selection, top=top)


def finding_of(made: Figures, kind: str) -> Finding | None:
    """Give the finding of a kind, if there is one."""
    return next((each for each in made.findings if each.kind == kind), None)
