"""Writing what fail2ban did: any order of arrival, and any repetition, ends alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from f2b_enrich.address import Address, read_address
from f2b_enrich.model import Event, EventKind, ban_id, end_of_ban, read_time, time_text
from f2b_enrich.store import outbox
from f2b_enrich.store.lines import kept

if TYPE_CHECKING:
    import sqlite3

_INSERT = """
    INSERT INTO bans (
        id, host, jail, ip, ip_version, subnet, banned_at, banned_at_source,
        bantime_seconds, expires_at, failures, ban_count, received_at, origin,
        reference, announced_at, lines_received, captures
    ) VALUES (?, ?, ?, ?, ?, ?, ?, 'failure', ?, ?, ?, ?, ?, 'live', '', ?, ?, ?)
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an event; `ban_id` is None for one whose ban is not known yet.

    `is_new` tells that the ban was never reported live before.
    """

    ban_id: str | None
    ip: str
    is_new: bool = False


def record(
    connection: sqlite3.Connection,
    event: Event,
    *,
    host: str,
    jail: str,
    now: datetime,
    captures: tuple[tuple[str, str], ...] = (),
) -> Recorded:
    """Write one event inside the caller's transaction.

    `host` and `jail` are the names that the aliases fold the event's into, `captures`
    the kinds and values that fail2ban's filter named.
    """
    address = read_address(event.ip)
    ip = address.text
    derived = ban_id(host, jail, ip, event.failed_at)
    known, is_awaited = _find(connection, derived, event, (host, ip))
    if event.kind is EventKind.BAN:
        if known is None:
            names = (derived, host, jail)
            _insert(connection, event, names, address, captures, now=now)
            if is_awaited:
                _apply_waiting(connection, derived)
            return Recorded(derived, ip, is_new=True)
        _announce_again(connection, known, event, captures)
        return Recorded(known, ip)
    if known is None:
        _keep_waiting(connection, derived, event)
        return Recorded(None, ip)
    if event.kind is EventKind.UNBAN:
        _unban(connection, known, time_text(event.at))
    else:
        _prolong(
            connection,
            known,
            time_text(event.at),
            event.bantime_seconds,
            event.ban_count,
        )
    return Recorded(known, ip)


def _find(
    connection: sqlite3.Connection, derived: str, event: Event, whose: tuple[str, str]
) -> tuple[str | None, bool]:
    """Give the id that a ban has, and whether events wait for it to arrive."""
    row = connection.execute(
        "SELECT bans.id, host, jail, ip, banned_at, banned_at_source, "
        "EXISTS (SELECT 1 FROM waiting_events WHERE ban_id = ?1) AS is_awaited "
        "FROM (SELECT 1) LEFT JOIN bans "
        "ON bans.id = (SELECT ban_id FROM ban_ids WHERE id = ?1)",
        (derived,),
    ).fetchone()
    known = row["id"]
    is_ban = event.kind is EventKind.BAN
    if known not in (None, derived) and not (
        (row["host"], row["ip"]) == whose
        and _is_of(connection, row, derived, is_ban=is_ban)
    ):
        # Somebody wrote it into a mail, to keep this ban from being recorded.
        if is_ban or row["banned_at_source"] == "failure":
            connection.execute("DELETE FROM other_ids WHERE id = ?", (derived,))
        known = None
    return known, bool(row["is_awaited"])


def _is_of(
    connection: sqlite3.Connection, row: sqlite3.Row, derived: str, *, is_ban: bool
) -> bool:
    """Tell whether a row is that of the ban which it is pointed at for.

    Whoever can predict a failure of his can name its ban in a mail before. So it is
    when its own failure makes that id; if alerts that name it are all that is told of
    it, the ban itself is only joined with it afterwards, and may end before.
    """
    if row["banned_at_source"] == "failure":
        failed_at = read_time(row["banned_at"]).timestamp()
        return ban_id(row["host"], row["jail"], row["ip"], failed_at) == derived
    if is_ban:
        return False
    named = connection.execute(
        "SELECT min(alert_of = ?) FROM ban_records WHERE ban_id = ?",
        (derived, row["id"]),
    ).fetchone()[0]
    return bool(named)


def _insert(
    connection: sqlite3.Connection,
    event: Event,
    names: tuple[str, str, str],
    address: Address,
    captures: tuple[tuple[str, str], ...],
    *,
    now: datetime,
) -> None:
    ban, host, _ = names
    banned_at = datetime.fromtimestamp(round(event.failed_at), UTC)
    received_at = time_text(now)
    ends_at = end_of_ban(banned_at, event.bantime_seconds)
    values = (
        *(*names, address.text, address.version, address.subnet),
        *(time_text(banned_at), event.bantime_seconds),
        *(None if ends_at is None else time_text(ends_at), event.failures),
        *(event.ban_count, received_at, time_text(event.at), len(event.lines)),
        _as_json(captures),
    )
    connection.execute(_INSERT, values)
    _note_host(connection, host, received_at)
    if event.lines:
        _insert_lines(connection, ban, event.lines)


def _as_json(captures: tuple[tuple[str, str], ...]) -> str | None:
    return json.dumps(captures, ensure_ascii=False) if captures else None


def _note_host(connection: sqlite3.Connection, host: str, at: str) -> None:
    connection.execute(
        "INSERT INTO hosts (host, first_seen_at, last_seen_at) VALUES (?, ?, ?) "
        "ON CONFLICT (host) DO UPDATE SET last_seen_at = excluded.last_seen_at "
        "WHERE excluded.last_seen_at > last_seen_at",
        (host, at, at),
    )


def _insert_lines(
    connection: sqlite3.Connection, ban: str, lines: tuple[str, ...]
) -> None:
    connection.executemany(
        "INSERT INTO log_lines (ban_id, position, line) VALUES (?, ?, ?)",
        [(ban, position, line) for position, line in kept(lines)],
    )


def _announce_again(
    connection: sqlite3.Connection,
    ban: str,
    event: Event,
    captures: tuple[tuple[str, str], ...],
) -> None:
    """Take from a repetition what the first report lacked.

    fail2ban runs a failed action twice; an unban between two reports stands unless the
    second is later than it. What only others told gives way.
    """
    announced_at = time_text(event.at)
    connection.execute(
        "UPDATE bans SET announced_at = max(announced_at, :at), "
        "unbanned_at = iif(unbanned_at < :at, NULL, unbanned_at), "
        "failures = iif(banned_at_source != 'failure' AND :failures, :failures, "
        "max(failures, :failures)) WHERE id = :ban",
        {"at": announced_at, "failures": event.failures, "ban": ban},
    )
    _lengthen(connection, ban, event.bantime_seconds, event.ban_count)
    row = connection.execute(
        "SELECT lines_received, banned_at_source = 'failure' AS is_exact, "
        "origin = 'live' OR EXISTS (SELECT 1 FROM other_origins "
        "WHERE ban_id = bans.id AND origin = 'live') AS is_live "
        "FROM bans WHERE id = ?",
        (ban,),
    ).fetchone()
    most = 0 if row["is_live"] else len(event.lines)
    if event.lines and (row["lines_received"] <= most or not row["is_exact"]):
        connection.execute("DELETE FROM log_lines WHERE ban_id = ?", (ban,))
        connection.execute(
            "UPDATE bans SET lines_received = ?, captures = ifnull(captures, ?), "
            "rule_set = NULL WHERE id = ?",  # to be classed anew, by its lines
            (len(event.lines), _as_json(captures), ban),
        )
        _insert_lines(connection, ban, event.lines)


def _unban(connection: sqlite3.Connection, ban: str, at: str) -> None:
    connection.execute(
        "UPDATE bans SET unbanned_at = max(ifnull(unbanned_at, ''), :at) "
        "WHERE id = :ban AND announced_at <= :at",
        {"at": at, "ban": ban},
    )


def _prolong(
    connection: sqlite3.Connection,
    ban: str,
    at: str,
    bantime_seconds: int | None,
    ban_count: int,
) -> None:
    _lengthen(connection, ban, bantime_seconds, ban_count)
    connection.execute(
        "UPDATE bans SET prolonged_at = max(ifnull(prolonged_at, ''), ?) WHERE id = ?",
        (at, ban),
    )
    outbox.hasten(connection, ban)


def _lengthen(
    connection: sqlite3.Connection,
    ban: str,
    bantime_seconds: int | None,
    ban_count: int,
) -> None:
    """Keep the longest ban time seen: fail2ban only ever makes a ban longer."""
    row = connection.execute(
        "SELECT banned_at, bantime_seconds, ban_count FROM bans WHERE id = ?", (ban,)
    ).fetchone()
    longest = _longer(row["bantime_seconds"], bantime_seconds)
    ends_at = end_of_ban(read_time(row["banned_at"]), longest)
    connection.execute(
        "UPDATE bans SET bantime_seconds = ?, expires_at = ?, "
        "ban_count = max(ban_count, ?) WHERE id = ?",
        (longest, None if ends_at is None else time_text(ends_at), ban_count, ban),
    )


def _longer(one: int | None, other: int | None) -> int | None:
    known = [seconds for seconds in (one, other) if seconds is not None]
    if not known:
        return None
    return -1 if min(known) < 0 else max(known)


def _keep_waiting(connection: sqlite3.Connection, derived: str, event: Event) -> None:
    """Keep an unban or prolonged ban for the ban that may still come, the latest."""
    at = time_text(event.at)
    row = connection.execute(
        "SELECT at, bantime_seconds, ban_count FROM waiting_events "
        "WHERE ban_id = ? AND kind = ?",
        (derived, event.kind.value),
    ).fetchone()
    seconds, count = event.bantime_seconds, event.ban_count
    if row is not None:
        at = max(at, row["at"])
        seconds = _longer(seconds, row["bantime_seconds"])
        count = max(count, row["ban_count"])
    connection.execute(
        "INSERT OR REPLACE INTO waiting_events VALUES (?, ?, ?, ?, ?)",
        (derived, event.kind.value, at, seconds, count),
    )


def _apply_waiting(connection: sqlite3.Connection, ban: str) -> None:
    rows = connection.execute(
        "SELECT * FROM waiting_events WHERE ban_id = ?", (ban,)
    ).fetchall()
    connection.execute("DELETE FROM waiting_events WHERE ban_id = ?", (ban,))
    for row in rows:
        if row["kind"] == EventKind.UNBAN:
            _unban(connection, ban, row["at"])
        else:
            _prolong(
                connection, ban, row["at"], row["bantime_seconds"], row["ban_count"]
            )
