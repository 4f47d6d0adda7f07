"""What a report is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A time, what of it, and how much of each kind is listed.

    Of several names of a kind any will do. `attacks` are leading classes; `networks`
    are AS numbers, written AS64500, and addresses or CIDR networks. `notes` are the
    administrator's words by service.
    """

    label: str
    since: datetime
    until: datetime
    before_since: datetime
    before_label: str
    zone: ZoneInfo
    top: int = 10
    hosts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    jails: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    without_jails: tuple[str, ...] = ()
    without_scanners: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)
