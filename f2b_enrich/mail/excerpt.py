"""The log lines that a mail has room for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from f2b_enrich.mail import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.model import LogLine

EDGE = 20
"""How many lines are shown from the beginning, and from the end."""

WIDTH = 200
"""Where a line, like every other value in a mail, is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    """A log line as it is shown, for all of its `times` in a row.

    `left_out` counts what is missing before it.
    """

    text: str
    left_out: str
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The log lines shown; `left_out` counts those missing after the last."""

    shown: tuple[ShownLine, ...]
    total: int
    is_head_and_tail: bool
    is_cut: bool
    left_out: str
    edge: int = EDGE
    width: int = WIDTH

    @property
    def is_all(self) -> bool:
        """Whether no line of those handed over is missing."""
        return self.lines == self.total

    @property
    def lines(self) -> int:
        """How many lines those shown stand for."""
        return sum(line.times for line in self.shown)


def excerpt(lines: Sequence[LogLine], *, handed_over: int) -> Log:
    """Choose the first and last lines; name what is missing between and after them."""
    ordered = sorted(lines, key=lambda line: line.position)
    chosen = ordered
    if len(ordered) > 2 * EDGE:
        chosen = ordered[:EDGE] + ordered[-EDGE:]
    total = max(handed_over, len(ordered))
    positions = [line.position for line in chosen]
    edges = [*range(EDGE), *range(total - EDGE, total)]
    missing = total - positions[-1] - 1 if positions else 0
    return Log(
        shown=_folded(_shown(chosen)),
        total=total,
        is_head_and_tail=positions == edges,
        is_cut=any(len(line.line) > WIDTH for line in chosen),
        left_out=wording.counted(missing, "line") if missing > 0 else "",
    )


def _shown(lines: Sequence[LogLine]) -> Iterator[ShownLine]:
    expected = 0
    for line in lines:
        missing = line.position - expected
        left_out = wording.counted(missing, "line") if missing > 0 else ""
        yield ShownLine(text=line.line.rstrip(), left_out=left_out)
        expected = line.position + 1


def _folded(lines: Iterator[ShownLine]) -> tuple[ShownLine, ...]:
    """Put lines that follow each other and are the same into one."""
    folded: list[ShownLine] = []
    for line in lines:
        if folded and not line.left_out and line.text == folded[-1].text:
            folded[-1] = replace(folded[-1], times=folded[-1].times + 1)
        else:
            folded.append(line)
    return tuple(folded)
