"""All records of one host and address made the bans that they tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.joining.course import courses
from f2b_enrich.joining.letters import add_letters
from f2b_enrich.joining.sightings import Decision, Joined, Sighting, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

_OF_THE_LOG = ("failure", "logged")


def join(sightings: Iterable[Sighting]) -> Decision:
    """Decide which records of one host and address are one ban.

    It depends on what the records say alone: not on their order, nor on how often each
    comes. Those with the time of a failure are one ban exactly if jail and time agree;
    a less exact one joins the ban of its jail that ran at its time, or begins one.
    """
    told = set(sightings)
    if len(told) == 1:
        return _alone(*told)
    of_jails: dict[str | None, list[Sighting]] = {}
    letters: list[Sighting] = []
    for sighting in told:
        if sighting.precision in _OF_THE_LOG:
            of_jails.setdefault(sighting.jail, []).append(sighting)
        else:
            letters.append(sighting)
    bans, loose = [], []
    for of_jail in of_jails.values():
        begun, left = courses(of_jail)
        bans += begun
        loose += left
    if letters:
        add_letters(bans, letters)
    return _decision([ban.joined() for ban in bans], loose)


def copies_in(told: AbstractSet[Sighting]) -> dict[Sighting, Sighting]:
    """Find what fail2ban's database tells just as it was reported live.

    That is almost all of it on a running server, and needs to be kept once only.
    """
    copies = {
        each: each._replace(origin="live")
        for each in told
        if each.origin == "fail2ban-db"
    }
    return {copy: live for copy, live in copies.items() if live in told}


def _alone(sighting: Sighting) -> Decision:
    if sighting.kind in ("unban", "prolong"):
        return Decision(bans=(), loose=(sighting,))
    ban = Joined(
        jail=sighting.jail,
        at=sighting.at,
        precision=sighting.precision,
        ends_at=sighting.ends_at,
        unbanned_at=None,
        sightings=(sighting,),
    )
    return Decision(bans=(ban,), loose=())


def _decision(bans: list[Joined], loose: list[Sighting]) -> Decision:
    return Decision(
        bans=tuple(sorted(bans, key=lambda ban: in_order(ban.best))),
        loose=tuple(sorted(loose, key=in_order)),
    )
