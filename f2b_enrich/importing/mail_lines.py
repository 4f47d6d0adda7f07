"""The log lines that a report brings, below the heading of its release."""

from __future__ import annotations

import re

MOST_LINES = 1000
"""What fail2ban's own actions search for in a log (`grepmax`)."""

_HEADING = re.compile(
    rb"^(?:Lines containing (?:failures of|IP:) ?[^\n]{1,400}"
    rb"|Matches(?: for [^\n]{1,200}?)?(?: with \d{1,9} failures IP: ?\S{1,100})?:?"
    rb"[ \t]{0,8})\n",
    re.IGNORECASE | re.MULTILINE,
)
_REGARDS = re.compile(
    rb"\n\s{0,20}Regards,\s{1,20}Fail2Ban[^\n]{0,40}\Z", re.IGNORECASE
)
_REGARDS_LENGTH = 120


def lines_in(text: bytes, after: int) -> tuple[bytes, ...]:
    """Take the lines below the first heading after a place, as bytes that came.

    Blank lines between them are left out.
    """
    heading = _HEADING.search(text, after)
    if heading is None:
        return ()
    end = _REGARDS.search(text, max(heading.end() - 1, len(text) - _REGARDS_LENGTH))
    block = text[heading.end() : len(text) if end is None else end.start()]
    lines = (line for line in block.split(b"\n", 4 * MOST_LINES) if line.strip())
    return tuple(lines)[:MOST_LINES]
