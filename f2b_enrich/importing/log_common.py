"""The common lines of a log, taken out of a block many at a time."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from itertools import compress, product
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from datetime import timedelta

HOUR = slice(13)
"""Where a time names its hour."""

THOUSANDTHS = slice(20, 23)
"""Where it has those of a second."""

_CLOCK_OF_HOUR = slice(13, 19)
_STAMP = slice(23)
_MOST_BACK = 64
"""Lines looked at from a block's end to find a common one."""

# Nearly every line of a fail2ban.log since 2007 is one of these: a subset of what
# `read_line` reads, with the same result. No part of them matches what the next one
# begins with, so nothing is tried twice.
_CLOCK = rb":[0-5]\d:[0-5]\d"
_WRITER = rb" fail2ban\.[a-z]{1,16}+ {0,16}+(?:\[\d{1,10}+\])?: [A-Z]{3,8}+ {1,4}+\["
_JAIL = rb"[ -\\^-~]{1,64}+"
_IP = rb"[!-~]{1,64}+"
# Hour, day, what was found in which jail, the day on which it happened.
_FOUND = re.compile(
    rb"^((20\d\d-\d\d-\d\d) \d\d)%b,\d{3}%b(%b\] Found %b)"
    rb"(?: - (\d{4}-\d\d-\d\d) (?:[01]\d|2[0-3])%b)?\r?\n"
    % (_CLOCK, _WRITER, _JAIL, _IP, _CLOCK),
    re.MULTILINE,
)
# Time, jail, and event and address, or none where the address was banned already.
_BAN = re.compile(
    rb"^(20\d\d-\d\d-\d\d \d\d%b,\d{3})%b(%b)\] "
    rb"(?:((?:Restore )?Ban|Unban) (%b)|%b already banned)\r?\n"
    % (_CLOCK, _WRITER, _JAIL, _IP, _IP),
    re.MULTILINE,
)


class FoundLines(NamedTuple):
    """Lines about what was found: their hours, and how many say the same.

    They are counted by the day of the line, `jail] Found ip`, and the day that they
    name, None when they do not. `rest` is the block without them.
    """

    hours: set[bytes]
    counted: Counter[tuple[bytes, bytes, bytes | None]]
    rest: bytes


class BanLines(NamedTuple):
    """Lines about bans, in columns: the time, jail, event and address of each.

    The last two are None where the address was banned already. `between` are the lines
    before each, `rest` those after the last.
    """

    between: Sequence[bytes]
    stamps: Sequence[bytes]
    jails: Sequence[bytes]
    events: Sequence[bytes | None]
    ips: Sequence[bytes | None]
    rest: bytes

    @property
    def hours(self) -> set[bytes]:
        """Name the hours in which they were written."""
        return {stamp[HOUR] for stamp in self.stamps}

    def only(self, events: Container[bytes | None]) -> BanLines:
        """Leave those out that tell of other events."""
        wanted = [event in events for event in self.events]
        return self._replace(
            stamps=list(compress(self.stamps, wanted)),
            jails=list(compress(self.jails, wanted)),
            events=list(compress(self.events, wanted)),
            ips=list(compress(self.ips, wanted)),
        )


_SECONDS: Mapping[bytes, int] = {
    b":%02d:%02d" % (minute, second): minute * 60 + second
    for minute, second in product(range(60), repeat=2)
}


def end_of_common(data: bytes) -> int:
    """Give the byte after the last line that is a common one; 0 when none is near."""
    end = len(data)
    for _ in range(_MOST_BACK):
        begun = _begin_of_last(data, end)
        if _FOUND.match(data, begun, end) or _BAN.match(data, begun, end):
            return end
        end = begun
    return 0


def last_stamp(data: bytes) -> bytes:
    """Give the time of the last line, which is a common one."""
    return data[_begin_of_last(data, len(data)) :][_STAMP]


def _begin_of_last(data: bytes, end: int) -> int:
    return data.rfind(b"\n", 0, max(end - 1, 0)) + 1


def take_found(data: bytes) -> FoundLines:
    """Take out of whole lines those about what was found."""
    parts = _FOUND.split(data)
    counted = Counter(zip(parts[2::5], parts[3::5], parts[4::5], strict=True))
    return FoundLines(set(parts[1::5]), counted, b"".join(parts[::5]))


def take_bans(data: bytes) -> BanLines:
    """Take out of whole lines those about bans."""
    *parts, rest = _BAN.split(data)
    return BanLines(
        between=parts[::5],
        stamps=parts[1::5],
        jails=parts[2::5],
        events=parts[3::5],
        ips=parts[4::5],
        rest=rest,
    )


def seconds_of(stamps: Sequence[bytes], begun: Mapping[bytes, int]) -> list[int]:
    """Give times as Unix seconds; `begun` tells when their hours began."""
    of_hour = _SECONDS
    return [begun[stamp[HOUR]] + of_hour[stamp[_CLOCK_OF_HOUR]] for stamp in stamps]


def instant(stamp: bytes, ahead: timedelta) -> datetime:
    """Give the time of a line that is as much ahead of UTC."""
    return datetime.fromisoformat(f"{stamp.decode()}Z") - ahead
