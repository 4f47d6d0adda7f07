"""Bans of many kinds by a real fail2ban, and the mails that people get of them.

With `--basetemp FOLDER -o tmp_path_retention_policy=all` the mails, and pictures of
them in a browser, stay there.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.lab import Lab, until
from tests.browser import Browser
from tests.e2e.attacks import JAILS, LOGS, RECORDS, guesses
from tests.e2e.site import Site
from tests.fake_ipinfo import FakeIpinfo
from tests.mmdb import write_lite
from tests.smtp_server import SmtpServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import EmailMessage

STRICT = SMTP.clone(raise_on_defect=True)


@dataclass(frozen=True)
class Mail:
    """One mail, as it arrived and as it reads."""

    raw: bytes
    message: EmailMessage

    def part(self, kind: str) -> str:
        found = self.message.get_body((kind,))
        assert found is not None
        content = found.get_content()
        assert isinstance(content, str)
        return content


@pytest.fixture(scope="module")
def mails() -> Iterator[Mapping[str, Mail]]:
    """The mails, under the kinds of their bans."""
    folder = Path(tempfile.mkdtemp(prefix="f2b-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        smtp = stack.enter_context(SmtpServer())
        ipinfo = stack.enter_context(FakeIpinfo())
        lab = stack.enter_context(Lab(folder))
        write_lite(folder / "geo.mmdb")
        ipinfo.records = {ip: {"ip": ip, **one} for ip, one in RECORDS.items()}
        yield _banned(Site(lab, smtp), ipinfo)


def _banned(site: Site, ipinfo: FakeIpinfo) -> Mapping[str, Mail]:
    lab = site.lab
    for name in (*LOGS, "fail2ban.log"):
        (lab.root / name).touch()
    site.configure(
        mail={"format": "both"},
        ipinfo={"base_url": ipinfo.url, "plan": "legacy"},
        own={"networks": ["192.0.2.200/32"]},
    )
    lab.start_daemon(environ={"F2B_ENRICH_IPINFO_TOKEN": "tok-legacy"})
    lab.write_fail2ban(JAILS.format(root=lab.root))
    (lab.root / "etc" / "jail.d" / "five.local").write_text("[sshd]\nmaxretry = 5\n")
    lab.start_fail2ban()
    # What the ssh attacker has behind him.
    for words in (("banip", "192.0.2.9"), ("banip", "192.0.2.7")):
        lab.fail2ban("set", "sshd", *words)
    site.mails(2)
    lab.fail2ban("set", "sshd", "unbanip", "192.0.2.7")
    site.wait_for_row("SELECT 1 FROM bans WHERE unbanned_at IS NOT NULL")

    _wait_for_another_second()
    lab.log.write_text("".join(guesses(time.time())))
    for name, lines in LOGS.items():
        (lab.root / name).write_text(lines)
    for ip in ("203.0.113.0/24", "192.0.2.44", "203.0.113.77", "192.0.2.200"):
        lab.fail2ban("set", "sshd", "banip", ip)
    _wait_for_mails(site, 12)
    # What recidive has to repeat.
    lab.fail2ban("set", "sshd", "unbanip", "203.0.113.77")
    _wait_for_another_second()
    lab.fail2ban("set", "sshd", "banip", "203.0.113.77")
    _wait_for_mails(site, 14)
    received = _read(site.smtp)
    kinds = {
        "ssh": "192.0.2.7",
        "postfix": "203.0.113.9",
        "dovecot": "198.51.100.30",
        "nginx": "198.51.100.21",
        "ipv6": "2001:db8:5::7",
        "network": "203.0.113.0/24",
        "by hand": "192.0.2.44",
        "for ever": "192.0.2.61",
        "unknown place": "203.0.113.77",
        "own address": "192.0.2.200",
        "repeat": "recidive",
    }
    return {kind: received[key] for kind, key in kinds.items()}


def _read(smtp: SmtpServer) -> Mapping[str, Mail]:
    """Give the first mail about each address, and recidive's; none from before."""
    found: dict[str, Mail] = {}
    for one in smtp.received[2:]:
        message = message_from_bytes(one.content, policy=STRICT)
        is_repeat = message["X-F2B-Jail"] == "recidive"
        key = "recidive" if is_repeat else str(message["X-F2B-Address"])
        found.setdefault(key, Mail(one.content, message))
    return found


