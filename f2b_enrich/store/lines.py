"""How much of a ban's log lines is kept."""

from __future__ import annotations

from f2b_enrich.model import LogLine

MAX_BYTES = 64 * 1024
"""What the lines of one ban may take, UTF-8 encoded."""

MAX_LINE = 8 * 1024
_MOST_BYTES = 4
"""What one character can take in UTF-8."""


def kept(lines: tuple[str, ...]) -> tuple[LogLine, ...]:
    """Choose the lines to store: all if they fit, else from both ends inwards.

    The beginning shows how an attack came, the end what led to the ban. A line over
    8 KiB is cut and says so. Positions stay those of the whole, so that a gap shows.
    """
    if sum(map(len, lines)) <= MAX_LINE // _MOST_BYTES:
        return tuple(LogLine(position=i, line=line) for i, line in enumerate(lines))
    cut = [LogLine(position=i, line=_shorten(line)) for i, line in enumerate(lines)]
    if sum(_size(line) for line in cut) <= MAX_BYTES:
        return tuple(cut)
    head, tail, room = 0, len(cut), MAX_BYTES
    from_end = True
    while head < tail:
        line = cut[tail - 1] if from_end else cut[head]
        room -= _size(line)
        if room < 0:
            break
        head, tail = (head, tail - 1) if from_end else (head + 1, tail)
        from_end = not from_end
    return tuple(cut[:head] + cut[tail:])


def _size(line: LogLine) -> int:
    return len(line.line.encode())


def _shorten(line: str) -> str:
    encoded = line.encode()
    if len(encoded) <= MAX_LINE:
        return line
    mark = f"\u2026 [{len(encoded)} bytes in all]"
    return encoded[: MAX_LINE - 64].decode("utf-8", "ignore") + mark
