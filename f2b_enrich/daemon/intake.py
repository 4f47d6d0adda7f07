"""From an event to the write that records it and queues its mail."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeAlias

from f2b_enrich.address import read_address
from f2b_enrich.classify.captures import captured
from f2b_enrich.mail.addresses import route
from f2b_enrich.model import FOR_EVER, EventKind
from f2b_enrich.outbox import message_id
from f2b_enrich.store import bans, enrichments, jails, outbox
from f2b_enrich.store.settling import settle_live

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection
    from datetime import datetime

    from f2b_enrich.config import Settings
    from f2b_enrich.model import Event
    from f2b_enrich.store.jails import KnownJail

INCOMPLETE_FOR = timedelta(minutes=15)
"""How long a snapshot serves that lacks a source which could not be asked."""


Answer: TypeAlias = "Callable[[Taken | Exception], None]"
"""What is told how the report of an event ended, once it is on disk."""


class Take(Protocol):
    """Write an event and have it answered when it is on disk.

    That is before this returns, if it is `alone`, for no other can be about to arrive,
    and nothing waits to be written.
    """

    def __call__(
        self, event: Event, answer: Answer, *, alone: bool = False
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What an event became; `to_look_up` is an address that has no fresh snapshot."""

    ban_id: str | None
    to_look_up: str | None = None


class Intake:
    """Prepare the writes of events under one reading of the configuration."""

    def __init__(
        self,
        settings: Settings,
        *,
        waits_for_look_up: bool,
        known_jail: Callable[[str], KnownJail],
    ) -> None:
        self._settings = settings
        self._known_jail = lru_cache(maxsize=256)(known_jail)
        self._waits_for_look_up = waits_for_look_up
        self._host = settings.host_name
        # The same few jails over and over: their addresses are checked once.
        self._mails = lru_cache(maxsize=256)(self._choose)

    def writing(
        self, event: Event, *, now: datetime
    ) -> Callable[[sqlite3.Connection], Taken]:
        """Prepare the one write of an event: the ban and its mails, or neither."""
        host = event.host or self._host
        host = self._settings.hosts.aliases.get(host, host)
        jail = self._settings.jails.aliases.get(event.jail, event.jail)
        is_ban = event.kind is EventKind.BAN
        mails = self._mails(event.dest, event.sender, host) if is_ban else ()
        captures = captured(event.captures) if is_ban else ()
        known = self._known_jail(jail)

        def write(connection: sqlite3.Connection) -> Taken:
            if is_ban:  # so that it is counted rightly before it is classed
                jails.note(connection, known)
            written = bans.record(
                connection, event, host=host, jail=jail, now=now, captures=captures
            )
            recorded = settle_live(
                connection, written, event, host=host, jail=jail, now=now
            )
            if not recorded.is_new or recorded.ban_id is None:
                return Taken(ban_id=recorded.ban_id)
            is_old = recorded is not written  # other records told of it before
            # Only then `reconcile` may have queued its mails: others need not look.
            told = outbox.recipients(connection, recorded.ban_id) if is_old else ()
            self._queue(
                *(connection, event, mails, recorded.ban_id),
                host=host,
                now=now,
                told=told,
            )
            if is_old:  # its address may have been looked up before
                outbox.hasten(connection, recorded.ban_id)
            if self._attach_fresh(connection, recorded.ip, now=now):
                return Taken(ban_id=recorded.ban_id)
            return Taken(ban_id=recorded.ban_id, to_look_up=recorded.ip)

        return write

    def complete(
        self,
        connection: sqlite3.Connection,
        event: Event,
        ban_id: str,
        *,
        host: str,
        now: datetime,
        is_told: bool,
    ) -> None:
        """Do for a ban that was written elsewhere what `writing` does for its own.

        Unless it `is_told`, no mail speaks of it.
        """
        jails.note(
            connection,
            self._known_jail(self._settings.jails.aliases.get(event.jail, event.jail)),
        )
        if is_told:
            mails = self._mails(event.dest, event.sender, host)
            told = outbox.recipients(connection, ban_id)
            self._queue(connection, event, mails, ban_id, host=host, now=now, told=told)
        self._attach_fresh(connection, read_address(event.ip).text, now=now)

    def _queue(
        self,
        connection: sqlite3.Connection,
        event: Event,
        mails: tuple[_Mail, ...],
        ban_id: str,
        *,
        host: str,
        now: datetime,
        told: Collection[str] = (),
    ) -> None:
        """Queue the mails of a ban, but for those who are `told` of it already."""
        due_at = now + self._longest_wait(event)
        late = self._lateness(event, now)
        for number, mail in enumerate(mails):
            if mail.recipient in told:
                continue
            new = outbox.NewMail(
                kind=outbox.ALERT,
                ban_id=ban_id,
                recipient=mail.recipient,
                sender=mail.sender,
                message_id=message_id(ban_id, outbox.ALERT, number, host),
                due_at=due_at,
                refused=mail.refused,
                late=late,
            )
            outbox.add(connection, new, now=now)

    def _lateness(self, event: Event, now: datetime) -> str | None:
        """Say why a ban is only in a digest that is told of long after it was."""
        minutes = self._settings.alerts.late_minutes
        is_late = event.failed_at < now.timestamp() - minutes * 60
        return f"told of more than {minutes} minutes late" if is_late else None

    def _attach_fresh(
        self, connection: sqlite3.Connection, ip: str, *, now: datetime
    ) -> bool:
        days = timedelta(days=self._settings.enrich.cache_days)
        return enrichments.attach_fresh(
            connection,
            ip,
            complete_since=now - days,
            incomplete_since=now - INCOMPLETE_FOR,
        )

    def _longest_wait(self, event: Event) -> timedelta:
        mail = self._settings.mail
        seconds = mail.wait_seconds if self._waits_for_look_up else 0.0
        if event.ban_count > 1 and event.bantime_seconds != FOR_EVER:
            seconds = max(seconds, mail.prolong_wait_seconds)
        return timedelta(seconds=seconds)

    def _choose(
        self, dest: str | None, sender: str | None, host: str
    ) -> tuple[_Mail, ...]:
        """Choose who is told; a refused address leaves a dead mail that says why."""
        chosen = route(
            dest,
            sender,
            settings=self._settings.mail,
            host=host,
            machine=socket.gethostname(),
        )
        refused = tuple(
            _Mail(address, chosen.sender, f"{address}: {why}")
            for address, why in chosen.refused
        )
        if not chosen.sender:
            why = "; ".join(mail.refused or "" for mail in refused)
            return tuple(_Mail(to, "", why) for to in chosen.recipients) or refused
        sound = tuple(_Mail(to, chosen.sender, None) for to in chosen.recipients)
        return sound + refused


@dataclass(frozen=True, slots=True)
class _Mail:
    recipient: str
    sender: str
    refused: str | None
