"""Alerts whose time has come: which go out, which wait for a digest, which never do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.alerts import floods
from f2b_enrich.alerts.brake import Limits, Load, is_day_used_up, room
from f2b_enrich.alerts.policy import Choice, Policy, Subject
from f2b_enrich.model import OutboxState, start_of_day
from f2b_enrich.outbox import message_id
from f2b_enrich.store import floods as store_floods
from f2b_enrich.store import outbox, sorting

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from f2b_enrich.alerts.policy import Decision
    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.reads import Reads
    from f2b_enrich.store.floods import About, FloodRow
    from f2b_enrich.store.sorting import AlertedBan, Unsorted

log = structlog.get_logger(__name__)

AT_ONCE = 100
"""Alerts sorted in a transaction, some milliseconds in which no ban is taken."""

SHORTEST_WAIT = timedelta(seconds=1)
FLOOD = "flood"
"""The kind of the mails that tell of a flood's beginning and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What alerts are sorted by; `first_days` is None where no rule asks for it.

    `host` names the mails that say that a flood began or ended.
    """

    policy: Policy
    limits: Limits
    merge_seconds: int
    first_days: int | None
    timezone: tzinfo | None
    host: str

    @classmethod
    def configured(cls, settings: Settings, *, timezone: tzinfo | None) -> Rules:
        """Give those of a configuration."""
        alerts = settings.alerts
        policy = alerts.chosen()
        asks = any(rule.policy == "first" for rule in (*policy.rules, policy.otherwise))
        return cls(
            policy=policy,
            limits=alerts.limits(),
            merge_seconds=alerts.merge_seconds,
            first_days=alerts.first_days if asks else None,
            timezone=timezone,
            host=settings.host_name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """How many alerts were sorted, and whose flood began or ended."""

    count: int
    began: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


class Sorting:
    """Sort what is due, and judge the floods."""

    def __init__(
        self,
        rules: Rules,
        commits: Commits,
        reads: Reads,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._rules = rules
        self._commits = commits
        self._reads = reads
        self._now = now

    async def step(self) -> bool:
        """Sort some; tell whether there may be more."""
        now = self._now()
        if not await self._reads.run(partial(self._is_needed, now=now)):
            return False
        done = await self._commits.submit(partial(sort, rules=self._rules, now=now))
        for recipient in done.began:
            log.warning("flood of bans began, they wait for a digest", to=recipient)
        for recipient in done.ended:
            log.info("flood of bans ended", to=recipient)
        return done.count == AT_ONCE

    def _is_needed(self, connection: sqlite3.Connection, *, now: datetime) -> bool:
        since = now - self._rules.limits.window
        return (
            sorting.is_any_due(connection, now=now)
            or bool(store_floods.to_judge(connection, since=since, now=now))
            or outbox.is_any_ahead(connection, now=now)
        )


def sort(
    connection: sqlite3.Connection,
    *,
    rules: Rules,
    now: datetime,
    limit: int = AT_ONCE,
) -> Sorted:
    """Decide on the oldest alerts that are due, inside the caller's transaction."""
    if outbox.is_any_ahead(connection, now=now):
        outbox.bring_back(connection, now=now)
    batch = _Batch(connection, rules, now)
    batch.judge_floods()
    mails = sorting.unsorted(connection, now=now, limit=limit)
    for mail in mails:
        batch.place(mail)
    batch.note_floods()
    return Sorted(count=len(mails), began=tuple(batch.began), ended=tuple(batch.ended))


