"""Spans of time as people read them."""

from __future__ import annotations

from f2b_enrich.model import FOR_EVER

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def span(seconds: int | None) -> str:
    """Write a span in its two largest units, `1 d 4 h`; a ban's may have no end.

    What is not known is empty.
    """
    if seconds is None:
        return ""
    if seconds == FOR_EVER:
        return "for ever"
    parts = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count:,} {unit}")
    return " ".join(parts[:2]) or "0 s"
