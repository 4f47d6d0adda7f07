"""Mails as fail2ban's actions wrote them, and as servers gave them back."""

from __future__ import annotations

from datetime import UTC, datetime

from f2b_enrich.importing.mail_reading import Reading, read
from f2b_enrich.importing.mail_thorough import thorough
from f2b_enrich.importing.records import Record

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT = datetime(2010, 7, 1, 8, 11, 10, tzinfo=UTC)
LATER = datetime(2010, 7, 3, 9, 0, tzinfo=UTC)
DATE = "Thu, 01 Jul 2010 10:11:10 +0200"
IP = "192.0.2.7"
ID = "<20100701081110.EADBA761@web1.example>"
LINES = (
    "Jul  1 10:10:58 web1 sshd[411]: Failed password for root from 192.0.2.7",
    "Jul  1 10:11:09 web1 sshd[413]: Failed password for admin from 192.0.2.7",
)
SUBJECT = f"[Fail2Ban] ssh: banned {IP}"
SENTENCE = f"""\
The IP {IP} has just been banned by Fail2Ban after
6 attempts against ssh.
"""
BODY = f"Hi,\n\n{SENTENCE}\n\nRegards,\n\nFail2Ban\n"


def read_both(mail: str | bytes) -> Reading:
    """Read a mail the usual way, and by the full parser alone: the same comes out."""
    data = mail if isinstance(mail, bytes) else mail.encode()
    found = read(data, now=NOW)
    assert read(data, now=NOW, parse=thorough) == found
    return found


def report(
    subject: str = SUBJECT,
    body: str = BODY,
    *,
    date: str | None = DATE,
    received: str = f"by web1.example (Postfix, from userid 0)\n\tid EADBA761; {DATE}",
    sender: str = "Fail2Ban <fail2ban@site.example>",
    more: str = "",
) -> str:
    """Write a report as a server leaves it."""
    received = f"Received: {received}\n" if received else ""
    return (
        f"Return-Path: <fail2ban@site.example>\n{received}"
        f"Subject: {subject}\n"
        + (f"Date: {date}\n" if date else "")
        + f"From: {sender}\n"
        f"To: admin@site.example\nMessage-Id: {ID}\n{more}\n{body}"
    )


def bounced(
    copy: str,
    *,
    above: str = "\n--- Below this line is a copy of the message.\n\n",
    sender: str = "MAILER-DAEMON@mx.admins.example",
    subject: str = "failure notice",
    path: str = "<>",
) -> str:
    """Write what a server writes in one text."""
    return (
        f"Return-Path: {path}\nDate: 3 Jul 2010 09:00:00 -0000\nFrom: {sender}\n"
        f"To: fail2ban@site.example\nSubject: {subject}\n\n"
        "Hi. This is the qmail-send program at mx.admins.example.\n"
        "<noc@admins.example>:\nRemote host said: 550 no such mailbox\n"
        f"{above}{copy}"
    )


def in_parts(
    *parts: tuple[str, str], kind: str = "multipart/report", boundary: str = "b/1"
) -> str:
    """Write a server's mail of several parts, each a content type and a content."""
    shown = "".join(
        f"--{boundary}\nContent-Type: {of}\n\n{content}\n" for of, content in parts
    )
    return (
        "Return-Path: <>\nDate: Sat, 03 Jul 2010 09:00:00 +0000\n"
        "From: MAILER-DAEMON@mx.admins.example\nSubject: Undelivered Mail\n"
        f'Content-Type: {kind}; boundary="{boundary}"\n\n'
        f"Some words before.\n\n{shown}--{boundary}--\n"
    )


NOTICE = ("text/plain", "I'm sorry to have to inform you.\n")
STATUS = (
    "message/delivery-status",
    "Reporting-MTA: dns; mx.admins.example\n\n"
    "Final-Recipient: rfc822; noc@admins.example\nAction: failed\nStatus: 5.1.1\n",
)

BAN = Record(
    kind="ban",
    ip=IP,
    jail="ssh",
    at=AT,
    time_source="mail",
    origin="mail",
    host="web1.example",
    failures=6,
    message_id=ID,
)
"""What `report` tells."""


def ban(mail: str | bytes) -> Record:
    found = read_both(mail)
    assert found.what == "bans"
    (only,) = found.bans
    return only


def what(mail: str | bytes) -> str:
    found = read_both(mail)
    assert (found.what == "bans") == bool(found.bans)
    return found.what
