"""What people list and count: rows of the view, mails, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from f2b_enrich.model import OutboxRow, read_time, time_text
from f2b_enrich.store import bounces, fates, outbox
from f2b_enrich.store.reads import Totals
from f2b_enrich.store.repeats import IS_REAL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from f2b_enrich.figures import Period
    from f2b_enrich.store.bounces import Bounced
    from f2b_enrich.store.fates import Fate, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class BanQuery:
    """Which bans are wanted: banned from `since` to before `until`; None is any.

    Of several jails, classes of attack or services any will do.
    """

    since: datetime | None = None
    until: datetime | None = None
    jails: tuple[str, ...] = ()
    ip: str | None = None
    attacks: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedBan:
    """A row of the view `ban_log`; `columns` are all of them but the log lines.

    `superseded_at` is the time of the next ban by the same jail of the same host,
    which bans nobody twice at a time: this one had ended by then. `repeated_jail` is
    that of the ban `repeat_of`. `fates` are those of its alerts.
    """

    id: str
    host: str
    jail: str
    ip: str
    subnet: str | None
    banned_at: datetime
    bantime_seconds: int | None
    expires_at: datetime | None
    unbanned_at: datetime | None
    superseded_at: datetime | None
    failures: int
    attack: str | None
    attacks: tuple[str, ...]
    service: str
    is_repeat: bool
    repeat_of: str | None
    repeated_jail: str | None
    country_code: str | None
    asn: int | None
    as_name: str | None
    origins: str
    fates: tuple[Fate, ...]
    lines_received: int
    columns: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailQuery:
    """Which mails are wanted: queued from `since` to before `until`; None is any."""

    since: datetime | None = None
    until: datetime | None = None
    states: tuple[str, ...] = ()
    bounced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail of the outbox, the ban it is about, and its bounce, if there is one.

    `period` is that of a digest; the mail `instead` tells of one that is folded. Both
    are known of what was `followed`.
    """

    row: OutboxRow
    jail: str | None
    ip: str | None
    bounced: Bounced | None = None
    period: Period | None = None
    instead: Told | None = None


