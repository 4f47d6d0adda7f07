"""Digests, from the time that they are due to the mail that is queued."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.alerts.brake import room
from f2b_enrich.figures import Period
from f2b_enrich.mail.addresses import route
from f2b_enrich.model import start_of_day
from f2b_enrich.outbox import message_id
from f2b_enrich.store import filling, outbox, sorting
from f2b_enrich.store.digests import MOST_BANS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from datetime import datetime, tzinfo

    from f2b_enrich.alerts.brake import Limits
    from f2b_enrich.alerts.schedule import Schedule, Slot
    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.reads import Reads
    from f2b_enrich.figures import DigestKind
    from f2b_enrich.store.filling import Held, Unfilled

log = structlog.get_logger(__name__)

LOOK_SECONDS = 15.0
LONGEST_LULL = 10.0
"""Seconds that each part makes way for a rush of bans."""

AT_ONCE = 1000
"""Alerts folded in a transaction, some 20 ms in which no ban is taken."""

BESIDE_THE_BRAKE: DigestKind = "daily"
"""The one digest that comes whatever else a recipient gets."""

SLACK = timedelta(minutes=1)
"""How far before its first held alert a flood's figures begin: it waited to be due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who gets digests when; without a `recipient`, whoever gets the alerts.

    The `admins` hear of a day even if they were told of each of its bans.
    """

    host: str
    schedule: Schedule
    limits: Limits
    recipient: str | None
    admins: tuple[str, ...]
    sender: str
    timezone: tzinfo | None

    @classmethod
    def configured(cls, settings: Settings, *, timezone: tzinfo | None) -> Plan:
        """Give that of a configuration; an address that is refused gets nothing."""
        to = partial(route, settings=settings.mail, host=settings.host_name)
        usual, chosen = to(None, None), None
        if settings.digest.recipient is not None:
            own = to(settings.digest.recipient, None).recipients
            if own:
                chosen = own[0]
            else:
                log.warning("digests go to whoever gets the alerts: address refused")
        admins = usual.recipients if chosen is None else (chosen,)
        return cls(
            host=settings.host_name,
            schedule=settings.digest.schedule(),
            limits=settings.alerts.limits(),
            recipient=chosen,
            admins=admins if usual.sender else (),
            sender=usual.sender,
            timezone=timezone,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A digest to make now; with `mail` None there is nothing to tell."""

    recipient: str
    period: Period
    mail: outbox.NewMail | None


