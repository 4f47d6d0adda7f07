"""The copy of a mail that servers put below their own words, in one text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from f2b_enrich.importing.mail_texts import is_answer

if TYPE_CHECKING:
    from f2b_enrich.importing.mail_letter import Letter

_MOST_MARKS = 8

# What stands above the copy: qmail, Exim, Sendmail 5, OpenSMTPD, GMX, Exchange, Google.
_MARK = re.compile(
    rb"^[ \t]{0,8}(?:-{2,8}[^\n-]{0,48}"
    rb"(?:copy of (?:the|your) (?:original )?message|original bounce|original message"
    rb"|message follows|returned message|message headers? follows?)[^\n]{0,60}"
    rb"|Below is a copy of the original message:|Original message headers:)"
    rb"[ \t]{0,20}$",
    re.IGNORECASE | re.MULTILINE,
)
# Exim says in such lines that it cut the copy.
_REMARKS = re.compile(rb"(?:[ \t]{0,8}(?:-{2,8} [^\n]{0,100})?\n){0,6}")
_FIELD = re.compile(rb"[!-9;-~]{1,80}:")
_HEAD_LINE = re.compile(rb"[!-9;-~]{1,80}:|[ \t]+\S")
_MOST_HEAD_LINES = 64
_SUBJECT = re.compile(
    rb"^(?P<prefix>(?:[>|] ?){0,3}[ \t]{0,20})Subject:[ \t]{0,20}\[fail2ban",
    re.IGNORECASE | re.MULTILINE,
)
_AFTER_PREFIX = re.compile(
    rb"^[^\[]{3,60}: (\[fail2ban\].*)", re.IGNORECASE | re.DOTALL
)
_FROM_A_SERVER = re.compile(rb"mailer-daemon|postmaster|mail delivery", re.IGNORECASE)
_RETURNS = re.compile(
    rb"failure notice|undeliver|returned mail|mail delivery|delivery (?:status|failure)"
    rb"|delivery (?:has )?failed|mail failure",
    re.IGNORECASE,
)


def is_from_a_server(letter: Letter) -> bool:
    """Tell a bounce from what people write; anybody can pretend to be a server."""
    if letter.reporter is not None:
        return True
    if is_answer(letter.first(b"subject").decode("ascii", "replace")):
        return False
    return (
        letter.first(b"return-path") == b"<>"
        or b"x-failed-recipients" in letter.fields
        or _FROM_A_SERVER.search(letter.first(b"from")) is not None
        or _RETURNS.match(letter.first(b"subject")) is not None
    )


def copy_in(text: bytes) -> bytes | None:
    """Find the returned mail, from its head on, in what a server wrote."""
    for number, mark in enumerate(_MARK.finditer(text)):
        if number == _MOST_MARKS:
            break
        remarks = _REMARKS.match(text, mark.end())
        start = mark.end() if remarks is None else remarks.end()
        if _FIELD.match(text, start):
            return text[start:]
    return _around_subject(text)


def _around_subject(text: bytes) -> bytes | None:
    """Find a head by fail2ban's subject in it, quoted or indented as it may be."""
    subject = _SUBJECT.search(text)
    if subject is None:
        return None
    prefix = subject["prefix"]
    above: list[bytes] = []
    for line in reversed(text[: subject.start()].split(b"\n")[:-1]):
        bare = line.removeprefix(prefix)
        is_head = line.startswith(prefix) and _HEAD_LINE.match(bare)
        if not is_head or len(above) == _MOST_HEAD_LINES:
            break
        above.append(bare)
    below = _without(prefix, text[subject.start() :]) if prefix else None
    return b"\n".join((*reversed(above), below or text[subject.start() :]))


def _without(prefix: bytes, text: bytes) -> bytes:
    """Take the lines that begin so, without it, up to one that does not."""
    lines = []
    for line in text.split(b"\n"):
        if not line.startswith(prefix) and line != prefix.rstrip():
            break
        lines.append(line.removeprefix(prefix) if line.startswith(prefix) else b"")
    return b"\n".join(lines)


def subject_in(letter: Letter) -> bytes | None:
    """Find fail2ban's subject in the one of a server that returns nothing."""
    found = _AFTER_PREFIX.search(letter.first(b"subject"))
    return None if found is None else found[1]
