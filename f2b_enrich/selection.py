"""Which bans a report is about: a value that the store and the report share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Bans from `since` to before `until`; of several names of a kind any will do.

    `attacks` are leading classes. `newest` is the last row that counts, so that all
    that is read of a store which grows is of one moment. A short time is that of few of
    all bans.
    """

    since: datetime
    until: datetime
    newest: int
    is_short: bool = False
    hosts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    jails: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One of `of` parts of all addresses, each with all of its subnet."""

    number: int
    of: int


WHOLE = Share(number=0, of=1)