class Digesting:
    """Queue the digests that are due, and fold what is held into them.

    They are filled a part at a time, beside the bans that arrive. A daemon that was
    killed in the middle goes on where it was.
    """

    def __init__(
        self,
        plan: Plan,
        commits: Commits,
        reads: Reads,
        *,
        now: Callable[[], datetime],
        queued: Callable[[], None],
        look_seconds: float = LOOK_SECONDS,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Take the plan and the store; `queued` hears that a mail is due.

        It waits `look_seconds` at most from one look at the clock to the next.
        """
        self._plan = plan
        self._commits = commits
        self._reads = reads
        self._now = now
        self._queued = queued
        self._look_seconds = look_seconds
        self._wait = wait

    async def step(self) -> None:
        """Make what is due now, then wait for the next."""
        await self._commits.lull(most=LONGEST_LULL)
        for begun in await self._reads.run(filling.unfilled):
            await self._fill(begun)
        now = self._now()
        for wanted in await self._reads.run(partial(due, plan=self._plan, now=now)):
            await self._commits.lull(most=LONGEST_LULL)
            make = partial(begin, wanted=wanted, now=now)
            made = await self._commits.submit(make)
            if made is not None:
                await self._fill(made)
        if self._plan.schedule.is_empty:
            await self._leave_out()
        await self._wait(self._seconds_to_next(now))

    def _seconds_to_next(self, now: datetime) -> float:
        following = self._plan.schedule.following(now, self._plan.timezone)
        if following is None:
            return self._look_seconds
        return min(self._look_seconds, max((following - now).total_seconds(), 0.0))

    async def _fill(self, begun: Unfilled) -> None:
        bans = await self._reads.run(partial(filling.count, into=begun.id))
        is_whole = False
        while not is_whole:
            await self._commits.lull(most=LONGEST_LULL)
            part = partial(
                fill_some, begun=begun, plan=self._plan, bans=bans, now=self._now()
            )
            folded, is_whole = await self._commits.submit(part)
            bans += folded
        log.info("digest queued", kind=begun.kind, to=begun.recipient, bans=bans)
        self._queued()

    async def _leave_out(self) -> None:
        while True:
            await self._commits.lull(most=LONGEST_LULL)
            some = partial(filling.leave_out, limit=AT_ONCE)
            count = await self._commits.submit(some)
            if count:
                log.info("bans in no digest: none is configured", count=count)
            if count < AT_ONCE:
                return


def fill_some(
    connection: sqlite3.Connection,
    *,
    begun: Unfilled,
    plan: Plan,
    bans: int,
    now: datetime,
) -> tuple[int, bool]:
    """Fold a part of what is held into a digest that has `bans`; tell if it is whole.

    What is more than one digest holds waits for the next. One that is whole is due.
    """
    limit = min(AT_ONCE, MOST_BANS - bans)
    folded = filling.fold_some(
        connection,
        begun.id,
        recipient=begun.recipient if plan.recipient is None else None,
        only_braked=begun.kind == "flood",
        limit=limit,
    )
    is_whole = folded < AT_ONCE or bans + folded >= MOST_BANS
    if is_whole:
        filling.finish(connection, begun.id, now=now)
    return folded, is_whole


def due(
    connection: sqlite3.Connection, *, plan: Plan, now: datetime
) -> tuple[Wanted, ...]:
    """Find the digests that are due, at most one for each recipient."""
    waiting: dict[str, list[Held]] = {}
    for held in filling.held(connection):
        waiting.setdefault(plan.recipient or held.recipient, []).append(held)
    found = []
    for recipient in dict.fromkeys((*plan.admins, *waiting)):
        desk = _Recipient(connection, plan, recipient, waiting.get(recipient, []), now)
        for wanted in desk.wanted():
            found.append(wanted)
            if wanted.mail is not None:
                break
    return tuple(found)


def begin(
    connection: sqlite3.Connection, *, wanted: Wanted, now: datetime
) -> Unfilled | None:
    """Queue a digest, or note that there was nothing to tell."""
    period = wanted.period
    filling.decided(connection, period.kind, wanted.recipient, now=now)
    if wanted.mail is None:
        return None
    row_id = filling.begin(connection, wanted.mail, period, now=now)
    return filling.Unfilled(id=row_id, recipient=wanted.recipient, kind=period.kind)


class _Recipient:
    """What one recipient is to get, of all that is held for it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        plan: Plan,
        recipient: str,
        held: list[Held],
        now: datetime,
    ) -> None:
        self._connection = connection
        self._plan = plan
        self._recipient = recipient
        self._held = held
        self._now = now

    def wanted(self) -> Iterator[Wanted]:
        """Give what is due, in the order in which it may be sent."""
        if filling.is_another_unsent(self._connection, self._recipient):
            return
        zone = self._plan.timezone
        for slot in self._plan.schedule.latest(self._now, zone):
            if self._is_due(slot) and self._may_get(slot.period.kind):
                yield self._wanted(slot.period, tells=self._tells(slot))
        since = _oldest(each for each in self._held if each.by_brake)
        if since is None or since > self._now - self._plan.limits.window:
            return
        if self._may_get("flood"):
            until = self._now + timedelta(seconds=1)
            period = Period(kind="flood", since=since - SLACK, until=until)
            yield self._wanted(period, tells=True)

    def _is_due(self, slot: Slot) -> bool:
        """Tell whether it was not decided yet, and there was somebody to get it.

        What was noted after now was noted before the clock was set back.
        """
        kind = slot.period.kind
        last = filling.last(self._connection, kind, self._recipient)
        if last is not None and slot.at <= last <= self._now:
            return False
        oldest = _oldest(self._held)
        if oldest is not None and oldest <= slot.at:
            return True
        return self._recipient in self._plan.admins

    def _may_get(self, kind: DigestKind) -> bool:
        if kind == BESIDE_THE_BRAKE:
            return True
        load = sorting.load(
            self._connection,
            self._recipient,
            window_at=self._now - self._plan.limits.window,
            midnight=start_of_day(self._now, self._plan.timezone),
        )
        return room(load, self._plan.limits) > 0

    def _tells(self, slot: Slot) -> bool:
        """Tell whether a digest would have anything to say."""
        kind = slot.period.kind
        if filling.last(self._connection, kind, self._recipient) is None:
            # Nobody wants to hear of the day before the installation.
            oldest = _oldest(self._held)
            return oldest is not None and oldest <= slot.at
        return bool(self._held) or filling.has_bans(self._connection, slot.period)

    def _wanted(self, period: Period, *, tells: bool) -> Wanted:
        mail = self._mail(period) if tells else None
        return Wanted(recipient=self._recipient, period=period, mail=mail)

    def _mail(self, period: Period) -> outbox.NewMail:
        who = hashlib.sha256(self._recipient.encode()).hexdigest()[:8]
        name = f"{self._now:%Y%m%dT%H%M%SZ}-{who}"
        held = [each.recipient for each in self._held[:1]]
        senders = (filling.sender(self._connection, each) for each in held)
        return outbox.NewMail(
            kind=filling.DIGEST,
            ban_id=None,
            recipient=self._recipient,
            sender=self._plan.sender or next(senders, ""),
            message_id=message_id(name, period.kind, 0, self._plan.host),
            due_at=self._now,
            held=filling.FILLING,
            about=period.kind,
        )


def _oldest(held: Iterable[Held]) -> datetime | None:
    return min((each.since for each in held), default=None)
