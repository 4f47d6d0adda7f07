"""Portions that wait to be written, and how far their files were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.intake.packing import unpacked
from f2b_enrich.store.intake import Brought

if TYPE_CHECKING:
    from typing import TypeAlias

    from f2b_enrich.intake.packing import Key
    from f2b_enrich.intake.portions import Portion, Step
    from f2b_enrich.joining.plain_lines import PlainLine

    Records: TypeAlias = list[Brought | PlainLine]
    Item: TypeAlias = tuple[Key, Records]

FEWEST_GATHERED = 100_000
MOST_GATHERED = 400_000
MOST_GATHERED_CHARACTERS = 64 * 1024 * 1024
"""Records, and characters of their log lines, gathered before any is written: what is
known of an address is read once for all of them, and a log of years has the same
addresses again and again. The more was written, the more are gathered."""

MOST_STEPS = 1000
"""Places that wait."""


class Gathered:
    """Portions that wait, by parts: a part is written for all of them at once.

    While one part is written the next portion is read, so that neither waits long for
    the other. A place can be noted when every part of the portions up to it is written.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.size = 0
        self._characters = 0
        self._given = 0
        self._number = 0
        self._parts: dict[int, list[bytes]] = {}
        self._oldest: dict[int, int] = {}
        self._steps: list[tuple[int, Step]] = []

    @property
    def is_full(self) -> bool:
        """Tell whether a part is to be written before more is gathered."""
        gathered = min(max(FEWEST_GATHERED, self._given // 2), MOST_GATHERED)
        return (
            self.size >= gathered
            or self._characters >= MOST_GATHERED_CHARACTERS
            or len(self._steps) >= MOST_STEPS
        )

    def add(self, portion: Portion) -> None:
        """Keep a packed portion."""
        self._number += 1
        for part, content in portion.parts.items():
            self._parts.setdefault(part, []).append(content)
            self._oldest.setdefault(part, self._number)
        self._steps += ((self._number, step) for step in portion.steps)
        self.size += portion.size
        self._characters += portion.characters

    def next_part(self) -> list[Item]:
        """Give away the part that waits longest, unpacked."""
        part = min(self._oldest, key=self._oldest.__getitem__)
        del self._oldest[part]
        brought = unpacked(self._parts.pop(part))
        given = sum(map(len, brought.values()))
        self.size -= given
        self._given += given
        self._characters -= sum(
            len(line)
            for records in brought.values()
            for record in records
            if isinstance(record, Brought)
            for line in record.lines
        )
        # All that is known of an address is read for all its hosts at once.
        return sorted(brought.items(), key=_address)

    def steps(self) -> list[Step]:
        """Give away the places up to which all is given away."""
        first = min(self._oldest.values(), default=self._number + 1)
        done = [step for number, step in self._steps if number < first]
        del self._steps[: len(done)]
        return done


def _address(item: Item) -> str:
    (_, ip), _ = item
    return ip
