"""Bytes of a log as text, each decoded once: a log says the same again and again."""

from __future__ import annotations

from datetime import date

_MOST_KEPT = 100_000


class Texts(dict[bytes | None, str]):
    """Jails and addresses by their bytes."""

    def __missing__(self, written: bytes | None) -> str:
        """Decode what was not met lately; None stands for nothing."""
        if len(self) >= _MOST_KEPT:
            self.clear()
        text = self[written] = (written or b"").decode()
        return text


class Days(dict[bytes, date | None]):
    """Days by how they are written; None for what no calendar has."""

    def __missing__(self, written: bytes) -> date | None:
        """Read what was not met lately."""
        if len(self) >= _MOST_KEPT:
            self.clear()
        try:
            day = date.fromisoformat(written.decode())
        except ValueError:
            day = None
        self[written] = day
        return day
