"""`report --mail`: the report handed to the outbox, from which the daemon sends it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli.opening import reading, writing
from f2b_enrich.errors import AddressError, ReportError
from f2b_enrich.health.check_report import has_extra
from f2b_enrich.inert import printable
from f2b_enrich.mail.addresses import check_address, route
from f2b_enrich.mail.compose import Composer
from f2b_enrich.mail.letter import Picture
from f2b_enrich.mail.pictures import squeezed
from f2b_enrich.model import time_text
from f2b_enrich.outbox import message_id
from f2b_enrich.report import as_mail
from f2b_enrich.store import outbox, report_mails
from f2b_enrich.store.report_mails import REPORT, About

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from f2b_enrich.config import Settings
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.request import Request

LARGEST = 1_000_000
"""Bytes of a mail as it is sent; many servers take ten times as much."""


WITHOUT = "Without pictures: these need `./install.sh --with report`."
NOT_DRAWN = "Without pictures: they could not be drawn."
TOO_LARGE = f"Without pictures: the mail would have more than {LARGEST:,} bytes."

_TITLES = {
    "map": "Where the addresses are",
    "days": "Bans by day",
    "countries": "Countries by addresses",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressees:
    """Who gets a report, and who sends it."""

    recipients: tuple[str, ...]
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The pictures of a report, or a remark that says why there are none."""

    pictures: Sequence[Picture] = ()
    remark: str = ""


def addressees(settings: Settings) -> Addressees:
    """Choose them as for alerts, unless reports have a recipient of their own.

    Raises:
        ReportError: an address must not be used.
    """
    chosen = route(None, None, settings=settings.mail, host=settings.host_name)
    own = settings.report.recipient
    recipients = chosen.recipients
    if own is not None:
        try:
            recipients = (check_address(own, settings.mail),)
        except AddressError as exc:
            raise ReportError(f"report.recipient: {printable(own)}: {exc}") from exc
    if not chosen.sender or not recipients:
        address, reason = chosen.refused[0]
        raise ReportError(f"{address} is refused: {reason}")
    return Addressees(recipients=recipients, sender=chosen.sender)


def without_those_told(
    settings: Settings, request: Request, to: Addressees
) -> Addressees:
    """Leave out who has this report already, queued or sent, and say so.

    Raises:
        StoreError: there is no store yet, or it cannot be read.
    """
    about = _about(request)
    with reading(settings) as connection:
        known = [
            (each, report_mails.queued(connection, about, each))
            for each in to.recipients
        ]
    for recipient, row in known:
        if row is not None:
            _remark(f"{request.label} to {recipient}: {_already(row)}")
    left = tuple(recipient for recipient, row in known if row is None)
    return Addressees(recipients=left, sender=to.sender)


def _already(row: OutboxRow) -> str:
    if row.sent_at is not None:
        return f"mail {row.id} was sent {time_text(row.sent_at)}"
    return f"mail {row.id} is {row.state} since {time_text(row.created_at)}"


def draw(figures: Figures) -> Drawn:
    """Draw the pictures, where what draws them is installed."""
    if not has_extra():
        return Drawn(remark=WITHOUT)
    # Only here: they are large, and the extra may not be there.
    from f2b_enrich.report.pictures import pictures  # noqa: PLC0415

    try:
        drawn = pictures(figures)
    except Exception as exc:  # noqa: BLE001 - a mail without is better than none
        _remark(f"no pictures: {type(exc).__name__}: {exc}")
        return Drawn(remark=NOT_DRAWN)
    found = (
        Picture(
            name=one.name, title=_TITLES[one.name], alt=one.alt, png=squeezed(one.png)
        )
        for one in drawn
    )
    return Drawn(pictures=tuple(found))


def queue(
    settings: Settings,
    figures: Figures,
    request: Request,
    to: Addressees,
    *,
    drawn: Drawn,
    now: datetime,
    is_once: bool,
) -> None:
    """Write the mails and hand them to the outbox, all or none.

    With `is_once` not to whom another has queued the same meanwhile.

    Raises:
        ReportError: a mail is too large, or an address cannot stand in a header.
        StoreError: the store cannot be written to.
    """
    about = _about(request)
    written = [
        (mail, _written(settings, figures, request, mail, drawn=drawn, now=now))
        for mail in (_mail(settings, request, to, each, now) for each in to.recipients)
    ]
    told = []
    with writing(settings) as connection:
        for mail, message in written:
            if is_once and report_mails.queued(connection, about, mail.recipient):
                continue
            row_id = report_mails.add(connection, mail, about, message, now=now)
            told.append(f"mail {row_id} to {mail.recipient}: {request.label}")
    for line in told:
        _remark(f"{line}; queued, the daemon sends it")


def _about(request: Request) -> About:
    """Tell apart what has other figures; the zone tells in the times."""
    beside = {
        "label",
        "since",
        "until",
        "before_since",
        "before_label",
        "zone",
        "notes",
    }
    filters = {
        name: value
        for name, value in asdict(request).items()
        if name not in beside and value and name != "top"
    }
    text = json.dumps(filters, sort_keys=True, ensure_ascii=False)
    return About(since=request.since, until=request.until, filters=text)


def _mail(
    settings: Settings, request: Request, to: Addressees, recipient: str, now: datetime
) -> outbox.NewMail:
    who = hashlib.sha256(recipient.encode()).hexdigest()[:8]
    name = f"{now:%Y%m%dT%H%M%S}{now.microsecond:06d}Z-{who}"
    return outbox.NewMail(
        kind=REPORT,
        ban_id=None,
        recipient=recipient,
        sender=to.sender,
        message_id=message_id(name, REPORT, 0, settings.host_name),
        due_at=now,
        about=request.label,
    )


def _written(
    settings: Settings,
    figures: Figures,
    request: Request,
    mail: outbox.NewMail,
    *,
    drawn: Drawn,
    now: datetime,
) -> bytes:
    composer, form = Composer(settings.mail.templates), settings.mail.format
    envelope = as_mail.Envelope(
        host=settings.host_name,
        recipient=mail.recipient,
        sender=mail.sender,
        message_id=mail.message_id,
    )
    letter = as_mail.letter(
        figures,
        envelope,
        zone=request.zone,
        pictures=drawn.pictures,
        remark=drawn.remark if form == "both" else "",
    )
    try:
        message = composer.compose_report(letter, now=now, form=form).as_bytes()
    except AddressError as exc:
        raise ReportError(f"{printable(mail.recipient)}: {exc}") from exc
    if len(message) > LARGEST:
        if drawn.pictures:
            bare = Drawn(remark=TOO_LARGE)
            return _written(settings, figures, request, mail, drawn=bare, now=now)
        raise ReportError(
            f"the mail has {len(message):,} bytes, the limit is {LARGEST:,}: "
            "a smaller --top makes it shorter"
        )
    return message


def _remark(text: str) -> None:
    click.echo(f"f2b-enrich: {printable(text)}", err=True)
