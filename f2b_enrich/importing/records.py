"""What an old record says, whichever kind of file it stood in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from datetime import datetime

Kind: TypeAlias = Literal["ban", "unban", "prolong"]

Origin: TypeAlias = Literal["log", "db", "mail"]

TimeSource: TypeAlias = Literal["ban", "line", "mail"]
"""What `at` is the time of: of the ban, as fail2ban.log writes it; of the log line
that led to it, as fail2ban's database keeps it; of the mail."""


class UnreadableError(F2bEnrichError):
    """A file of old records that cannot be read, or not to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One thing that fail2ban did, as an old record tells it; None is not told.

    `at` and `ends_at` are UTC. `ip` and `jail` are as they stand there, without NUL
    or surrogates. `host` is None unless the record itself names one. fail2ban.log
    rounds `bantime_seconds` (to 10 s from an hour on, to a day from a year on), so
    where `ends_at` is known it is the better one. `is_restored` says that the ban may
    have begun earlier: fail2ban put it in place again, after a restart or when an
    action had failed.
    """

    kind: Kind
    ip: str
    jail: str | None
    at: datetime | None
    time_source: TimeSource
    origin: Origin
    host: str | None = None
    failures: int | None = None
    bantime_seconds: int | None = None
    ban_count: int | None = None
    ends_at: datetime | None = None
    is_restored: bool = False
    lines: tuple[bytes, ...] = ()
    message_id: str | None = None