def _wait_for_another_second() -> None:
    # fail2ban tells two bans of one second apart as little as we do.
    second = int(time.time()) + 2
    assert until(lambda: time.time() > second)


def _wait_for_mails(site: Site, count: int) -> None:
    assert until(lambda: len(site.smtp.received) >= count, seconds=60), (
        [mail.content[:300] for mail in site.smtp.received],
        site.rows(
            "SELECT ip, jail, state, due_at, last_error FROM outbox JOIN bans"
            " ON bans.id = ban_id"
        ),
    )


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("album")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


TOLD = {
    "ssh": (
        *("2nd ban", "NAMES root*", "(* this account exists on web1.example.org)"),
        *("Amsterdam, North Holland, Netherlands", "vps7.example.net"),
        *("192.0.2.0/24, last 30 days:", "after 5 failures", "hosting: yes"),
        *("within 41 seconds", "oracle", "WHAT SSH password guessing last failure"),
    ),
    "postfix": (
        "jail postfix-sasl",
        "São Paulo, Brazil",
        "info[@]example.org",
        "AS64501",
        "WHAT IMAP, POP3 or SMTP password guessing last failure",
        "NAMES info[@]example.org, sales[@]example.org",
    ),
    "dovecot": ("jail dovecot", "NAMES root*, anna", "Netherlands (country level"),
    "nginx": (
        *("jail nginx-http-auth", "/admin?token=***", "NAMES admin, grafana"),
        "WHAT web log-in guessing last failure",
        *("GET hxxp://evil[.]example/<script>", "cut at 200 characters"),
    ),
    "ipv6": (
        "unbanip 2001:db8:5::7",
        "2001:db8:5::/64, last 30 days: no other address",
    ),
    "network": ("not looked up: a network", "unbanip 203.0.113.0/24"),
    "by hand": (
        *("banned on web1.example.org by hand, in jail sshd", "no log lines"),
        "WHAT banned",
    ),
    "for ever": (
        *("planned end none, banned for ever", "GET /phpmyadmin/index.php"),
        *("WHAT ", "phpMyAdmin probe: 1 line", "WordPress probe: 1 line"),
        *("SQL injection: 1 line", "path traversal: 1 line"),
        "web shell or known exploit (CVE-2021-41773): 1 line",
    ),
    "unknown place": ("WHERE not known",),
    "own address": ("Possible lock-out: this is one of your own addresses",),
    "repeat": (
        "by jail recidive after 2 failures. WHAT repeat offender: repeats the ban by "
        "sshd of ",
        *("2 bans here: sshd; first", "1 repeat by a jail that watches fail2ban"),
    ),
}


@pytest.mark.parametrize("kind", TOLD)
def test_a_mail_tells_what_there_is_to_tell(
    mails: Mapping[str, Mail], kind: str
) -> None:
    text = " ".join(mails[kind].part("plain").split())

    for words in TOLD[kind]:
        assert words in text


def test_what_a_ban_shows_can_be_sorted_by_programs(mails: Mapping[str, Mail]) -> None:
    assert {kind: mail.message["X-F2B-Attack"] for kind, mail in mails.items()} == {
        **dict.fromkeys(mails, None),
        **dict.fromkeys(("ssh", "ipv6"), "ssh-password-guessing"),
        **dict.fromkeys(("postfix", "dovecot"), "mail-password-guessing"),
        "nginx": "web-login-guessing",
        "for ever": "known-exploit",
        "repeat": "repeat-offender",
    }


