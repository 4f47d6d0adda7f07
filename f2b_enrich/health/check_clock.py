"""Whether the clock is kept right, as the kernel was told."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from f2b_enrich.health.links import ok, unknown, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.health.links import Link

_UNSYNCHRONISED = 0x40
"""STA_UNSYNC of adjtimex(2)."""

_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """The start of `struct timex`, which is asked for and never set (modes = 0)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def is_synchronised() -> bool | None:
    """Ask the kernel whether anything keeps its clock right; None if it cannot tell."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    answer = _Timex()
    state = adjtimex(ctypes.byref(answer))
    if state < 0:
        return None
    return state != _TIME_ERROR and not answer.status & _UNSYNCHRONISED


def links(*, synchronised: bool | None) -> Iterator[Link]:
    """Say how the clock is; the times of bans, and with them their ids, are of it."""
    if synchronised is None:
        yield unknown("clock", "the kernel does not say whether it is synchronised")
    elif synchronised:
        yield ok("clock", "synchronised")
    else:
        yield warn(
            "clock",
            "not synchronised: the times of bans may be wrong",
            "timedatectl set-ntp true, or install chrony; a chrony that runs tells the "
            "kernel with rtcsync only; a container has its host's clock: look there",
        )
