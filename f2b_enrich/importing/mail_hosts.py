"""Which machine a report is about: the one whose fail2ban wrote it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from f2b_enrich.address import read_address

if TYPE_CHECKING:
    from f2b_enrich.importing.mail_letter import Letter

STOCK_DOMAINS = frozenset({"mail.com", "example.com", "example.net", "example.org"})
"""Senders' domains that stand in sample configurations, and say nothing."""

_MAX_NAME = 253
_NAME = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*"
)
_NOT_TELLING = frozenset({"localhost", "unknown", "user", "nobody", "none"})
_FROM = re.compile(rb"(?:^|\s)\(?from ([^\s()]{1,260})(?: \(([^()]{0,300})\))?")
_COMMENT = re.compile(rb"\([^()]{0,300}\)")
_BY = re.compile(rb"(?:^|\s)by (?:host )?([^\s();]{1,260})")
_LOCALLY = re.compile(
    rb"from userid|with local\b|invoked by (?:uid|alias)|/Submit\)|\blocal\]"
    rb"|127\.0\.0\.1|\[(?:IPv6:)?::1\]|^by |emulation\)|\(from [^\s()]+\) by"
)
_HELO = re.compile(rb"HELO \??([^\s()?]{1,260})")
_QMAIL = re.compile(rb"This is the qmail-send program at ([^\s]{1,260}?)\.?\s")
_DAEMON = re.compile(rb"mailer-daemon@([^\s<>()]{1,260})", re.IGNORECASE)
_SENDER = re.compile(rb"@([^\s<>()@,;\"]{1,260})>?\s*$")


def name(text: bytes | str | None) -> str | None:
    """Accept a host's name, not an address nor what every machine is called."""
    if not text:
        return None
    found = text if isinstance(text, str) else text.decode("ascii", "replace")
    found = found.strip("[].")
    if len(found) > _MAX_NAME or not _NAME.fullmatch(found):
        return None
    if found[-1].isdigit() and read_address(found).version is not None:
        return None
    return None if found.lower().partition(".")[0] in _NOT_TELLING else found


def host_of(letter: Letter, bounce: Letter | None, *, named: str | None) -> str | None:
    """Choose what tells it best.

    The subject names it as the machine calls itself (since 0.8.5). Else the first hop
    knows it, which stands at the bottom. A mail that never left its machine, when it
    bounced, was bounced by that machine's own server. The sender comes last: a whole
    site may use one address, and sample configurations have others' domains.
    """
    return (
        name(letter.first(b"x-f2b-host"))
        or name(named)
        or _first_hop(letter)
        or _bouncing_server(letter, bounce)
        or _sender(letter)
    )


def _first_hop(letter: Letter) -> str | None:
    for hop in reversed(letter.fields.get(b"received", ())):
        found = _of_hop(hop)
        if found is not None:
            return found
    return None


def _of_hop(hop: bytes) -> str | None:
    by = _BY.search(_COMMENT.sub(b" ", hop))
    if _LOCALLY.search(hop):
        return None if by is None else name(by[1])
    sender = _FROM.search(hop)
    if sender is None:
        return None
    helo = None if sender[2] is None else _HELO.search(sender[2])
    reverse = None if sender[2] is None else sender[2].partition(b" ")[0]
    return name(helo[1]) if helo else name(sender[1]) or name(reverse)


def _bouncing_server(letter: Letter, bounce: Letter | None) -> str | None:
    hops = letter.fields.get(b"received", ())
    if bounce is None or not all(map(_LOCALLY.search, hops)):
        return None
    qmail = _QMAIL.search(bounce.text[:2000])
    daemon = _DAEMON.search(bounce.first(b"from"))
    return (
        name(bounce.reporter) or name(qmail and qmail[1]) or name(daemon and daemon[1])
    )


def _sender(letter: Letter) -> str | None:
    domain = _SENDER.search(letter.first(b"from"))
    found = name(domain and domain[1])
    return None if found is None or found.lower() in STOCK_DOMAINS else found
