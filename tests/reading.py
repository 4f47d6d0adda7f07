"""An alert as its readers get it: parsed anew from what was sent."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from f2b_enrich.mail.compose import Composer

if TYPE_CHECKING:
    from email.message import EmailMessage

    from f2b_enrich.mail.alert import Alert

STRICT = SMTP.clone(raise_on_defect=True)
COMPOSER = Composer()


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


def sent(alert: Alert) -> EmailMessage:
    mail = COMPOSER.compose(alert, now=alert.ban.banned_at, form="both")
    raw = mail.as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return message_from_bytes(raw, policy=STRICT)


def part(alert: Alert, kind: str) -> str:
    for found in sent(alert).iter_parts():
        if found.get_content_subtype() == kind:
            content = found.get_content()
            assert isinstance(content, str)
            return content.replace("\r\n", "\n")
    raise AssertionError(kind)


def read(alert: Alert) -> Reader:
    reader = Reader()
    reader.feed(part(alert, "html"))
    reader.close()
    return reader


def words(alert: Alert) -> str:
    return " ".join(" ".join(read(alert).text).split())
