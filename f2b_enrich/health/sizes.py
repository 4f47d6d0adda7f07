"""Bytes as people read them."""

from __future__ import annotations


def size_text(count: int) -> str:
    """Write bytes in the unit that leaves at most three digits before the point."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} TB"
