"""What `status` tells of alerts: sent, held, given up; brakes and digests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.alerts.brake import is_day_used_up, room
from f2b_enrich.alerts.schedule import Schedule
from f2b_enrich.cli import times
from f2b_enrich.inert import cut, printable
from f2b_enrich.mail.addresses import route
from f2b_enrich.mail.wording import counted
from f2b_enrich.model import start_of_day
from f2b_enrich.store import mail_figures, sorting

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from f2b_enrich.alerts.brake import Load
    from f2b_enrich.config import Settings
    from f2b_enrich.figures import DigestKind
    from f2b_enrich.store.floods import FloodRow
    from f2b_enrich.store.mail_figures import MailFigures

_LONGEST_REASON = 200
_WEEK = timedelta(days=6)
"""In which the name of a day says which day it is."""

_KINDS = {
    "alert": "alert",
    "digest": "digest",
    "flood": "flood mail",
    "report": "report",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """How near a recipient is to more mails than wanted; `flood` is one that goes on.

    `room` is how many alerts may go now, in a flood none; `day_is_over` that none may
    before midnight.
    """

    recipient: str
    load: Load
    room: int
    day_is_over: bool
    flood: FloodRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTimes:
    """When the next digest of a kind is due, and a server last took one."""

    kind: DigestKind
    next_at: datetime
    last_taken_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFacts:
    """What the store knows of mails; `figures` count those sent since midnight.

    `brakes` are those of all who got a mail today or are to, a flood's and the
    busiest first. All digests go to `digests_to`; None is to who gets the alerts.
    """

    figures: MailFigures
    digests_to: str | None
    per_day: int
    burst_minutes: int
    brakes: tuple[Brake, ...]
    digests: tuple[DigestTimes, ...]


def gather(
    connection: sqlite3.Connection,
    settings: Settings,
    *,
    now: datetime,
    zone: tzinfo | None,
) -> MailFacts:
    """Look at what waits and what left, by indexes alone."""
    midnight = start_of_day(now, zone)
    figures = mail_figures.mails(connection, since=midnight)
    limits = settings.alerts.limits()
    going_on = {row.recipient: row for row in mail_figures.floods_now(connection)}
    own = route(None, None, settings=settings.mail, host=settings.host_name)
    names = {
        *own.recipients,
        *going_on,
        *(each.recipient for each in figures.sent),
        *(each.recipient for each in figures.held),
    }
    brakes = []
    for name in names:
        load = sorting.load(
            connection,
            name,
            window_at=now - limits.window,
            midnight=midnight,
            now=now,
        )
        brake = Brake(
            recipient=name,
            load=load,
            room=0 if name in going_on else room(load, limits),
            day_is_over=is_day_used_up(load, limits),
            flood=going_on.get(name),
        )
        brakes.append(brake)
    return MailFacts(
        figures=figures,
        digests_to=_digests_to(settings),
        per_day=limits.per_day,
        burst_minutes=settings.alerts.burst_minutes,
        brakes=tuple(sorted(brakes, key=_by_weight)),
        digests=tuple(_digests(connection, settings, now, zone)),
    )


def _digests_to(settings: Settings) -> str | None:
    """Name who gets all digests; an address that is refused gets nothing."""
    if settings.digest.recipient is None:
        return None
    chosen = route(
        settings.digest.recipient, None, settings=settings.mail, host=settings.host_name
    )
    return next(iter(chosen.recipients), None)


def _by_weight(brake: Brake) -> tuple[bool, int, str]:
    return brake.flood is None, -brake.load.today, brake.recipient


def _digests(
    connection: sqlite3.Connection,
    settings: Settings,
    now: datetime,
    zone: tzinfo | None,
) -> Iterator[DigestTimes]:
    every = settings.digest.schedule()
    alone: dict[DigestKind, Schedule] = {
        "daily": Schedule(daily=every.daily),
        "hourly": Schedule(hourly=every.hourly),
        "weekly": Schedule(weekly=every.weekly),
    }
    for kind, schedule in alone.items():
        next_at = schedule.following(now, zone)
        if next_at is not None:
            last_at = mail_figures.last_digest_at(connection, kind)
            yield DigestTimes(kind=kind, next_at=next_at, last_taken_at=last_at)


def mail_lines(facts: MailFacts, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    """Say what left today, what waits and what was given up."""
    figures = facts.figures
    sent = {"alert": 0, **figures.sent_by_kind}
    words = (counted(mails, _KINDS.get(kind, kind)) for kind, mails in sent.items())
    text = f"today {', '.join(words)}; {_held(facts)}"
    text += f"; {figures.due:,} due, {figures.dead:,} dead"
    if figures.oldest_due_at is not None:
        text += f"; oldest due queued {times.ago(figures.oldest_due_at, now)}"
    if figures.last_taken_at is not None:
        last = times.shortly_after(figures.last_taken_at, now, zone)
        text += f"; last taken {last}"
    yield text
    dead = figures.newest_dead
    if dead is not None:
        reason = cut(printable(dead.last_error or "no reason kept"), _LONGEST_REASON)
        when = times.moment(dead.due_at, zone)
        yield (
            f"newest dead: {dead.id} to {dead.recipient}, {when}: {reason}; "
            f"f2b-enrich outbox retry {dead.id}"
        )


def _held(facts: MailFacts) -> str:
    """Count the bans for digests; without one address for all each has its own."""
    bans = counted(facts.figures.bans_held, "ban")
    if facts.digests_to is not None:
        return f"{bans} for the digest to {facts.digests_to}"
    recipients = len({each.recipient for each in facts.figures.held})
    if recipients > 1:
        return f"{bans} for the digests of {recipients:,} recipients"
    return f"{bans} for the digest"


def brake_lines(facts: MailFacts, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    """Say who gets no more mails for now, and when the next digest comes."""
    digests = "; ".join(_digest(each, now, zone) for each in facts.digests)
    digests = digests or "no digest is configured"
    if not facts.brakes:
        yield digests
        return
    first, *others = facts.brakes
    state = _state(first, facts, now, zone)
    if others:
        yield f"{first.recipient} {state}; {_others(others)}"
    elif first.flood is None:
        yield f"{state}; {digests}"
        return
    else:
        yield state
    yield digests


def _state(brake: Brake, facts: MailFacts, now: datetime, zone: tzinfo | None) -> str:
    today = f"{brake.load.today:,} of {facts.per_day:,} today"
    if brake.flood is not None:
        flood = brake.flood.flood
        since = times.stamp(flood.began_at, zone)
        since = since.removeprefix(f"{times.day(now, zone)} ")
        held = counted(flood.held, "ban")
        return f"flood since {since}, {held} held ({today})"
    if brake.day_is_over:
        return f"shut until midnight ({today})"
    if not brake.room:
        mails = counted(brake.load.in_window, "mail")
        return f"shut ({mails} in {counted(facts.burst_minutes, 'minute')}, {today})"
    return f"open ({today})"


def _others(brakes: list[Brake]) -> str:
    floods_ = sum(each.flood is not None for each in brakes)
    shut = sum(each.flood is None and not each.room for each in brakes)
    states = {"in a flood": floods_, "shut": shut}
    words = [f"{count:,} {state}" for state, count in states.items() if count]
    noun = counted(len(brakes), "other recipient")
    return f"{noun}: {', '.join(words)}" if words else f"{noun} open"


def _digest(digest: DigestTimes, now: datetime, zone: tzinfo | None) -> str:
    text = f"{digest.kind} digest next {_near(digest.next_at, now, zone)}"
    if digest.last_taken_at is None:
        return f"{text}, none taken yet"
    last = _near(digest.last_taken_at, now, zone, seconds=True)
    return f"{text}, last taken {last}"


def _near(
    when: datetime, now: datetime, zone: tzinfo | None, *, seconds: bool = False
) -> str:
    """Write a time by the name of its day, where that says which."""
    stamp = times.stamp(when, zone, seconds=seconds)
    if abs(when - now) >= _WEEK:
        return stamp
    _, _, clock = stamp.partition(" ")
    return f"{when.astimezone(zone):%a} {clock}"
