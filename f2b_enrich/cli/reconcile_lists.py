"""What jails hold, beside the bans that stand in the store."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.address import read_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from f2b_enrich.health.held_bans import HeldBan, HeldList
    from f2b_enrich.store.in_force import StandingBan

Place: TypeAlias = tuple[str, str]
"""A jail, folded, and an address, as the store writes them."""

QUARTER = 15 * 60
"""Time zones are so many seconds apart, or a multiple."""

FARTHEST = 26 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLists:
    """The bans that jails hold, by their places.

    `unread` counts lines that could not be read, by jail. The times are `ahead` of
    those of the store by so many seconds, None where they do not agree.
    """

    bans: Mapping[Place, Sequence[HeldBan]]
    unread: Mapping[str, int]
    ahead: int | None = 0

    def at(self, place: Place) -> list[HeldBan]:
        """Give what is held there, by our own time; nothing where that is not known."""
        if self.ahead is None:
            return []
        return [ban.earlier(self.ahead) for ban in self.bans.get(place, ())]

    def may_hold(self, ban: StandingBan, *, whenever: bool) -> bool:
        """Tell whether a ban may be in place.

        One whose failure is not known may be any of its address, and so may all where
        it counts for them `whenever` that began.
        """
        place = ban.jail, ban.ip
        if self.unread.get(ban.jail):
            return True
        if whenever or not ban.is_exact or self.ahead is None:
            return place in self.bans
        return any(each.began(ban.at) for each in self.at(place))


def beside(
    lists: Mapping[str, HeldList],
    folded: Mapping[str, str],
    standing: Iterable[StandingBan],
) -> HeldLists:
    """Set lists, by the names that jails are `folded` into, beside what stands."""
    bans: dict[Place, list[HeldBan]] = defaultdict(list)
    unread: Counter[str] = Counter()
    for name, held in lists.items():
        jail = folded[name]
        unread[jail] += held.unread
        for ban in held.bans:
            bans[jail, read_address(ban.ip).text].append(ban)
    found = dict(bans)
    return HeldLists(bans=found, unread=unread, ahead=_ahead(found, standing))


def _ahead(
    held: Mapping[Place, Sequence[HeldBan]], standing: Iterable[StandingBan]
) -> int | None:
    """Tell by how much fail2ban's time is ahead of ours.

    It writes local times without a zone, and stays in the zone in which it started: the
    bans that we know tell which that is. Most of those that may tell have to agree, for
    an address may be banned anew a quarter of an hour later to the second.
    """
    found: Counter[int] = Counter()
    bans = 0
    for ban in standing:
        of_it = held.get((ban.jail, ban.ip), ()) if ban.is_exact else ()
        shifts = {
            shift
            for each in of_it
            for at in each.at
            if (shift := _shift(ban.at - at)) is not None
        }
        bans += bool(shifts)
        found.update(shifts)
    if not found:
        return 0
    # An hour that comes twice has two, of which ours is meant if that may be.
    shift, count = max(found.items(), key=lambda one: (one[1], one[0] == 0))
    return shift if count * 2 > bans else None


def _shift(behind: int) -> int | None:
    """Give the quarters of an hour between two times of one failure, None for two."""
    shift = -(behind // QUARTER) * QUARTER  # its fraction is cut off, ours rounded
    return shift if behind % QUARTER <= 1 and abs(shift) <= FARTHEST else None
