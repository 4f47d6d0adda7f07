"""One mail read: the bans that it reports, or why it reports none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from f2b_enrich import inert
from f2b_enrich.address import read_address
from f2b_enrich.importing.mail_copies import copy_in, is_from_a_server, subject_in
from f2b_enrich.importing.mail_fields import readable
from f2b_enrich.importing.mail_hosts import host_of
from f2b_enrich.importing.mail_letter import MAX_BYTES, MOST_DEEP, Letter
from f2b_enrich.importing.mail_lines import lines_in
from f2b_enrich.importing.mail_own import ban_id, is_own, told_by_us
from f2b_enrich.importing.mail_quick import quick
from f2b_enrich.importing.mail_summaries import count_of, entries
from f2b_enrich.importing.mail_texts import Told, told
from f2b_enrich.importing.mail_thorough import thorough
from f2b_enrich.importing.mail_times import written_at, zone_of
from f2b_enrich.importing.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

What: TypeAlias = Literal["bans", "start", "stop", "other", "unparsed"]

_MAX_ID = 320
_FIELD = re.compile(rb"[!-9;-~]{1,80}:|[ \t]")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_COMMON_ADDRESS = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one mail was; only `bans` has any.

    `is_bounce` says that a server returned it, `is_dated_by_bounce` that its time is
    that of its return. `unread` counts lines of a summary that name no address.
    `ban_id` is what our own alert calls its ban.
    """

    what: What
    bans: tuple[Record, ...] = ()
    is_bounce: bool = False
    is_dated_by_bounce: bool = False
    unread: int = 0
    ban_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The mail that fail2ban wrote, and the bounce that it lay in."""

    letter: Letter
    told: Told
    bounce: Letter | None
    at: datetime | None
    is_dated_by_bounce: bool


def read(
    data: bytes, *, now: datetime, parse: Callable[[bytes], Letter] | None = None
) -> Reading:
    """Read a mail as it was sent or as it came back, after `MAX_BYTES` no further.

    Times after `now` are not believed. `parse` is for comparisons: by default what is
    not of a common form goes to the full parser.
    """
    parse = parse or either
    found = _report(parse(_with_line_feeds(data[:MAX_BYTES])), now, parse)
    if found is None:
        return Reading(what="other")
    said = found.told.said
    if said == "ban":
        return _ban(found)
    if said == "summary":
        return _summary(found, now)
    return Reading(what=said, is_bounce=found.bounce is not None)


def either(data: bytes) -> Letter:
    """Take a mail apart, the quick way if it is of a common form."""
    return quick(data) or thorough(data)


def _with_line_feeds(data: bytes) -> bytes:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
        if b"\n" not in data:
            data = data.replace(b"\r", b"\n")
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    return _without_half_a_field(data)


def _without_half_a_field(data: bytes) -> bytes:
    """Leave out a field that the mail ends in: it may hold half an address."""
    start = data.rfind(b"\n") + 1
    return data[:start] if _FIELD.match(data, start) else data


def _report(
    letter: Letter, now: datetime, parse: Callable[[bytes], Letter]
) -> _Found | None:
    """Look for fail2ban's mail: this one, or one that it gives back or encloses."""
    bounce: Letter | None = None
    for _ in range(MOST_DEEP):
        said = _told(letter)
        if said is not None:
            at, is_late = written_at(letter, now), False
            if at is None and bounce is not None:
                at, is_late = written_at(bounce, now), True
            return _Found(
                letter=letter,
                told=said,
                bounce=bounce,
                at=at,
                is_dated_by_bounce=is_late and at is not None,
            )
        inner = letter.enclosed or _copied(letter, parse)
        if inner is None:
            return None
        bounce = letter if is_from_a_server(letter) else None
        letter = inner
    return None


def _told(letter: Letter) -> Told | None:
    if is_own(letter):
        return told_by_us(letter)
    return told(readable(letter.first(b"subject")), letter.text)


def _copied(letter: Letter, parse: Callable[[bytes], Letter]) -> Letter | None:
    """Read the copy in a server's text, else the subject that it names.

    What people quote is no copy: it has no head, or one that their program made up.
    """
    if not is_from_a_server(letter):
        return None
    copy = copy_in(letter.text)
    if copy is not None:
        return parse(copy)
    subject = subject_in(letter)
    return None if subject is None else Letter(fields={b"subject": (subject,)})


def _ban(found: _Found) -> Reading:
    is_bounce = found.bounce is not None
    said = found.told
    ips = {ip for ip in map(_address, said.ips) if ip is not None}
    # A mail that contradicts itself was not written by fail2ban alone.
    if len(ips) != 1:
        return Reading(what="unparsed", is_bounce=is_bounce)
    letter = found.letter
    record = Record(
        kind="ban",
        ip=ips.pop(),
        jail=said.jail,
        at=found.at,
        time_source="mail",
        origin="mail",
        host=host_of(letter, found.bounce, named=said.host),
        failures=said.failures,
        bantime_seconds=said.bantime_seconds,
        lines=lines_in(letter.text, said.after) if said.after else (),
        message_id=_message_id(letter),
    )
    return Reading(
        what="bans",
        bans=(record,),
        is_bounce=is_bounce,
        is_dated_by_bounce=found.is_dated_by_bounce,
        ban_id=ban_id(letter) if is_own(letter) else None,
    )


def _summary(found: _Found, now: datetime) -> Reading:
    bans = tuple(_summed_up(found, now))
    is_bounce = found.bounce is not None
    if not bans:
        return Reading(what="unparsed", is_bounce=is_bounce)
    return Reading(
        what="bans",
        bans=bans,
        is_bounce=is_bounce,
        is_dated_by_bounce=found.is_dated_by_bounce,
        unread=max(count_of(found.letter.text) - len(bans), 0),
    )


def _summed_up(found: _Found, now: datetime) -> Iterator[Record]:
    letter = found.letter
    host = host_of(letter, found.bounce, named=found.told.host)
    message_id = _message_id(letter)
    for entry in entries(letter.text, sent_at=found.at, zone=zone_of(letter), now=now):
        ip = _address(entry.ip)
        if ip is not None:
            yield Record(
                kind="ban",
                ip=ip,
                jail=entry.jail or found.told.jail,
                at=entry.at or found.at,
                time_source="mail" if entry.at is None else "ban",
                origin="mail",
                host=host,
                failures=entry.failures,
                message_id=message_id,
            )


def _address(text: str) -> str | None:
    """Take an address or a network, as it stands there; a name or a stub is none."""
    if _COMMON_ADDRESS.fullmatch(text):
        return text
    return None if read_address(text).version is None else text


def _message_id(letter: Letter) -> str | None:
    text = letter.first(b"message-id")
    if not 3 <= len(text) <= _MAX_ID or not text.isascii():
        return None
    return inert.printable(text.decode("ascii"))
