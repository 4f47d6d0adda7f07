"""Events as fail2ban's clients report them, short to write down."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from f2b_enrich.model import Event, EventKind

FAILED_AT = 1_700_000_000.25
HOST = "host.example.net"


def clock(seconds: float) -> datetime:
    """Give the client's clock so many seconds after the last failure."""
    return datetime.fromtimestamp(FAILED_AT + seconds, UTC)


_BAN = Event(
    kind=EventKind.BAN,
    jail="sshd",
    ip="192.0.2.7",
    failed_at=FAILED_AT,
    at=clock(1),
    bantime_seconds=600,
    failures=3,
    lines=("one", "two"),
)


def a_ban(**changes: Any) -> Event:
    """Give a ban of 192.0.2.7 in jail sshd, with changes."""
    return replace(_BAN, **changes)


def an_unban(*, at: datetime, **changes: Any) -> Event:
    """Give the unban that belongs to `a_ban` with the same changes."""
    bare: dict[str, Any] = {"bantime_seconds": None, "failures": 0, "lines": ()}
    return replace(_BAN, kind=EventKind.UNBAN, at=at, **(bare | changes))


def a_prolong(*, at: datetime, seconds: int, count: int = 2, **changes: Any) -> Event:
    """Give the longer ban time that belongs to `a_ban` with the same changes."""
    bare: dict[str, Any] = {"failures": 0, "lines": ()}
    longer: dict[str, Any] = {"bantime_seconds": seconds, "ban_count": count}
    return replace(_BAN, kind=EventKind.PROLONG, at=at, **(bare | longer | changes))
