"""Alerts between their time and their way out: what decides about them, the outcome."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.alerts.brake import Load
from f2b_enrich.attacks import REPEAT_OFFENDER
from f2b_enrich.model import OutboxState, read_time, time_text
from f2b_enrich.store import neighbours, repeats
from f2b_enrich.store.outbox import RELEASED, UNSORTED

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from f2b_enrich.model import Service

MOST_NEIGHBOURS = 50
"""Addresses of a /64 that are looked at; an attacker may own all of it."""

_UNSORTED = f"""
    SELECT outbox.id, outbox.recipient, outbox.sender,
    iif(outbox.about = 'late', outbox.last_error, NULL) AS late,
    bans.id AS ban_id, bans.rowid AS number, bans.host, bans.jail, bans.ip,
    bans.ip_version, bans.subnet, bans.banned_at, bans.ban_count, bans.repeat_of,
    ifnull(jails.service, 'other') AS service, enrichments.country_code,
    ifnull(jails.attack = '{REPEAT_OFFENDER}', 0) AS is_repeat
    FROM (
        SELECT * FROM outbox WHERE {UNSORTED} AND due_at <= ?
        ORDER BY due_at, id LIMIT ?
    ) AS outbox
    LEFT JOIN bans ON bans.id = outbox.ban_id
    LEFT JOIN jails ON jails.jail = bans.jail
    LEFT JOIN enrichments ON enrichments.id = bans.enrichment_id
    ORDER BY is_repeat, outbox.due_at, outbox.id
"""

# The times are reckoned here: a row that somebody spoiled then has no sibling, and does
# not stop the others.
_SIBLING = """
    SELECT outbox.id, outbox.state FROM bans INDEXED BY bans_by_ip
    JOIN outbox ON outbox.ban_id = bans.id
    WHERE bans.ip = :ip AND bans.host = :host AND bans.jail != :jail
    AND bans.banned_at BETWEEN strftime(:form, :at, '-' || :seconds || ' seconds')
        AND strftime(:form, :at, '+' || :seconds || ' seconds')
    AND outbox.kind = 'alert' AND outbox.recipient = :recipient
    AND outbox.released_at IS NOT NULL
    AND outbox.state IN ('due', 'sending', 'sent', 'unsure')
    ORDER BY outbox.state != 'due', outbox.id LIMIT 1
"""

_KNOWN = """
    SELECT 1 FROM json_each(:ips) AS near CROSS JOIN bans INDEXED BY bans_by_ip
    WHERE bans.ip = near.value
    AND bans.banned_at >= strftime(:form, :at, '-' || :days || ' days')
    AND (bans.banned_at, bans.rowid) < (:at, :number)
    LIMIT 1
