"""A clock that stands still until it is told to move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Passed in wherever the program asks for the time."""

    def __init__(self, start: str = "2026-11-21T12:00:00Z") -> None:
        self.time = datetime.fromisoformat(start).astimezone(UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **span: float) -> None:
        """Move by hours=, minutes=, seconds=; back when negative."""
        self.time += timedelta(**span)
