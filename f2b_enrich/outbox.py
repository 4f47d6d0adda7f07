"""When a mail is tried again, when it is given up, and what names it for ever."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.model import OutboxState

if TYPE_CHECKING:
    from datetime import datetime

    from f2b_enrich.errors import DeliveryError
    from f2b_enrich.model import OutboxRow

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=6)
LIFETIME = timedelta(days=5)
"""How long mail servers keep trying (RFC 5321, 4.5.4.1), and so do we."""

MAX_ERROR = 500
_MAX_DOUBLINGS = 10
_NOT_ATEXT = re.compile(r"[^A-Za-z0-9_-]+")
_MAX_HOST = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a mail that was not taken."""

    state: OutboxState
    due_at: datetime
    last_error: str


def next_attempt(attempts: int, *, now: datetime, jitter: float) -> datetime:
    """Double the wait with each attempt, 30 s to 6 h; jitter is in [0, 1).

    `attempts` counts those made, the one that just failed included. Jitter takes away
    up to half, so that mails that failed together do not all come back together.
    """
    doublings = min(max(attempts - 1, 0), _MAX_DOUBLINGS)
    wait = min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
    return now + wait * (0.5 + jitter / 2)


def gives_up(created_at: datetime, *, now: datetime) -> bool:
    """Tell whether a mail has been tried for as long as it may be."""
    return now - created_at >= LIFETIME


def after_failure(
    row: OutboxRow, error: DeliveryError, *, now: datetime, jitter: float
) -> Verdict:
    """Decide what follows an attempt that failed; `row.attempts` counts it.

    The last attempt falls on the very end of the mail's lifetime.
    """
    words = inert.cut(inert.printable(str(error)), MAX_ERROR)
    if error.permanent:
        return Verdict(state=OutboxState.DEAD, due_at=now, last_error=words)
    if gives_up(row.created_at, now=now):
        given_up = inert.cut(f"given up after {LIFETIME.days} days: {words}", MAX_ERROR)
        return Verdict(state=OutboxState.DEAD, due_at=now, last_error=given_up)
    due_at = next_attempt(row.attempts, now=now, jitter=jitter)
    due_at = min(due_at, row.created_at + LIFETIME)
    return Verdict(state=OutboxState.DUE, due_at=due_at, last_error=words)


def message_id(ban_id: str, kind: str, number: int, host: str) -> str:
    """Name a mail the same way at every attempt, so that a reader sees it once."""
    left = f"{_atom(kind, 32)}.{number}.{_atom(ban_id, 64)}"
    return f"<{left}@{_id_host(host)}>"


def _atom(text: str, limit: int) -> str:
    return _NOT_ATEXT.sub("-", text).strip("-")[:limit] or "none"


@lru_cache(maxsize=16)
def _id_host(host: str) -> str:
    """Give the host as a dot-atom; what IDNA cannot carry becomes hyphens."""
    try:
        host = host.strip().encode("idna").decode("ascii")
    except UnicodeError:
        host = host.strip()
    labels = [_NOT_ATEXT.sub("-", label).strip("-") for label in host.split(".")]
    return ".".join(filter(None, labels))[:_MAX_HOST].strip("-.") or "localhost"
