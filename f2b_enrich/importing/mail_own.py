"""Alerts that this program sent itself, known by fields that only it writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from f2b_enrich.importing.mail_fields import readable
from f2b_enrich.importing.mail_texts import Told, cleaned

if TYPE_CHECKING:
    from f2b_enrich.importing.mail_letter import Letter

_CUT = "\u2026"
"""What a value ends in that was cut, and so names nobody."""

_FAILURES = re.compile(
    rb"was banned on\s[^\n]{1,300}(?:\n[^\n]{1,300}){0,4}?"
    rb"\safter\s(\d[\d,]{0,12})\sfailures?\b"
)
_MAX_OWN_WORDS = 4096


def is_own(letter: Letter) -> bool:
    """Tell our own mails: alerts, digests, and those about floods."""
    return b"x-f2b-host" in letter.fields


def told_by_us(letter: Letter) -> Told:
    """Read an alert's fields; a digest names no single ban.

    The log lines in an alert are made harmless and cut, so they are left where they
    are.
    """
    ip = readable(letter.first(b"x-f2b-address"))
    if not ip:
        return Told(said="other")
    found = _FAILURES.search(letter.text, 0, _MAX_OWN_WORDS)
    return Told(
        said="ban",
        ips=(ip,),
        jail=_whole(letter, b"x-f2b-jail"),
        host=_whole(letter, b"x-f2b-host"),
        failures=None if found is None else int(found[1].replace(b",", b"")),
        after=len(letter.text),
    )


def ban_id(letter: Letter) -> str | None:
    """Read the id that the ban has in the store that the alert comes from."""
    try:
        return str(UUID(letter.first(b"x-f2b-ban").decode("ascii")))
    except ValueError:
        return None


def _whole(letter: Letter, name: bytes) -> str | None:
    value = readable(letter.first(name))
    return None if value.endswith(_CUT) else cleaned(value)
