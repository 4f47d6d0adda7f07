"""The copy of a mail that servers put below their own words, in one text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
_BARE = re.compile(
    rb"\n\n[ \t]{0,8}(?=(?:Return-Path|Received|Delivered-To):[ \t])", re.IGNORECASE
)
# Exim says in such lines that it cut the copy.
_REMARKS = re.compile(rb"(?:[ \t]{0,8}(?:-{2,8} [^\n]{0,100})?\n){0,6}")
_FIELD = re.compile(rb"[!-9;-~]{1,80}:")
_NAMED = re.compile(rb"^[ \t]{0,20}Subject:[ \t]*([^\n]{1,500})$", re.MULTILINE)
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
    return (
        letter.reporter is not None
        or letter.first(b"return-path") == b"<>"
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
    bare = _BARE.search(text)
    return None if bare is None else text[bare.end() :]


def subject_in(letter: Letter) -> bytes | None:
    """Find the subject that servers name which return nothing (Exchange)."""
    named = _NAMED.search(letter.text)
    if named is not None:
        return named[1].strip()
    own = _AFTER_PREFIX.search(letter.first(b"subject"))
    return None if own is None else own[1]