class _Batch:
    def __init__(
        self, connection: sqlite3.Connection, rules: Rules, now: datetime
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._now = now
        self._midnight = start_of_day(now, rules.timezone)
        self._time_of_day = now.astimezone(rules.timezone).time()
        self._loads: dict[str, Load] = {}
        self._held: Counter[str] = Counter()
        self._in_flood: dict[str, bool] = {}
        self._senders: dict[str, str] = {}
        self.began: list[str] = []
        self.ended: list[str] = []

    def place(self, mail: Unsorted) -> None:
        """Decide on one alert; who wants to hear of no ban hears of none."""
        ban = mail.ban
        if ban is None:  # whoever writes the mail will say so
            self._release(mail)
            return
        decision = self._rules.policy.decide(self._subject(mail, ban))
        if decision.choice is Choice.SKIP:
            sorting.skip(self._connection, mail.id, why=decision.reason)
        elif mail.late is not None:
            sorting.hold(self._connection, mail.id, why=mail.late)
        elif not (self._follows_repeated(mail, ban) or self._joins_sibling(mail, ban)):
            self._place_alone(mail, decision)

    def _follows_repeated(self, mail: Unsorted, ban: AlertedBan) -> bool:
        """Do with a repetition as was done with the ban that it repeats."""
        if ban.repeats is None:
            return False
        told = sorting.told(self._connection, ban.repeats, mail.recipient)
        if told is None or told.state in {OutboxState.DEAD, OutboxState.SKIPPED}:
            return False
        if told.state is OutboxState.DUE and not told.is_released:
            until = max(told.due_at, self._now + SHORTEST_WAIT)
            sorting.put_off(self._connection, mail.id, until=until)
        elif told.state is OutboxState.HELD or told.into_kind not in {None, "alert"}:
            # A digest that has left does not name it: it is for the next one.
            why = "repeats a ban that is in a digest"
            sorting.hold(self._connection, mail.id, why=why, about=told.about)
        else:
            into = told.id if told.folded_into is None else told.folded_into
            sorting.fold(self._connection, mail.id, into=into)
        return True

    def _joins_sibling(self, mail: Unsorted, ban: AlertedBan) -> bool:
        """Let the alert about the same address speak of a ban, or else a digest."""
        seconds = self._rules.merge_seconds
        if not seconds:
            return False
        found = sorting.sibling(self._connection, mail, ban, seconds=seconds)
        if found is None:
            return False
        if found.may_speak:
            sorting.fold(self._connection, mail.id, into=found.id)
        else:
            why = f"the address was mailed within {seconds} s, for another jail"
            sorting.hold(self._connection, mail.id, why=why)
        return True

    def _place_alone(self, mail: Unsorted, decision: Decision) -> None:
        if decision.choice is Choice.HOLD:
            sorting.hold(self._connection, mail.id, why=decision.reason)
        elif self._has_room(mail.recipient):
            self._release(mail)
        else:
            self._brake(mail)

    def _has_room(self, recipient: str) -> bool:
        """Tell whether one more may go; in a flood none does until it is over."""
        if recipient in self._held:
            return False
        if recipient not in self._in_flood:
            row = store_floods.ongoing(self._connection, recipient)
            self._in_flood[recipient] = row is not None
        if self._in_flood[recipient]:
            return False
        return room(self._load(recipient), self._rules.limits) > 0

    def _subject(self, mail: Unsorted, ban: AlertedBan) -> Subject:
        days = self._rules.first_days
        is_asked = days is not None and mail.late is None
        return Subject(
            jail=ban.jail,
            service=ban.service,
            ip=ban.ip,
            country_code=ban.country_code,
            ban_count=ban.ban_count,
            is_first=not is_asked
            or sorting.is_first(self._connection, ban, days=days or 0),
            at=self._time_of_day,
        )

    def _release(self, mail: Unsorted) -> None:
        sorting.release(self._connection, mail.id, now=self._now)
        self._add_to_load(mail.recipient)

    def _brake(self, mail: Unsorted) -> None:
        limits = self._rules.limits
        why = f"{limits.burst} mails in {limits.window.total_seconds() / 60:g} minutes"
        if is_day_used_up(self._load(mail.recipient), limits):
            why = f"{limits.per_day} mails a day"
        why = f"brake: {why}"
        sorting.hold(self._connection, mail.id, why=why, about=sorting.BRAKE)
        self._held[mail.recipient] += 1
        self._senders.setdefault(mail.recipient, mail.sender)

    def _load(self, recipient: str) -> Load:
        if recipient not in self._loads:
            self._loads[recipient] = sorting.load(
                self._connection,
                recipient,
                window_at=self._now - self._rules.limits.window,
                midnight=self._midnight,
                now=self._now,
            )
        return self._loads[recipient]

    def _add_to_load(self, recipient: str) -> None:
        load = self._load(recipient)
        self._loads[recipient] = replace(
            load, in_window=load.in_window + 1, today=load.today + 1
        )

    def judge_floods(self) -> None:
        """End the floods of which a whole window brought nothing."""
        since = self._now - self._rules.limits.window
        judged = store_floods.to_judge(self._connection, since=since, now=self._now)
        for row in judged:
            load = self._load(row.recipient)
            if floods.is_over(row.flood, load, self._rules.limits, now=self._now):
                store_floods.end(self._connection, row.id, now=self._now)
                self.ended.append(row.recipient)
                if row.began_mail is not None and floods.may_tell(
                    load, self._rules.limits
                ):
                    self._tell(row, "ended")
            else:
                further = floods.go_on(row.flood, now=self._now)
                store_floods.save(self._connection, row.id, further)

    def note_floods(self) -> None:
        """Count what the brake held, as a flood that goes on or begins."""
        for recipient, held in self._held.items():
            row = store_floods.ongoing(self._connection, recipient)
            if row is not None:
                grown = floods.grow(row.flood, held=held)
                store_floods.save(self._connection, row.id, grown)
                continue
            flood = floods.begin(held=held, now=self._now)
            sender = self._senders[recipient]
            row = store_floods.begin(self._connection, recipient, sender, flood)
            self.began.append(recipient)
            if floods.may_tell(self._load(recipient), self._rules.limits):
                self._tell(row, "began")

    def _tell(self, row: FloodRow, about: About) -> None:
        """Queue the mail that tells of a flood's beginning or end."""
        name = f"{row.flood.began_at:%Y%m%dT%H%M%SZ}-{row.id}"
        mail = outbox.NewMail(
            kind=FLOOD,
            ban_id=None,
            recipient=row.recipient,
            sender=row.sender,
            message_id=message_id(name, f"{FLOOD}-{about}", 0, self._rules.host),
            due_at=self._now,
            about=about,
        )
        row_id = outbox.add(self._connection, mail, now=self._now)
        store_floods.told(self._connection, row.id, about=about, mail=row_id)
        self._add_to_load(row.recipient)