"""

AHEAD = timedelta(hours=1)
"""How far a clock is set back at most without making its former times worthless."""

BRAKE = "brake"
"""What alerts are about that the brake held: they leave when there is room."""

_FORM = "%Y-%m-%dT%H:%M:%SZ"

_LOAD = f"""
    SELECT waiting + since_window AS in_window, waiting + since_midnight AS today
    FROM (
        SELECT (SELECT count(*) FROM outbox INDEXED BY outbox_due
                WHERE {RELEASED} AND recipient = :to AND about IS NOT 'daily')
            + (SELECT count(*) FROM outbox INDEXED BY outbox_sending
               WHERE state = 'sending' AND recipient = :to AND about IS NOT 'daily')
            AS waiting,
        (SELECT count(*) FROM outbox INDEXED BY outbox_sent
         WHERE recipient = :to AND sent_at BETWEEN :window AND :ahead
         AND about IS NOT 'daily')
            AS since_window,
        (SELECT count(*) FROM outbox INDEXED BY outbox_sent
         WHERE recipient = :to AND sent_at BETWEEN :midnight AND :ahead
         AND about IS NOT 'daily')
            AS since_midnight
    )
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertedBan:
    """What rules ask of a ban; `number` grows with the order of arrival.

    `repeats` is the id of the ban that it repeats, if its jail watches fail2ban.
    """

    id: str
    number: int
    host: str
    jail: str
    service: Service
    ip: str
    ip_version: int | None
    subnet: str | None
    country_code: str | None
    banned_at: str
    ban_count: int
    repeats: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsorted:
    """An alert that nobody has decided on; without a ban if that is gone.

    It may be too `late` to be mailed singly, for that reason.
    """

    id: int
    recipient: str
    sender: str
    late: str | None
    ban: AlertedBan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """An alert about the same address; it `may_speak` of more as long as it waits."""

    id: int
    may_speak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of the alert about another ban; `into_kind` is its digest's kind.

    `about` tells which digest it waits for.
    """

    id: int
    state: OutboxState
    about: str | None
    is_released: bool
    due_at: datetime
    folded_into: int | None
    into_kind: str | None


def is_any_due(connection: sqlite3.Connection, *, now: datetime) -> bool:
    """Tell whether the time of an alert has come that nobody has sorted."""
    found = connection.execute(
        f"SELECT 1 FROM outbox WHERE {UNSORTED} AND due_at <= ? LIMIT 1",
        (time_text(now),),
    )
    return found.fetchone() is not None


def unsorted(
    connection: sqlite3.Connection, *, now: datetime, limit: int
) -> tuple[Unsorted, ...]:
    """Read the oldest alerts whose time has come; those that repeat a ban are last."""
    rows = connection.execute(_UNSORTED, (time_text(now), limit)).fetchall()
    return tuple(
        Unsorted(
            id=row["id"],
            recipient=row["recipient"],
            sender=row["sender"],
            late=row["late"],
            ban=None if row["ban_id"] is None else _ban(connection, row),
        )
        for row in rows
    )


def _ban(connection: sqlite3.Connection, row: sqlite3.Row) -> AlertedBan:
    return AlertedBan(
        id=row["ban_id"],
        number=row["number"],
        host=row["host"],
        jail=row["jail"],
        service=row["service"],
        ip=row["ip"],
        ip_version=row["ip_version"],
        subnet=row["subnet"],
        country_code=row["country_code"],
        banned_at=row["banned_at"],
        ban_count=row["ban_count"],
        repeats=_repeated(connection, row) if row["is_repeat"] else None,
    )


def _repeated(connection: sqlite3.Connection, row: sqlite3.Row) -> str | None:
    """Tell what a ban repeats, which is else found out when it is classed."""
    if row["repeat_of"] is None:
        try:
            repeats.settle(connection, row["ban_id"])
        except ValueError:  # spoiled; whoever writes the mail will say so
            return None
    found = connection.execute(
        "SELECT repeat_of FROM bans WHERE id = ?", (row["ban_id"],)
    )
    repeated: str | None = found.fetchone()["repeat_of"]
    return repeated


def is_first(connection: sqlite3.Connection, ban: AlertedBan, *, days: int) -> bool:
    """Tell whether an address, or of IPv6 its /64, had no ban in the days before.

    A /64 of which more than 50 addresses were ever banned is known.
    """
    if _is_known(connection, ban, [ban.ip], days=days):
        return False
    if ban.ip_version != 6 or ban.subnet is None:
        return True
    near, is_cut = neighbours.addresses(
        connection, ban.ip, subnet=ban.subnet, most=MOST_NEIGHBOURS
    )
    return not (is_cut or _is_known(connection, ban, near, days=days))


def _is_known(
    connection: sqlite3.Connection, ban: AlertedBan, ips: list[str], *, days: int
) -> bool:
    found = connection.execute(
        _KNOWN,
        {
            "ips": json.dumps(ips),
            "at": ban.banned_at,
            "number": ban.number,
            "days": days,
            "form": _FORM,
        },
    )
    return found.fetchone() is not None


def sibling(
    connection: sqlite3.Connection, mail: Unsorted, ban: AlertedBan, *, seconds: int
) -> Sibling | None:
    """Find the alert about the same address on the same host, by another jail."""
    row = connection.execute(
        _SIBLING,
        {
            "ip": ban.ip,
            "host": ban.host,
            "jail": ban.jail,
            "at": ban.banned_at,
            "seconds": seconds,
            "recipient": mail.recipient,
            "form": _FORM,
        },
    ).fetchone()
    if row is None:
        return None
    return Sibling(id=row["id"], may_speak=row["state"] == OutboxState.DUE)


def told(connection: sqlite3.Connection, ban_id: str, recipient: str) -> Told | None:
    """Tell what became of a ban's alert to a recipient."""
    row = connection.execute(
        "SELECT mail.*, digest.kind AS into_kind FROM outbox AS mail "
        "LEFT JOIN outbox AS digest ON digest.id = mail.folded_into "
        "WHERE mail.ban_id = ? AND mail.kind = 'alert' AND mail.recipient = ? "
        "ORDER BY mail.id LIMIT 1",
        (ban_id, recipient),
    ).fetchone()
    if row is None:
        return None
    return Told(
        id=row["id"],
        state=OutboxState(row["state"]),
        about=row["about"],
        is_released=row["released_at"] is not None,
        due_at=read_time(row["due_at"]),
        folded_into=row["folded_into"],
        into_kind=row["into_kind"],
    )


def load(
    connection: sqlite3.Connection,
    recipient: str,
    *,
    window_at: datetime,
    midnight: datetime,
    now: datetime,
) -> Load:
    """Count what a recipient was sent since two times, and what is on its way.

    The daily digest comes beside it. What was sent long after now was sent by a clock
    that was ahead: it tells nothing.
    """
    row = connection.execute(
        _LOAD,
        {
            "to": recipient,
            "window": time_text(window_at),
            "midnight": time_text(midnight),
            "ahead": time_text(now + AHEAD),
        },
    ).fetchone()
    return Load(in_window=row["in_window"], today=row["today"])


def release(connection: sqlite3.Connection, row_id: int, *, now: datetime) -> None:
    """Let an alert be sent."""
    connection.execute(
        "UPDATE outbox SET released_at = ? WHERE id = ?", (time_text(now), row_id)
    )


def hold(
    connection: sqlite3.Connection, row_id: int, *, why: str, about: str | None = None
) -> None:
    """Let an alert wait for a digest, `about` the brake for that of its flood."""
    connection.execute(
        "UPDATE outbox SET state = 'held', last_error = ?, about = ? WHERE id = ?",
        (why, about, row_id),
    )


def fold(connection: sqlite3.Connection, row_id: int, *, into: int) -> None:
    """Let another mail stand for an alert."""
    connection.execute(
        "UPDATE outbox SET state = 'folded', folded_into = ? WHERE id = ?",
        (into, row_id),
    )


def skip(connection: sqlite3.Connection, row_id: int, *, why: str) -> None:
    """Let nobody hear of a ban."""
    connection.execute(
        "UPDATE outbox SET state = 'skipped', last_error = ? WHERE id = ?",
        (why, row_id),
    )


def put_off(connection: sqlite3.Connection, row_id: int, *, until: datetime) -> None:
    """Sort an alert later."""
    connection.execute(
        "UPDATE outbox SET due_at = ? WHERE id = ?", (time_text(until), row_id)
    )
