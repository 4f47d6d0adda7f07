"""From an event to the write that records it and queues its mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.mail.addresses import route
from f2b_enrich.model import Event, EventKind, read_address
from f2b_enrich.outbox import message_id
from f2b_enrich.store import bans, enrichments, outbox

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from f2b_enrich.config import Settings

INCOMPLETE_FOR = timedelta(minutes=15)
"""How long a snapshot serves that lacks a source which could not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What an event became; `to_look_up` is an address that has no fresh snapshot."""

    ban_id: str | None
    to_look_up: str | None = None


def writing(
    event: Event, *, settings: Settings, waits_for_look_up: bool, now: datetime
) -> Callable[[sqlite3.Connection], Taken]:
    """Prepare the one write of an event: the ban and its mails, together or neither."""
    host = event.host or settings.host_name
    host = settings.hosts.aliases.get(host, host)
    jail = settings.jails.aliases.get(event.jail, event.jail)
    mails = _mails(event, host=host, settings=settings)

    def write(connection: sqlite3.Connection) -> Taken:
        recorded = bans.record(connection, event, host=host, jail=jail, now=now)
        if not recorded.is_new or recorded.ban_id is None:
            return Taken(ban_id=recorded.ban_id)
        due_at = now + _longest_wait(event, settings, waits_for_look_up)
        for number, mail in enumerate(mails):
            new = outbox.NewMail(
                kind="alert",
                ban_id=recorded.ban_id,
                recipient=mail.recipient,
                sender=mail.sender,
                message_id=message_id(recorded.ban_id, "alert", number, host),
                due_at=due_at,
                refused=mail.refused,
            )
            outbox.add(connection, new, now=now)
        ip = read_address(event.ip).text
        fresh = enrichments.attach_fresh(
            connection,
            ip,
            complete_since=now - timedelta(days=settings.enrich.cache_days),
            incomplete_since=now - INCOMPLETE_FOR,
        )
        return Taken(ban_id=recorded.ban_id, to_look_up=None if fresh else ip)

    return write


@dataclass(frozen=True, slots=True)
class _Mail:
    recipient: str
    sender: str
    refused: str | None


def _mails(event: Event, *, host: str, settings: Settings) -> tuple[_Mail, ...]:
    """Choose who is told; a refused address leaves a dead mail that says why."""
    if event.kind is not EventKind.BAN:
        return ()
    chosen = route(event.dest, event.sender, settings=settings.mail, host=host)
    reasons = "; ".join(f"{address}: {why}" for address, why in chosen.refused)
    if not chosen.recipients or not chosen.sender:
        to = ", ".join(chosen.recipients) or ", ".join(a for a, _ in chosen.refused)
        return (_Mail(to, chosen.sender, reasons),)
    sound = tuple(_Mail(to, chosen.sender, None) for to in chosen.recipients)
    refused = tuple(
        _Mail(address, chosen.sender, f"{address}: {why}")
        for address, why in chosen.refused
    )
    return sound + refused


def _longest_wait(
    event: Event,
    settings: Settings,
    waits_for_look_up: bool,  # noqa: FBT001
) -> timedelta:
    seconds = settings.mail.wait_seconds if waits_for_look_up else 0.0
    if event.ban_count > 1 and event.bantime_seconds != -1:
        seconds = max(seconds, settings.mail.prolong_wait_seconds)
    return timedelta(seconds=seconds)
