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


class Seconds:
    """Seconds that pass only as a test lets them: by a `step` whenever one looks."""

    def __init__(self, *, step: float = 0.0) -> None:
        self.step = step
        self.at = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        self.at += self.step
        return self.at

    def pause(self, seconds: float) -> None:
        """Wait, and note it."""
        self.pauses.append(seconds)
        self.at += seconds
