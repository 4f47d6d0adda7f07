"""Who is to get which digest now."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.alerts.brake import room
from f2b_enrich.errors import AddressError
from f2b_enrich.figures import Period
from f2b_enrich.mail.addresses import check_address, route
from f2b_enrich.model import start_of_day
from f2b_enrich.outbox import message_id
from f2b_enrich.store import bounces, digests, filling, outbox, sorting

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from datetime import datetime, tzinfo

    from f2b_enrich.alerts.brake import Limits
    from f2b_enrich.alerts.schedule import Schedule, Slot
    from f2b_enrich.config import Settings
    from f2b_enrich.figures import DigestKind
    from f2b_enrich.store.filling import Held, Unfilled

log = structlog.get_logger(__name__)

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
            try:
                chosen = check_address(settings.digest.recipient, settings.mail)
            except AddressError as exc:
                reason = str(exc)
                log.warning("digests go to whoever gets the alerts", reason=reason)
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
    """A digest to make now; with `mail` None there is nothing to tell.

    It was `last` decided on then whether the recipient gets one of the kind.
    """

    recipient: str
    period: Period
    mail: outbox.NewMail | None
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The digests to make now, and whether anything was held long after now.

    Such a time was noted before the clock was set back.
    """

    wanted: tuple[Wanted, ...]
    is_any_ahead: bool


def due(connection: sqlite3.Connection, *, plan: Plan, now: datetime) -> Due:
    """Find the digests that are due, at most one for each recipient."""
    waiting: dict[str, list[Held]] = {}
    is_any_ahead = False
    for held in filling.held(connection):
        is_any_ahead |= held.newest > now + sorting.AHEAD
        waiting.setdefault(plan.recipient or held.recipient, []).append(held)
    found = []
    for recipient in dict.fromkeys((*plan.admins, *waiting)):
        desk = _Recipient(connection, plan, recipient, waiting.get(recipient, []), now)
        for wanted in desk.wanted():
            found.append(wanted)
            if wanted.mail is not None:
                break
    return Due(wanted=tuple(found), is_any_ahead=is_any_ahead)


def begin(
    connection: sqlite3.Connection, *, wanted: Wanted, plan: Plan, now: datetime
) -> Unfilled | None:
    """Queue a digest, or note that there was nothing to tell.

    Since it was found to be wanted another may have been queued, and alerts let
    through: then it is for the next look.
    """
    desk = _Recipient(connection, plan, wanted.recipient, [], now)
    kind = wanted.period.kind
    if desk.last(kind) != wanted.last:
        return None
    if wanted.mail is None:
        filling.decided(connection, kind, wanted.recipient, now=now)
        return None
    if filling.is_another_unsent(connection, wanted.recipient):
        return None
    if not desk.may_get(kind):
        return None
    filling.decided(connection, kind, wanted.recipient, now=now)
    takes_all = plan.recipient is not None
    return filling.begin(
        connection, wanted.mail, wanted.period, takes_all=takes_all, now=now
    )


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
            if self._is_due(slot) and self.may_get(slot.period.kind):
                yield self._wanted(slot.period, tells=self._tells(slot))
        since = _oldest(each for each in self._held if each.by_brake)
        if since is None or since > self._now - self._plan.limits.window:
            return
        if self.may_get("flood"):
            until = self._now + timedelta(seconds=1)
            period = Period(kind="flood", since=since - SLACK, until=until)
            yield self._wanted(period, tells=True)

    def last(self, kind: DigestKind) -> datetime | None:
        """Tell when it was last decided whether he gets one of a kind.

        What was noted long after now was noted before the clock was set back.
        """
        last = filling.last(self._connection, kind, self._recipient)
        return None if last is not None and last > self._now + sorting.AHEAD else last

    def _is_due(self, slot: Slot) -> bool:
        """Tell whether it was not decided yet, and there was somebody to get it."""
        last = self.last(slot.period.kind)
        if last is not None and slot.at <= last:
            return False
        oldest = _oldest(self._held)
        if oldest is not None and oldest <= slot.at:
            return True
        return self._recipient in self._plan.admins

    def may_get(self, kind: DigestKind) -> bool:
        """Tell whether the brake leaves room for one."""
        if kind == BESIDE_THE_BRAKE:
            return True
        load = sorting.load(
            self._connection,
            self._recipient,
            window_at=self._now - self._plan.limits.window,
            midnight=start_of_day(self._now, self._plan.timezone),
            now=self._now,
        )
        return room(load, self._plan.limits) > 0

    def _tells(self, slot: Slot) -> bool:
        """Tell whether a digest would have anything to say."""
        if self.last(slot.period.kind) is None:
            # Nobody wants to hear of the day before the installation.
            oldest = _oldest(self._held)
            return oldest is not None and oldest <= slot.at
        return (
            bool(self._held)
            or filling.has_bans(self._connection, slot.period)
            or self._has_bounces(slot.period)
        )

    def _has_bounces(self, period: Period) -> bool:
        """Tell whether any mail of ours came back that no digest has told of."""
        since = digests.bounces_since(
            self._connection, self._recipient, period, now=self._now
        )
        found = bounces.by_recipient(self._connection, since=since, until=self._now)
        return bool(found)

    def _wanted(self, period: Period, *, tells: bool) -> Wanted:
        mail = self._mail(period) if tells else None
        return Wanted(
            recipient=self._recipient,
            period=period,
            mail=mail,
            last=self.last(period.kind),
        )

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
