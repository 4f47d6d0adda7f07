"""One figure and what it should be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A measured value, as text, and whether it is what was wanted."""

    what: str
    reached: str
    wanted: str
    holds: bool

    def line(self) -> str:
        """Write the row of the table."""
        verdict = "yes" if self.holds else "**no**"
        return f"| {self.what} | {self.reached} | {self.wanted} | {verdict} |"
