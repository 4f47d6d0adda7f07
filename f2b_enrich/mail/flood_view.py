"""From a flood to words: what the templates of the two notices have to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.mail import period_wording, wording
from f2b_enrich.mail.digest_lists import addresses, network
from f2b_enrich.mail.subject import first_label, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.mail.flood import Flood


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodView:
    """The words of one notice; a field that is empty has nothing to show.

    The names are those that templates use, an administrator's own among them.
    """

    subject: str
    host: str
    has_ended: bool
    rate: str
    counted: str
    began: str
    ended: str
    lasted: str
    networks: tuple[str, ...]
    jails: tuple[str, ...]
    held: str
    listed: tuple[str, ...]
    burst: str
    burst_minutes: str
    per_day: str
    since: str
    until: str
    version: str


def view(flood: Flood) -> FloodView:
    """Put all that a notice tells into words."""
    limits, count, ended = flood.limits, flood.rush.count, flood.ended_at
    over = wording.span(_seconds(flood))
    bans = f"{wording.counted(count.bans, 'ban')} of {addresses(count.addresses)}"
    return FloodView(
        subject=subject(flood),
        host=flood.host,
        has_ended=ended is not None,
        rate=_rate(flood),
        counted=f"{bans} within {over}",
        began=wording.moment(flood.began_at, flood.timezone),
        ended="" if ended is None else wording.moment(ended, flood.timezone),
        lasted=_lasted(flood),
        networks=tuple(_networks(flood)),
        jails=tuple(f"{jail.name} {jail.count:,}" for jail in flood.rush.jails),
        held=wording.counted(flood.held, "ban"),
        listed=tuple(_listed(flood)),
        burst=f"{limits.burst}",
        burst_minutes=f"{int(limits.window.total_seconds()) // 60}",
        per_day=f"{limits.per_day}",
        since=period_wording.option(flood.began_at, flood.timezone),
        until="" if ended is None else period_wording.option(ended, flood.timezone),
        version=flood.version,
    )


def subject(flood: Flood) -> str:
    """Say it in one line: what has changed, where, how many."""
    host = short(first_label(flood.host), "host")
    if flood.ended_at is None:
        text = f"[fail2ban] flood began: {_rate(flood)} on {host}"
        if flood.rush.networks:
            first = flood.rush.networks[0]
            text += f", from {short(network(first.asn, first.as_name), 'network')}"
        return " ".join(text.split())
    held = wording.counted(flood.held, "ban")
    return f"[fail2ban] flood ended: {held} on {host} in {_lasted(flood)}"


def _seconds(flood: Flood) -> int:
    return max(int(flood.counted_over.total_seconds()), 1)


def per_minute(flood: Flood) -> int:
    """Tell how many bans a minute; a part of one rounded up, for there was one."""
    return -(-flood.rush.count.bans * 60 // _seconds(flood))


def _rate(flood: Flood) -> str:
    return f"{wording.counted(per_minute(flood), 'ban')} a minute"


def _lasted(flood: Flood) -> str:
    if flood.ended_at is None:
        return ""
    return wording.span(int((flood.ended_at - flood.began_at).total_seconds()))


def _networks(flood: Flood) -> Iterator[str]:
    for each in flood.rush.networks:
        of = addresses(each.addresses)
        bans = wording.counted(each.bans, "ban")
        yield f"{network(each.asn, each.as_name)}: {bans} of {of}"
    if flood.rush.unplaced:
        yield f"no known network: {wording.counted(flood.rush.unplaced, 'ban')}"


def _listed(flood: Flood) -> Iterator[str]:
    if flood.digests:
        has = "has" if flood.digests == 1 else "have"
        yield f"{wording.counted(flood.digests, 'digest')} {has} been sent"
    if flood.waiting:
        will = wording.counted(flood.waiting, "ban")
        yield f"{will} will be in the next one"
