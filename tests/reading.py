"""An alert as its readers get it: parsed anew from what was sent."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Literal

from f2b_enrich.mail.compose import Composer

if TYPE_CHECKING:
    from email.message import EmailMessage, MIMEPart

    from f2b_enrich.mail.alert import Alert

STRICT = SMTP.clone(raise_on_defect=True)
COMPOSER = Composer()
WRITING = timedelta(seconds=4)
"""How long after a ban its mail is written."""

HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
SORTING = {
    *("In-Reply-To", "References", "List-Id"),
    *("X-F2B-Host", "X-F2B-Jail", "X-F2B-Address", "X-F2B-Ban"),
    *("X-F2B-Country", "X-F2B-ASN", "X-F2B-Attack"),
}
FORM = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}


class Reader(HTMLParser):
    """Reads as a browser does: what is markup, and what is only text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.others: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)


def sent(alert: Alert, form: Literal["both", "text"] = "both") -> EmailMessage:
    """Send the mail through the wire's form and read it back, every defect an error."""
    now = alert.ban.banned_at + WRITING
    raw = COMPOSER.compose(alert, now=now, form=form).as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    message = message_from_bytes(raw, policy=STRICT)
    names = list(message.keys())
    assert names[: len(HEADERS)] == HEADERS
    assert len(set(names)) == len(names)
    assert set(names) <= {*HEADERS, *SORTING, *FORM}
    assert all(str(value).strip() for value in message.values())
    return message


def text(alert: Alert) -> str:
    """Give what the mail says that is text alone."""
    return content_of(sent(alert, "text"))


def content_of(message: MIMEPart) -> str:
    content = message.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def part(alert: Alert, kind: str) -> str:
    for found in sent(alert).iter_parts():
        if found.get_content_subtype() == kind:
            return content_of(found)
    raise AssertionError(kind)


def read(alert: Alert) -> Reader:
    reader = Reader()
    reader.feed(part(alert, "html"))
    reader.close()
    return reader


def words(alert: Alert) -> str:
    return " ".join(" ".join(read(alert).text).split())