def log_columns(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Name the columns of the view that `logged` gives."""
    empty = connection.execute("SELECT * FROM ban_log LIMIT 0")
    return tuple(name for name, *_ in empty.description if name != "lines")


def log_rows(
    connection: sqlite3.Connection, wanted: BanQuery, *, limit: int | None = None
) -> Iterator[sqlite3.Row]:
    """Read rows of the view as they are asked for, newest first."""
    where, values = _matching(wanted)
    return connection.execute(
        f"SELECT {', '.join(log_columns(connection))} FROM ban_log {where} "
        "ORDER BY banned_at DESC, id LIMIT ?",
        (*values, -1 if limit is None else limit),
    )


def logged(
    connection: sqlite3.Connection, wanted: BanQuery, *, limit: int | None = None
) -> Iterator[LoggedBan]:
    """Read rows of the view as values, newest first."""
    for row in log_rows(connection, wanted, limit=limit):
        yield _logged_ban(connection, row)


def logged_ban(connection: sqlite3.Connection, ban_id: str) -> LoggedBan:
    """Read the row of one ban that is there."""
    row = connection.execute(
        f"SELECT {', '.join(log_columns(connection))} FROM ban_log WHERE id = ?",
        (ban_id,),
    ).fetchone()
    return _logged_ban(connection, row)


def _logged_ban(connection: sqlite3.Connection, row: sqlite3.Row) -> LoggedBan:
    later = connection.execute(
        "SELECT banned_at FROM bans WHERE ip = ? AND host = ? AND jail = ? "
        "AND banned_at > ? ORDER BY banned_at LIMIT 1",
        (row["ip"], row["host"], row["jail"], row["banned_at"]),
    ).fetchone()
    return LoggedBan(
        id=row["id"],
        host=row["host"],
        jail=row["jail"],
        ip=row["ip"],
        subnet=row["subnet"],
        banned_at=read_time(row["banned_at"]),
        bantime_seconds=row["bantime_seconds"],
        expires_at=_time(row["expires_at"]),
        unbanned_at=_time(row["unbanned_at"]),
        superseded_at=None if later is None else read_time(later["banned_at"]),
        failures=row["failures"],
        attack=row["attack"],
        attacks=tuple(row["attacks"].split(", ")) if row["attacks"] else (),
        service=row["service"],
        is_repeat=bool(row["is_repeat"]),
        repeat_of=row["repeat_of"],
        repeated_jail=_jail_of(connection, row["repeat_of"]),
        country_code=row["country_code"],
        asn=row["asn"],
        as_name=row["as_name"],
        origins=row["origins"] or "",
        fates=fates.of_ban(connection, row["id"]),
        lines_received=row["lines_received"],
        columns=dict(row),
    )


def _jail_of(connection: sqlite3.Connection, ban_id: str | None) -> str | None:
    if ban_id is None:
        return None
    found = connection.execute("SELECT jail FROM bans WHERE id = ?", (ban_id,))
    jail: str = found.fetchone()[0]
    return jail


def tally(connection: sqlite3.Connection, wanted: BanQuery) -> Totals:
    """Count the bans that are wanted, and the addresses behind them."""
    where, values = _matching(wanted)
    row = connection.execute(
        "SELECT count(iif(is_real, 1, NULL)), count(DISTINCT iif(is_real, ip, NULL)), "
        f"count(*) FROM (SELECT ip, {IS_REAL} AS is_real FROM bans {where})",
        values,
    ).fetchone()
    return Totals(bans=row[0], addresses=row[1], repeats=row[2] - row[0])


def count_bans(connection: sqlite3.Connection) -> tuple[int, int]:
    """Count all bans, and apart those that only repeat another."""
    bans, rows = connection.execute(
        f"SELECT count(iif({IS_REAL}, 1, NULL)), count(*) FROM bans"
    ).fetchone()
    return bans, rows - bans


def _matching(wanted: BanQuery) -> tuple[str, tuple[str, ...]]:
    return _where(
        (
            ("banned_at >= ?", _texts(wanted.since)),
            ("banned_at < ?", _texts(wanted.until)),
            (_is_one_of("jail", wanted.jails), wanted.jails),
            ("ip = ?", () if wanted.ip is None else (wanted.ip,)),
            (_shows(wanted.attacks), 2 * wanted.attacks),
            (_guards(wanted.services), wanted.services),
        )
    )


def _shows(attacks: tuple[str, ...]) -> str:
    """Ask for one class at least, leading or not.

    The plus keeps SQLite from looking each ban up by its random id, which took four
    times as long among a million bans.
    """
    return (
        f"({_is_one_of('attack', attacks)} OR +id IN (SELECT ban_id FROM ban_attacks "
        f"WHERE {_is_one_of('ban_attacks.attack', attacks)}))"
    )


def _guards(services: tuple[str, ...]) -> str:
    """Ask for services; what no jail is known to guard is another one."""
    named = _is_one_of("jails.service", services)
    if "other" in services:
        return f"jail NOT IN (SELECT jails.jail FROM jails WHERE NOT {named})"
    return f"jail IN (SELECT jails.jail FROM jails WHERE {named})"


def _where(
    conditions: tuple[tuple[str, tuple[str, ...]], ...],
) -> tuple[str, tuple[str, ...]]:
    """Join the conditions that have values; `:x IS NULL OR` would keep indexes out."""
    given = [(text, values) for text, values in conditions if values]
    if not given:
        return "", ()
    text = " AND ".join(text for text, _ in given)
    return f"WHERE {text}", tuple(value for _, values in given for value in values)


def _is_one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join('?' * len(values))})"


def _texts(when: datetime | None) -> tuple[str, ...]:
    return () if when is None else (time_text(when),)


def bans_by_id(
    connection: sqlite3.Connection, beginning: str, *, limit: int
) -> tuple[str, ...]:
    """List bans that were ever known by an id which begins so (hexadecimal)."""
    rows = connection.execute(
        "SELECT DISTINCT ban_id FROM ban_ids WHERE id >= ? AND id < ? LIMIT ?",
        (beginning, f"{beginning}g", limit),
    )
    return tuple(row["ban_id"] for row in rows)


def mails(
    connection: sqlite3.Connection, wanted: MailQuery, *, limit: int | None = None
) -> Iterator[Mail]:
    """Read mails as they are asked for, newest first."""
    where, values = _matching_mails(wanted)
    rows = connection.execute(
        f"SELECT outbox.*, bans.jail AS jail, bans.ip AS ip "
        f"FROM outbox LEFT JOIN bans ON bans.id = outbox.ban_id {where} "
        "ORDER BY outbox.id DESC LIMIT ?",
        (*values, -1 if limit is None else limit),
    )
    return (
        Mail(
            row=outbox.read_row(row),
            jail=row["jail"],
            ip=row["ip"],
            bounced=bounces.of_mail(connection, row["id"]),
        )
        for row in rows
    )


def followed(connection: sqlite3.Connection, mails: Iterable[Mail]) -> tuple[Mail, ...]:
    """Find what digests are about, and the mails that tell of those that are folded."""
    return tuple(
        replace(
            mail,
            period=fates.told(connection, mail.row).period,
            instead=fates.instead(connection, mail.row),
        )
        for mail in mails
    )


def count_mails(connection: sqlite3.Connection, wanted: MailQuery) -> int:
    """Count the mails that are wanted."""
    where, values = _matching_mails(wanted)
    found = connection.execute(f"SELECT count(*) FROM outbox {where}", values)
    count: int = found.fetchone()[0]
    return count


_CAME_BACK = "outbox.id IN (SELECT outbox_id FROM bounces WHERE bounced_at > ?)"


def _matching_mails(wanted: MailQuery) -> tuple[str, tuple[str, ...]]:
    return _where(
        (
            ("outbox.created_at >= ?", _texts(wanted.since)),
            ("outbox.created_at < ?", _texts(wanted.until)),
            (_is_one_of("outbox.state", wanted.states), wanted.states),
            (_CAME_BACK, ("",) if wanted.bounced else ()),
        )
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)
