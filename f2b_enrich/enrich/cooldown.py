"""Rests for a source that fails, so that it is not asked over and over."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.errors import ProviderError
from f2b_enrich.model import time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_REST = timedelta(seconds=1)
LONGEST_REST = timedelta(minutes=15)
LONGEST_WISH = timedelta(hours=1)
QUOTA_PROBE = timedelta(hours=1)
REMINDER = timedelta(hours=24)

log = structlog.get_logger()


class Rest(Enum):
    """How long a source rests after a failure."""

    SHORT = "doubling with each failure, up to 15 minutes"
    HOUR = "an hour, then one probe"
    DAY = "until the allowance of the next day, which begins at midnight UTC"
    FOR_GOOD = "until it is configured anew"


class SourceFault(ProviderError):  # noqa: N818 - what is at fault is not always an error
    """A failure that says how long its source should rest."""

    def __init__(
        self, message: str, *, rest: Rest, at_least: timedelta = timedelta()
    ) -> None:
        """Say what happened.

        Args:
            message: one line.
            rest: how long the source should rest.
            at_least: what the source asks for itself; a short rest is no shorter.
        """
        super().__init__(message, retryable=rest is not Rest.FOR_GOOD)
        self.rest = rest
        self.at_least = min(at_least, LONGEST_WISH)


@dataclass(frozen=True, slots=True)
class _Resting:
    reason: str
    since: datetime
    until: datetime | None

    def over(self, now: datetime) -> bool:
        return self.until is not None and _outside(now, self.since, self.until)


class Cooldown:
    """Lets requests through while a source works, and one probe after each rest."""

    def __init__(self, source: str, *, now: Callable[[], datetime]) -> None:
        self._source = source
        self._now = now
        self._resting: _Resting | None = None
        self._failures = 0
        self._rests = 0
        self._probing = False
        self._reminded_at: datetime | None = None

    @contextmanager
    def request(self) -> Iterator[None]:
        """Wrap one request; a SourceFault raised inside starts a rest.

        Any other ProviderError is an answer: the source works, and has none of use.

        Raises:
            ProviderError: the source rests, nothing was asked.
        """
        self._admit()
        rests, probe = self._rests, self._resting is not None
        self._probing = self._probing or probe
        try:
            yield
        except SourceFault as fault:
            # Requests that were under way together fail together: one failure.
            if rests == self._rests:
                self._rest(fault)
            raise
        except ProviderError:
            self._works(since=rests)
            raise
        else:
            self._works(since=rests)
        finally:
            if probe:
                self._probing = False

    def _admit(self) -> None:
        resting = self._resting
        if resting is None:
            return
        if resting.until is None:
            self._remind(resting)
            raise ProviderError(
                f"{resting.reason}; not asked again before a reload", retryable=False
            )
        if self._probing or not resting.over(self._now()):
            raise ProviderError(
                f"{resting.reason}; not asked again before {time_text(resting.until)}",
                retryable=True,
            )

    def _works(self, *, since: int) -> None:
        if since == self._rests:
            self._resting, self._failures = None, 0

    def _rest(self, fault: SourceFault) -> None:
        now = self._now()
        until = _end_of_rest(fault, self._failures, now)
        self._failures += 1
        self._rests += 1
        self._resting = _Resting(str(fault), now, until)
        if until is None:
            self._remind(self._resting)
        else:
            log.warning(
                "source rests",
                source=self._source,
                reason=str(fault),
                until=time_text(until),
            )

    def _remind(self, resting: _Resting) -> None:
        """Log that the source is given up, at most once in 24 hours."""
        now, last = self._now(), self._reminded_at
        if last is None or _outside(now, last, last + REMINDER):
            self._reminded_at = now
            log.error("source given up", source=self._source, reason=resting.reason)


def _outside(now: datetime, start: datetime, end: datetime) -> bool:
    # A clock set back must prolong nothing.
    return not start <= now < end


def _end_of_rest(fault: SourceFault, failures: int, now: datetime) -> datetime | None:
    match fault.rest:
        case Rest.FOR_GOOD:
            return None
        case Rest.HOUR:
            return now + QUOTA_PROBE
        case Rest.DAY:
            tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
            return datetime.combine(tomorrow, time(), UTC)
        case Rest.SHORT:
            doubled = min(FIRST_REST * (1 << min(failures, 10)), LONGEST_REST)
            return now + max(doubled, fault.at_least)
