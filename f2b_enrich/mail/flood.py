"""What the two mails about a flood are made of: that it began, that it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta, tzinfo

    from f2b_enrich.alerts.brake import Limits
    from f2b_enrich.figures import Rush


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """All that a notice tells; without `ended_at` it is the first of the two.

    The `rush` was counted over the time `counted_over`. Of a flood that has ended
    `held` bans were not mailed singly; `digests` of them have left, and `waiting` bans
    are for the next.
    """

    host: str
    recipient: str
    sender: str
    message_id: str
    version: str
    timezone: tzinfo | None
    limits: Limits
    rush: Rush
    counted_over: timedelta
    began_at: datetime
    ended_at: datetime | None = None
    held: int = 0
    digests: int = 0
    waiting: int = 0
