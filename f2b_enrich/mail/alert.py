"""What one alert is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta, tzinfo

    from f2b_enrich.attacks import Attack
    from f2b_enrich.figures import FoldedBan
    from f2b_enrich.model import (
        Ban,
        Campaign,
        Enrichment,
        History,
        LogLine,
        Relation,
        TriedName,
    )

NOT_LOOKED_UP = "not looked up"
"""Where a snapshot keeps the reason why nobody was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """All that one alert tells; `nth` counts this host's bans of the address.

    `span` is the time between the first and the last of its log lines. Of the
    `attacks` the leading one comes first; none, when the ban was not classed.
    `repeated` is the ban that this one repeats. The bans `also` told of have no mail of
    their own: other jails banned the same address at that time.

    `bantime_known` is false while fail2ban may still prolong the ban. `relation` is
    None for an address that is just anybody's.
    """

    ban: Ban
    enrichment: Enrichment | None
    lines: tuple[LogLine, ...]
    recipient: str
    sender: str
    message_id: str
    nth: int
    bantime_known: bool
    version: str
    timezone: tzinfo | None
    history: History | None = None
    names: tuple[TriedName, ...] = ()
    span: timedelta | None = None
    relation: Relation | None = None
    attacks: tuple[Attack, ...] = ()
    repeated: Ban | None = None
    campaigns: tuple[Campaign, ...] = ()
    also: tuple[FoldedBan, ...] = ()

    @property
    def is_lock_out(self) -> bool:
        """Whether the ban may keep out whom it was to protect.

        A proxy stands for all who come through it, a crawler for those who search.
        """
        return self.relation is not None
