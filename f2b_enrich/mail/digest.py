"""What one digest is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta, tzinfo

    from f2b_enrich.figures import FoldedBan, Period, PeriodFigures
    from f2b_enrich.model import Campaign, Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOut:
    """A ban that may keep out whom it was to protect."""

    ban: FoldedBan
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A server that answered 200 to an address that asked for known holes."""

    host: str
    jail: str
    ip: str
    cves: tuple[str, ...]
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What another part found that somebody should look at, and what to type then.

    `words` are pieces between which the sentence may be broken.
    """

    host: str
    words: tuple[str, ...]
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """All that one digest tells; `bans` are those it speaks of instead of alerts.

    `host` is the one that sends it. A ban that was told of `late_after` its time or
    more is a late one. So many more bans are `spooled` on that host.
    """

    host: str
    recipient: str
    sender: str
    message_id: str
    version: str
    timezone: tzinfo | None
    period: Period
    figures: PeriodFigures
    bans: tuple[FoldedBan, ...]
    late_after: timedelta
    campaigns: tuple[Campaign, ...] = ()
    lock_outs: tuple[LockOut, ...] = ()
    answered: tuple[Answered, ...] = ()
    notes: tuple[Note, ...] = ()
    spooled: int = 0
