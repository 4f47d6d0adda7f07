"""Reports that came back, as five thousand servers' fail2ban wrote them over the years.

The same seed gives the same mails, and beside each what it tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from random import Random
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from bench import bounce_forms
from bench.report_texts import ERAS, Era

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTS = 5000
LINES_EVERY = 10
LINES = 5
FROM = "fail2ban@freemail.example"
TO = "you@freemail.example"
_FIRST = datetime(2007, 1, 1, tzinfo=UTC)
_JAILS = (
    "ssh",
    "SSH",
    "sshd",
    "ssh-iptables",
    "apache",
    "postfix",
    "dovecot",
    "vsftpd",
)
_ZONES = (-8, -5, 0, 0, 1, 2, 3, 9)

Server: TypeAlias = Literal["postfix", "exim", "sendmail", "qmail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One server that reports: what runs on it, and how its mail comes back."""

    name: str
    era: Era
    server: Server
    form: bounce_forms.Form
    zone: timezone
    jails: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One mail, and what was written into it."""

    mail: bytes
    ip: str
    jail: str
    host: str
    at: datetime
    failures: int
    lines: tuple[bytes, ...]
    message_id: str | None


def hosts(chance: Random) -> tuple[Host, ...]:
    """Choose the servers."""
    return tuple(_host(number, chance) for number in range(HOSTS))


def _host(number: int, chance: Random) -> Host:
    name = f"{chance.choice(('web', 'mail', 'srv', 'db'))}{number}.site{number % 97}"
    server: Server = chance.choice(("postfix", "exim", "sendmail", "qmail"))
    return Host(
        name=f"{name}.example",
        era=chance.choice(ERAS),
        server=server,
        form=chance.choice(bounce_forms.FORMS),
        zone=timezone(timedelta(hours=chance.choice(_ZONES))),
        jails=tuple(chance.sample(_JAILS, 3)),
    )


def reports(count: int, *, seed: int) -> Iterator[Report]:
    """Give so many reports, in the order of their times."""
    chance = Random(seed)  # noqa: S311 - the same every time, and no secret
    known = hosts(chance)
    for number in range(count):
        at = _FIRST + timedelta(seconds=number * 97 + chance.randrange(60))
        yield _report(chance.choice(known), at, number, chance)


def _report(host: Host, at: datetime, number: int, chance: Random) -> Report:
    ip = _address(chance)
    jail = chance.choice(host.jails)
    failures = chance.randint(1, 30)
    has_lines = number % LINES_EVERY == 0
    lines = tuple(_line(host, ip, at, chance) for _ in range(LINES * has_lines))
    local = at.astimezone(host.zone)
    text = host.era.text(ip=ip, jail=jail, failures=failures, lines=lines)
    subject = host.era.subject(ip=ip, jail=jail, host=host.name)
    message_id = None if host.server == "qmail" else f"<{number:x}.1@{host.name}>"
    original = bounce_forms.Original(
        head=_head(host, local, subject, message_id, number), text=text
    )
    mail = host.form(original, host.name, local + timedelta(seconds=3), number)
    return Report(
        mail=mail.encode(),
        ip=ip,
        jail=jail,
        host=host.name,
        at=at.replace(microsecond=0),
        failures=failures,
        lines=tuple(line.encode() for line in lines),
        message_id=message_id,
    )


def _address(chance: Random) -> str:
    if chance.random() < 0.05:
        return f"2001:db8:{chance.randrange(65536):x}::{chance.randrange(1, 65536):x}"
    net = chance.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{net}.{chance.randrange(1, 255)}"


def _line(host: Host, ip: str, at: datetime, chance: Random) -> str:
    user = chance.choice(("root", "admin", "test", "oracle", "postgres", "git"))
    short = host.name.partition(".")[0]
    process, port = chance.randrange(300, 32768), chance.randrange(1024, 65536)
    return (
        f"{at:%b %d %H:%M:%S} {short} sshd[{process}]: "
        f"Failed password for {user} from {ip} port {port} ssh2"
    )


def _head(
    host: Host, local: datetime, subject: str, message_id: str | None, number: int
) -> str:
    """Write the head as the host's own server leaves it, the relay's field on top."""
    date = format_datetime(local)
    address = f"203.0.113.{number % 250 + 1}"
    own = {
        "postfix": f"by {host.name} (Postfix, from userid 0)\n"
        f"\tid {number:09X}; {date}",
        "exim": f"from root by {host.name} with local (Exim 4.69)\n"
        f"\t(envelope-from <{FROM}>)\n\tid 1P1ce6-{number:06d}-GZ\n\tfor {TO}; {date}",
        "sendmail": f"(from root@localhost)\n\tby {host.name} (8.13.8/8.13.8/Submit)"
        f" id o{number:013d};\n\t{date}",
        "qmail": f"(qmail {number % 32768} invoked by uid 0); "
        f"{local.astimezone(UTC):%d %b %Y %H:%M:%S} -0000",
    }[host.server]
    lines = [
        f"Return-Path: <{FROM}>",
        f"Received: from {host.name} ({host.name} [{address}])\n"
        f"\tby relay.freemail.example (Postfix) with ESMTP id {number:09X}\n"
        f"\tfor <{TO}>; {date}",
        f"Received: {own}",
        f"Subject: {subject}",
        f"Date: {date}",
        f"From: Fail2Ban <{FROM}>",
        f"To: {TO}",
    ]
    if message_id is not None:
        lines.append(f"Message-Id: {message_id}")
    return "\n".join(lines)


def write_mbox(file: BinaryIO, count: int, *, seed: int) -> None:
    """Write so many reports as one mbox, quoted as mboxrd is."""
    for report in reports(count, seed=seed):
        stamp = f"From MAILER-DAEMON {report.at:%a %b %d %H:%M:%S %Y}\n"
        file.write(stamp.encode())
        # Nothing here begins with `From `, so nothing has to be quoted.
        file.write(report.mail.rstrip(b"\n") + b"\n\n")
