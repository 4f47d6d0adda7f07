"""Telling the administrator's command what is mailed, beside the mail."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich import inert
from f2b_enrich.daemon import commands, notices
from f2b_enrich.daemon.alerts import alert
from f2b_enrich.daemon.commands import CommandError
from f2b_enrich.daemon.loops import first_of
from f2b_enrich.daemon.writing import AboutBan, AboutReport, known_of
from f2b_enrich.errors import DeliveryError
from f2b_enrich.mail.digest import Digest
from f2b_enrich.mail.flood import Flood
from f2b_enrich.outbox import MAX_ERROR, next_attempt
from f2b_enrich.store import facts as store_facts
from f2b_enrich.store import notifications

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.mailing import Desk
    from f2b_enrich.daemon.reads import Reads
    from f2b_enrich.daemon.writing import Known
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.facts import BanFacts
    from f2b_enrich.store.notifications import Folded, Notification

log = structlog.get_logger(__name__)

LIFETIME = timedelta(days=1)
"""How long a command that fails is tried again: nobody wants last week's push."""

LAST_TRY = timedelta(minutes=15)
"""How much later the last try may be: it is due when the day is over."""

LOOK_SECONDS = 15.0
LONGEST_LULL = 5.0
STORE_PAUSE_SECONDS = 1.0

TOO_OLD = "not told within a day"

AT_ONCE = 100
"""Mails that are found due at a time: the mail server may have been away for days."""


class Notifying:
    """Run the command for each event that is due, a few at once.

    An event is in the store before its mail is on its way, so it outlives the daemon.
    A command that was running when the daemon ended is run once more.
    """

    def __init__(self, settings: Settings, commits: Commits, reads: Reads) -> None:
        self._settings = settings.notify
        self._commits = commits
        self._reads = reads
        self._host = settings.host_name
        self._changed = asyncio.Event()
        self._recovered = False

    @property
    def has_command(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._settings.command)

    def queue(
        self, connection: sqlite3.Connection, mails: Iterable[OutboxRow], now: datetime
    ) -> None:
        """Have these mails told of; part of the transaction that sends them off.

        A mail server that is quick is not to be quicker than the command's loop.
        """
        if self.has_command:
            notifications.queue(
                connection, mails, events=self._settings.events, now=now
            )

    def changed(self) -> None:
        """Hear that something may have been queued."""
        self._changed.set()

    async def step(self, desk: Desk) -> None:
        """Tell what is due now, then wait for the next; `desk` knows what to say."""
        await self._commits.lull(most=LONGEST_LULL)
        self._changed.clear()
        if not self._recovered:
            await self._commits.submit(notifications.release_all)
            self._recovered = True
        while await self._swept(desk) == AT_ONCE:
            pass
        seconds = await self._seconds_to_next(desk)
        if seconds > 0:
            await first_of(self._changed, seconds=min(seconds, LOOK_SECONDS))
            return
        claim = partial(_claimed, now=desk.now(), limit=self._settings.at_once)
        expired, claimed = await self._commits.submit(claim)
        if expired:
            log.warning("command not told", reason=TOO_OLD, events=expired)
        told = (self._tell(each, desk) for each in claimed)
        for outcome in await asyncio.gather(*told, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _swept(self, desk: Desk) -> int:
        """Look for what is due: the mail loop may be waiting for a server."""
        sweep = partial(
            notifications.sweep,
            events=self._settings.events,
            now=desk.now(),
            limit=AT_ONCE,
        )
        return await self._commits.submit(sweep)

    async def _seconds_to_next(self, desk: Desk) -> float:
        due_at = await self._reads.run(notifications.next_due_at)
        if due_at is None:
            return LOOK_SECONDS
        return (due_at - desk.now()).total_seconds()

    async def _tell(self, about: Notification, desk: Desk) -> None:
        settings = self._settings
        try:
            given = await self._written(about, desk)
            words = await commands.run(
                settings.command, given, seconds=settings.timeout_seconds
            )
        except (CommandError, DeliveryError) as exc:
            await self._failed(about, str(exc), desk)
        except Exception as exc:
            # What nobody foresaw must not come back at once, before all else.
            await self._failed(about, f"{type(exc).__name__}: {exc}", desk)
            raise
        else:
            log.info("command told", id=about.id, kind=about.event, answer=words)
            note = partial(notifications.done, number=about.id, now=desk.now())
            await self._note(note)

    async def _written(self, about: Notification, desk: Desk) -> bytes:
        mail = about.mail
        if mail.ban_id is None:
            known = await self._reads.run(partial(known_of, row=mail))
            folded = await self._reads.run(
                partial(notifications.folded, mail_id=mail.id)
            )
            return await asyncio.to_thread(self._about_many, about, known, folded, desk)
        facts = await self._facts(mail.ban_id, desk)
        # Hostile lines cost tens of milliseconds, in which no ban would be taken.
        return await asyncio.to_thread(_alert, about, facts, desk)

    def _about_many(
        self, about: Notification, known: Known, folded: Folded, desk: Desk
    ) -> bytes:
        if isinstance(known, AboutBan | AboutReport):
            return notices.text(notices.of_other(about, folded, host=self._host))
        told = desk.writer.told(about.mail, known)
        if isinstance(told, Flood):
            return notices.text(notices.of_flood(about, told))
        assert isinstance(told, Digest)  # noqa: S101 - of many, and no flood
        return notices.text(notices.of_digest(about, folded, told))

    async def _facts(self, ban_id: str, desk: Desk) -> BanFacts | None:
        read = partial(store_facts.of, ban_id=ban_id)
        facts = await self._reads.run(read)
        if facts is None or facts.attacks:
            return facts
        try:
            await desk.classify(facts.ban.id)
        except Exception as exc:  # noqa: BLE001 - to be told without is better than not
            log.warning("command not told the attack", ban=ban_id, reason=str(exc))
            return facts
        return await self._reads.run(read)

    async def _failed(self, about: Notification, error: str, desk: Desk) -> None:
        now, ends = desk.now(), about.created_at + LIFETIME
        due_at: datetime | None = None
        if now < ends:
            tried = about.attempts + 1
            due_at = min(next_attempt(tried, now=now, jitter=desk.jitter()), ends)
        words = inert.cut(inert.printable(error), MAX_ERROR)
        log.warning(
            "command not told",
            id=about.id,
            kind=about.event,
            reason=words,
            next="given up" if due_at is None else "due",
            attempts=about.attempts + 1,
        )
        note = partial(
            notifications.failed, number=about.id, due_at=due_at, error=words
        )
        await self._note(note)

    async def _note(self, write: Callable[[sqlite3.Connection], object]) -> None:
        """Commit what became of it, however long the store is locked."""
        await self._commits.insist(
            write, of="outcome of a command", pause=STORE_PAUSE_SECONDS
        )


def _claimed(
    connection: sqlite3.Connection, *, now: datetime, limit: int
) -> tuple[int, tuple[Notification, ...]]:
    """Give up what is too old, after days without a daemon or a command, and claim."""
    before = now - LIFETIME - LAST_TRY
    expired = notifications.expire(connection, before=before, now=now, error=TOO_OLD)
    return expired, notifications.claim(connection, now=now, limit=limit)


def _alert(about: Notification, facts: BanFacts | None, desk: Desk) -> bytes:
    writer = desk.writer
    told = alert(
        about.mail,
        facts,
        settings=writer.settings.mail,
        timezone=writer.timezone,
        known=writer.relations,
        tried=writer.tried,
    )
    return notices.text(notices.of_alert(about, told))
