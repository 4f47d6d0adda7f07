"""The standard library's mail parser, kept within bounds whoever wrote the mail."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.parser import BytesParser
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import Message

MOST_BOUNDARIES = 40
"""Parts in parts: the parser takes as much stack, and time, as there are."""

MOST_BLANK_LINES = 4000
"""In a report of delivery each makes the parser begin a message of its own.

Of those that follow each other, every second one is counted.
"""

LONGEST_TYPE = 4096
"""Semicolons in quotes cost the square of their number (CPython 136063)."""

PARSER_ERRORS = (
    MessageError,
    RecursionError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
)
"""The parser, and the messages that it makes, do not promise to keep to their types."""

# The word alone: `boundary*=`, `boundary*0=` (RFC 2231), and folded before its `=`.
_BOUNDARY = re.compile(rb"boundary", re.IGNORECASE)
# The parser ends a line at a single CR as well.
_BLANK_LINES = re.compile(rb"(?:\r\n?+|\n){2}")
_LONG_TYPE = re.compile(
    rb"(?:^|(?<=[\r\n]))content-type:(?:[^\r\n]|[\r\n]{1,2}[ \t]){%d}" % LONGEST_TYPE,
    re.IGNORECASE,
)


def parsed(data: bytes) -> Message | None:
    """Parse a mail, without its mbox line; None for what the parser cannot take."""
    data = _until(data, _BOUNDARY, MOST_BOUNDARIES)
    data = _until(data, _BLANK_LINES, MOST_BLANK_LINES)
    data = _until(data, _LONG_TYPE, 0)
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    try:
        return BytesParser().parsebytes(data)
    except PARSER_ERRORS:
        return None


def _until(data: bytes, found: re.Pattern[bytes], most: int) -> bytes:
    """Leave out what follows as many of these."""
    surplus = next(islice(found.finditer(data), most, None), None)
    return data if surplus is None else data[: surplus.start()]
