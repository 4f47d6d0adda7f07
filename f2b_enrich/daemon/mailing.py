"""Mails on their way out: claimed, composed, delivered, their outcome noted."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.daemon.loops import first_of
from f2b_enrich.daemon.writing import AboutBan, known_of
from f2b_enrich.errors import DeliveryError
from f2b_enrich.outbox import after_failure
from f2b_enrich.store import outbox

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.notifying import Notifying
    from f2b_enrich.daemon.reads import Reads
    from f2b_enrich.daemon.sorting import Sorting
    from f2b_enrich.daemon.writing import Known, Writer
    from f2b_enrich.mail.deliver import Courier
    from f2b_enrich.model import OutboxRow

log = structlog.get_logger(__name__)

AT_ONCE = 20
"""Mails claimed at a time; they leave one after another."""

LOOK_SECONDS = 2.0
"""How often to look although nothing was heard: a command may have queued something."""

LONGEST_LULL = 2.0
"""Seconds that a mail makes way for a rush of bans."""

STORE_PAUSE_SECONDS = 1.0
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What writing and posting mail takes.

    `classify` finds out, by its id, what a ban shows that nobody has looked at yet;
    `notifying` is to hear of every mail that is sent off.
    """

    courier: Courier
    writer: Writer
    classify: Callable[[str], Awaitable[None]]
    notifying: Notifying
    now: Callable[[], datetime]
    jitter: Callable[[], float]


class Mailing:
    """Send what is due; after `stop` the mail under way is the last."""

    def __init__(
        self, desk: Desk, sorting: Sorting, commits: Commits, reads_: Reads
    ) -> None:
        self._desk = desk
        self._sorting = sorting
        self._commits = commits
        self._reads = reads_
        self._changed = asyncio.Event()
        self._recovered = False
        self.stopping = asyncio.Event()
        self._pauses = 0
        self._resume_at: datetime | None = None

    def changed(self) -> None:
        """Hear that a mail was queued or became due."""
        self._changed.set()
        self._desk.notifying.changed()

    def stop(self) -> None:
        """Send no further mail."""
        self.stopping.set()
        self._changed.set()

    async def step(self) -> None:
        """Sort and send what is due now, then wait for the next."""
        await self._commits.lull(most=LONGEST_LULL)
        self._changed.clear()
        if not self._recovered:
            await self._recover()
        is_more = await self._sorting.step()
        seconds = await self._seconds_to_next()
        if seconds > 0:
            if is_more:
                return
            await self._desk.courier.aclose()
            await first_of(self._changed, seconds=min(seconds, LOOK_SECONDS))
            return
        now = self._desk.now()
        rows = await self._commits.submit(partial(self._claim, now=now))
        self._desk.notifying.changed()
        left = deque(rows)
        try:
            while left and not self.stopping.is_set() and self._resume_at is None:
                await self._commits.lull(most=LONGEST_LULL)
                await self._send(left.popleft())
        except Exception:
            await self._release(left)
            raise
        await self._release(left)

    def _claim(
        self, connection: sqlite3.Connection, *, now: datetime
    ) -> tuple[OutboxRow, ...]:
        rows = outbox.claim_due(connection, now=now, limit=AT_ONCE)
        self._desk.notifying.queue(connection, rows, now)
        return rows

    async def _release(self, rows: Collection[OutboxRow]) -> None:
        if rows:
            ids = [row.id for row in rows]
            await self._note(partial(outbox.release, row_ids=ids))

    async def _recover(self) -> None:
        """Take up what a daemon that was killed left in the middle."""
        count = await self._commits.submit(outbox.release_all)
        self._recovered = True
        if count:
            log.warning("mails sent again, perhaps twice", count=count)

    async def _seconds_to_next(self) -> float:
        now = self._desk.now()
        if self._resume_at is not None:
            if now < self._resume_at:
                return (self._resume_at - now).total_seconds()
            self._resume_at = None
        due_at = await self._reads.run(outbox.next_due_at)
        return LOOK_SECONDS if due_at is None else (due_at - now).total_seconds()

    async def _send(self, row: OutboxRow) -> None:
        tried = replace(row, attempts=row.attempts + 1)
        try:
            answer = await self._deliver(row)
        except DeliveryError as exc:
            await self._failed(tried, exc)
            return
        except Exception as exc:
            # What nobody foresaw must not come back at once, before all other mail.
            words = f"{type(exc).__name__}: {exc}"
            await self._failed(tried, DeliveryError(words, permanent=False))
            raise
        self._pauses = 0
        log.info("mail sent", id=row.id, to=row.recipient, answer=answer)
        await self._note(partial(outbox.sent, row=row, now=self._desk.now()))

    async def _deliver(self, row: OutboxRow) -> str:
        if self._pauses:  # to write a large digest for nobody takes half a minute
            await self._desk.courier.reach()
        known = await self._known(row)
        desk = self._desk
        write = partial(
            desk.writer.write,
            row,
            known,
            now=desk.now(),
            form=desk.writer.settings.mail.format,
        )
        # Hostile lines cost tens of milliseconds, a digest of many bans seconds, in
        # which no ban would be taken.
        written = await asyncio.to_thread(write)
        return await desk.courier.send(
            written.message, sender=written.sender, recipient=written.recipient
        )

    async def _known(self, row: OutboxRow) -> Known:
        """Read what a mail tells; a ban that nobody has looked at is classed first."""
        read = partial(known_of, row=row)
        known = await self._reads.run(read)
        if not isinstance(known, AboutBan) or known.ban is None or known.ban.attacks:
            return known
        try:
            await self._desk.classify(known.ban.ban.id)
        except Exception as exc:  # noqa: BLE001 - a mail without is better than none
            reason = str(exc)
            log.warning("mail does not name the attack", ban=row.ban_id, reason=reason)
            return known
        return await self._reads.run(read)

    async def _failed(self, row: OutboxRow, error: DeliveryError) -> None:
        now = self._desk.now()
        verdict = after_failure(row, error, now=now, jitter=self._desk.jitter())
        log.warning(
            "mail not sent",
            id=row.id,
            to=row.recipient,
            reason=verdict.last_error,
            next=verdict.state.value,
            attempts=row.attempts,
        )
        due_at = verdict.due_at
        if error.unreachable:
            # All mail waits, and leaves in its order once there is a server again.
            due_at = row.due_at
            pause = min(FIRST_PAUSE * (1 << min(self._pauses, 10)), LONGEST_PAUSE)
            self._pauses += 1
            self._resume_at = now + pause
        await self._note(
            partial(
                outbox.failed,
                row=row,
                state=verdict.state,
                due_at=due_at,
                error=verdict.last_error,
            )
        )

    async def _note(self, write: Callable[[sqlite3.Connection], object]) -> None:
        """Commit what became of a mail, however long the store is locked.

        To forget it would mean to send the mail once more.
        """
        await self._commits.insist(
            write, of="outcome of a mail", pause=STORE_PAUSE_SECONDS
        )