def test_an_own_address_is_a_possible_lock_out(mails: Mapping[str, Mail]) -> None:
    mail = mails["own address"]

    assert (
        "] possible lock-out: web1 sshd: banned 192.0.2.200 " in mail.message["Subject"]
    )
    assert mail.part("plain").startswith("fail2ban-client set sshd unbanip 192.0.2.200")


@pytest.mark.parametrize("kind", TOLD)
def test_a_mail_keeps_to_the_standards(mails: Mapping[str, Mail], kind: str) -> None:
    mail = mails[kind]

    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", mail.raw)
    assert all(len(line) <= 998 for line in mail.raw.split(b"\r\n"))
    assert mail.raw.isascii()
    for part in mail.message.walk():
        assert not part.defects
        for value in part.values():
            assert not getattr(value, "defects", ())
    for name in ("From", "To", "Subject", "Date", "Message-ID", "List-Id"):
        assert len(mail.message.get_all(name, [])) == 1


@pytest.mark.parametrize("kind", TOLD)
def test_a_filter_finds_no_fault_in_the_form(
    mails: Mapping[str, Mail], kind: str
) -> None:
    received = (
        b"Received: from web1.example.org (web1.example.org [198.51.100.200])\r\n"
        b"\tby mx.alerts.example (Postfix) with ESMTPS id 4XyZ1\r\n"
        b"\tfor <noc@alerts.example>; " + str(mails[kind].message["Date"]).encode()
    )
    done = subprocess.run(
        [
            *("spamassassin", "--local", "--test-mode"),
            *("--cf=score HTML_MESSAGE 0", "--cf=score RCVD_ILLEGAL_IP 0"),
        ],
        input=received + b"\r\n" + mails[kind].raw,
        capture_output=True,
        check=True,
    )
    report = done.stdout.decode("utf-8", "replace").rpartition("rule name")[2]
    found = re.findall(r"^ *-?[0-9.]+ +([A-Z0-9_]+) ", report, re.MULTILINE)
    assert "Content analysis details" in done.stdout.decode("utf-8", "replace")
    assert found == []


@pytest.mark.parametrize("kind", TOLD)
def test_a_mail_reads_well_in_a_browser(
    mails: Mapping[str, Mail], kind: str, browser: Browser, album: Path
) -> None:
    html = mails[kind].part("html")
    (album / f"{kind}.eml").write_bytes(mails[kind].raw)

    for width in (900, 360):
        for dark in (False, True):
            picture = album / f"{kind}-{width}-{'dark' if dark else 'light'}.png"
            seen = browser.look(html, width=width, dark=dark, picture=picture)

            assert seen.requests == ()
            assert seen.wide <= seen.room == width
            assert seen.contrast >= 4.5, seen.faintest
            assert seen.smallest >= 13
            assert seen.background == (
                "rgb(20, 24, 29)" if dark else "rgb(241, 243, 245)"
            )
            assert "banned" in seen.text


@pytest.mark.parametrize("kind", TOLD)
def test_a_mail_reads_well_without_pictures_and_styles(
    mails: Mapping[str, Mail], kind: str
) -> None:
    html = mails[kind].part("html")

    done = subprocess.run(
        [
            *("w3m", "-dump", "-cols", "80", "-T", "text/html"),
            *("-I", "utf-8", "-O", "utf-8"),
        ],
        input=html.encode(),
        capture_output=True,
        check=True,
    )
    lines = done.stdout.decode().splitlines()
    shown = " ".join(" ".join(lines).split())
    if kind == "ssh":
        assert (
            sum(line.startswith("2") and " web1 sshd[" in line for line in lines) == 5
        )

    address = str(mails[kind].message["X-F2B-Address"])
    for words in (f"{address} banned", "What and where from", "What you can do"):
        assert words in shown
    assert f"fail2ban-client set {mails[kind].message['X-F2B-Jail']} unbanip" in shown
