"""What an administrator reads about a ban, as one mail."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

from f2b_enrich.mail import addresses, headers, sorting
from f2b_enrich.mail.alert import Alert
from f2b_enrich.mail.rendering import HTML, TEXT, Templates
from f2b_enrich.mail.subject import subject
from f2b_enrich.mail.view import view

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

__all__ = ["Alert", "Composer", "subject"]

_MAX_WIRE_LINE = 998


class Composer:
    """Turns alerts into mails; holds the templates, those of a folder first."""

    def __init__(self, templates: Path | None = None) -> None:
        self._templates = Templates(templates)
        self._policy = headers.policy()

    def compose(
        self, alert: Alert, *, now: datetime, form: Literal["both", "text"] = "text"
    ) -> EmailMessage:
        """Write the mail about one ban.

        Raises:
            AddressError: recipient or sender cannot stand in a header.
        """
        host = alert.ban.host
        message = EmailMessage(policy=self._policy)
        message["From"] = addresses.qualified(alert.sender, host)
        message["To"] = addresses.qualified(alert.recipient, host)
        message["Subject"] = subject(alert)
        message["Date"] = format_datetime(now.astimezone(alert.timezone))
        message["Message-ID"] = alert.message_id
        message["Auto-Submitted"] = "auto-generated"
        for name, value in sorting.fields(alert):
            message[name] = value
        shown = view(alert)
        text = self._templates.render(TEXT, shown)
        message.set_content(text, charset="utf-8", cte=_encoding(text))
        if form == "both":
            html = self._templates.render(HTML, shown)
            message.add_alternative(
                html, subtype="html", charset="utf-8", cte=_encoding(html)
            )
            for part in message.iter_parts():
                del part["MIME-Version"]  # it belongs to the whole (RFC 2045, 4)
        return message


def _encoding(body: str) -> str:
    short = max(map(len, body.split("\n"))) <= _MAX_WIRE_LINE
    return "7bit" if body.isascii() and short else "quoted-printable"
