"""What an administrator reads about bans: each of our mails, as a mail."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from f2b_enrich.mail import (
    addresses,
    digest_view,
    flood_view,
    headers,
    pictures,
    sorting,
    view,
)
from f2b_enrich.mail.alert import Alert
from f2b_enrich.mail.digest_csv import attachment
from f2b_enrich.mail.rendering import Templates
from f2b_enrich.mail.subject import subject

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.mail.digest import Digest
    from f2b_enrich.mail.digest_csv import Attachment
    from f2b_enrich.mail.flood import Flood
    from f2b_enrich.mail.letter import Letter
    from f2b_enrich.mail.rendering import Kind, Shown

__all__ = ["Alert", "Composer", "subject"]

Form: TypeAlias = Literal["both", "text"]
"""Text beside HTML, or text alone."""

MOST_WITHOUT_FILE = 50
"""Bans of a digest that need no table of their own."""

_MAX_WIRE_LINE = 998


class Composer:
    """Turns values into mails; holds the templates, those of a folder first."""

    def __init__(self, templates: Path | None = None) -> None:
        self._templates = Templates(templates)
        self._policy = headers.policy()

    def compose(
        self, alert: Alert, *, now: datetime, form: Form = "text"
    ) -> EmailMessage:
        """Write the mail about one ban.

        Raises:
            AddressError: recipient or sender cannot stand in a header.
        """
        shown = view.view(alert)
        message = self._begun(alert, alert.ban.host, shown.subject, now)
        _sort(message, sorting.fields(alert))
        self._fill(message, "alert", shown, form)
        return message

    def compose_digest(
        self, digest: Digest, *, now: datetime, form: Form = "text"
    ) -> EmailMessage:
        """Write the mail about many bans, more than a few in a file that it brings.

        Raises:
            AddressError: recipient or sender cannot stand in a header.
        """
        many = len(digest.bans) > MOST_WITHOUT_FILE
        file = attachment(digest.bans) if many else None
        shown = digest_view.view(digest, attachment=file.name if file else "")
        message = self._begun(digest, digest.host, shown.subject, now)
        _sort(message, sorting.digest_fields(digest))
        self._fill(message, "digest", shown, form)
        if file is not None:
            _attach(message, file)
        return message

    def compose_flood(
        self, flood: Flood, *, now: datetime, form: Form = "text"
    ) -> EmailMessage:
        """Write the mail that says that a flood began or ended.

        Raises:
            AddressError: recipient or sender cannot stand in a header.
        """
        shown = flood_view.view(flood)
        message = self._begun(flood, flood.host, shown.subject, now)
        _sort(message, sorting.flood_fields(flood))
        self._fill(message, "flood", shown, form)
        return message

    def compose_report(
        self, letter: Letter, *, now: datetime, form: Form = "both"
    ) -> EmailMessage:
        """Write the mail that a report is, its pictures inside it.

        Raises:
            AddressError: recipient or sender cannot stand in a header.
        """
        shown = pictures.named(letter)
        message = self._begun(letter, letter.host, shown.subject, now)
        _sort(message, sorting.report_fields(letter))
        text = letter.text
        message.set_content(text, charset="utf-8", cte=_encoding(text))
        if form == "both":
            self._add_html(message, "report", shown)
            pictures.add(message, letter)
        return message

    def _begun(
        self,
        told: Alert | Digest | Flood | Letter,
        host: str,
        subject: str,
        now: datetime,
    ) -> EmailMessage:
        message = EmailMessage(policy=self._policy)
        message["From"] = addresses.qualified(told.sender, host)
        message["To"] = addresses.qualified(told.recipient, host)
        message["Subject"] = subject
        message["Date"] = format_datetime(now.astimezone(told.timezone))
        message["Message-ID"] = told.message_id
        message["Auto-Submitted"] = "auto-generated"
        return message

    def _fill(
        self, message: EmailMessage, kind: Kind, shown: Shown, form: Form
    ) -> None:
        text = self._templates.render(f"{kind}.txt.jinja", shown)
        message.set_content(text, charset="utf-8", cte=_encoding(text))
        if form == "both":
            self._add_html(message, kind, shown)

    def _add_html(
        self, message: EmailMessage, kind: Kind | Literal["report"], shown: Shown
    ) -> None:
        html = self._templates.render(f"{kind}.html.jinja", shown)
        message.add_alternative(
            html, subtype="html", charset="utf-8", cte=_encoding(html)
        )
        for part in message.iter_parts():
            del part["MIME-Version"]  # it belongs to the whole (RFC 2045, 4)


def _sort(message: EmailMessage, fields: Iterable[tuple[str, str]]) -> None:
    for name, value in fields:
        message[name] = value


def _attach(message: EmailMessage, file: Attachment) -> None:
    if isinstance(file.content, bytes):
        message.add_attachment(
            file.content, maintype="application", subtype="gzip", filename=file.name
        )
    else:
        message.add_attachment(
            file.content,
            subtype="csv",
            charset="utf-8",
            cte=_encoding(file.content),
            filename=file.name,
        )
    for part in message.iter_parts():
        del part["MIME-Version"]


def _encoding(body: str) -> str:
    short = max(map(len, body.split("\n"))) <= _MAX_WIRE_LINE
    return "7bit" if body.isascii() and short else "quoted-printable"
