"""An address's history in the words of a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.address import read_address
from f2b_enrich.mail import wording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from f2b_enrich.model import History, Neighbours, Tally

_MOST = 5
"""How many jails or hosts are named."""


def records(past: History, zone: tzinfo | None) -> str:
    """Say how far back the records go, and what of them was not seen live."""
    text = f"own records since {wording.day(past.records_since, zone)}"
    if past.imported:
        text += f"; {past.imported:,} of the {past.nth:,} imported"
    return text


def lines(past: History, zone: tzinfo | None) -> Iterator[tuple[str, ...]]:
    """Give each line in pieces, between which it may be broken."""
    yield tuple(_here(past, zone))
    if past.neighbours is not None:
        yield tuple(_around(past.neighbours))
    if past.other_hosts:
        yield tuple(_elsewhere(past.other_hosts, zone))


def _here(past: History, zone: tzinfo | None) -> Iterator[str]:
    if not past.jails:
        yield "no ban here" + (f" but {_repeats(past)}" if past.repeats else "")
        return
    parts = [list(_jails(past.jails))]
    if past.previous_at is not None:
        parts.append(list(_times(past.first_at, past.previous_at, zone)))
    if past.repeats:
        parts.append([_repeats(past)])
    yield f"{wording.counted(past.nth, 'ban')} here:"
    for part in parts[:-1]:
        yield from _ended(part)
    yield from parts[-1]


def _jails(jails: tuple[Tally, ...]) -> Iterator[str]:
    if len(jails) == 1:
        yield jails[0].name  # its count is the one before it
        return
    named = [f"{jail.name} {jail.bans:,}" for jail in jails[:_MOST]]
    more = len(jails) - _MOST
    if more > 0:
        named.append(wording.counted(more, "more jail"))
    yield from _listed(named)


def _repeats(past: History) -> str:
    if past.repeats == 1:
        return "1 repeat by a jail that watches fail2ban"
    return f"{past.repeats:,} repeats by jails that watch fail2ban"


def _times(first: datetime, previous: datetime, zone: tzinfo | None) -> Iterator[str]:
    if first != previous:
        yield f"first {wording.minute(first, zone)},"
    yield f"previous {wording.minute(previous, zone)}"


def _around(near: Neighbours) -> Iterator[str]:
    yield f"{near.subnet}, last {near.days} days:"
    if not near.addresses:
        yield "too many to count" if near.at_least else "no other address"
        return
    least = "at least " if near.at_least else ""
    addresses = f"{least}{near.addresses:,} other address"
    yield f"{addresses}{'' if near.addresses == 1 else 'es'},"
    most = [f"{ending(one, near.subnet)} {one.bans:,}" for one in near.most]
    if near.at_least or near.addresses > len(near.most):
        most.append("...")
    yield f"{least}{wording.counted(near.bans, 'ban')} ({', '.join(most)})"


def ending(one: Tally, subnet: str) -> str:
    """Shorten 192.0.2.9 to .9, and leave what is longer as it is."""
    if read_address(one.name).version == 4:
        return one.name.removeprefix(subnet.removesuffix(".0/24"))
    return one.name


def _elsewhere(hosts: tuple[Tally, ...], zone: tzinfo | None) -> Iterator[str]:
    yield "other hosts:"
    named = [
        f"{host.name} {wording.counted(host.bans, 'ban')}" for host in hosts[:_MOST]
    ]
    more = len(hosts) - _MOST
    if more > 0:
        named.append(wording.counted(more, "more host"))
    yield from _ended(list(_listed(named)))
    first = min(host.first_at for host in hosts)
    yield f"first there {wording.day(first, zone)}"


def _listed(parts: list[str]) -> Iterator[str]:
    yield from (f"{part}," for part in parts[:-1])
    yield parts[-1]


def _ended(pieces: list[str]) -> Iterator[str]:
    yield from (*pieces[:-1], f"{pieces[-1]};")
