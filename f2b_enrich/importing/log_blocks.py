"""A stream cut into blocks of whole lines, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.importing.log_lines import LONGEST_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK = 64 * 1024
"""Bytes read at a time: what is made of more no longer fits the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole lines, each with its newline but a stream's last; their `end` in it."""

    data: bytes
    end: int


def blocks(
    read: Callable[[int], bytes], *, position: int = 0, size: int = BLOCK
) -> Iterator[Block]:
    """Cut what is read into whole lines; its first byte is the one at `position`.

    Of a line longer than any that is looked at only the beginning is kept, one byte
    more than is looked at, so that its reader sees what it is.
    """
    rest = b""
    while piece := read(size):
        newline = piece.find(b"\n")
        if newline < 0 and len(rest) > LONGEST_LINE:
            position += len(piece)  # the middle of an overlong line
            continue
        rest += piece
        end = rest.rfind(b"\n") + 1
        if end:
            yield Block(data=rest[:end], end=position + end)
            position += end
            rest = rest[end:]
        if len(rest) > LONGEST_LINE + 1:
            position += len(rest) - LONGEST_LINE - 1
            rest = rest[: LONGEST_LINE + 1]
    if rest:
        yield Block(data=rest, end=position + len(rest))
