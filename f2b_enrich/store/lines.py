"""How much of a ban's log lines is kept."""

from __future__ import annotations

MAX_BYTES = 64 * 1024
"""What the lines of one ban may take, UTF-8 encoded."""

MAX_LINES = 4096
"""Empty lines take no bytes, but each is a row."""

MAX_LINE = 8 * 1024
_MOST_BYTES = 4
"""What one character can take in UTF-8."""


def kept(lines: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Choose the lines to store: all if they fit, else from both ends inwards.

    The beginning shows how an attack came, the end what led to the ban. A line over
    8 KiB is cut and says so. Each comes with its position, which stays that in the
    whole, so that a gap shows.
    """
    if len(lines) <= MAX_LINES and sum(map(len, lines)) <= MAX_LINE // _MOST_BYTES:
        return tuple(enumerate(lines))
    first: list[tuple[int, str]] = []
    last: list[tuple[int, str]] = []
    room, from_end = MAX_BYTES, True
    for _ in range(min(len(lines), MAX_LINES)):
        position = len(lines) - 1 - len(last) if from_end else len(first)
        line = _shorten(lines[position])
        room -= len(line.encode())
        if room < 0:
            break
        end = last if from_end else first
        end.append((position, line))
        from_end = not from_end
    return (*first, *reversed(last))


def _shorten(line: str) -> str:
    encoded = line.encode()
    if len(encoded) <= MAX_LINE:
        return line
    mark = f"\u2026 [{len(encoded)} bytes in all]"
    return encoded[: MAX_LINE - 64].decode("utf-8", "ignore") + mark
