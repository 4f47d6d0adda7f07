"""Alerts as a mail reader gets them: two parts, a history, threads."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import Campaign
from f2b_enrich.store import campaigns
from f2b_enrich.store.connection import open_writer, transaction
from tests.daemons import TIME, living

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from email.message import EmailMessage
    from pathlib import Path

    from tests.daemons import Daemon

DAY = 86_400
LINES = """\
Nov 21 20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7 port 50291 ssh2
Nov 21 20:13:31 web1 sshd[4025]: Invalid user admin from 192.0.2.7 port 50735"""
IGNOREIP = "fail2ban's ignoreip is not known whole"


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        yield daemon


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    content = found.get_content()
    assert isinstance(content, str)
    return content


def shown(mail: EmailMessage, kind: str) -> str:
    """Give the words of a part, without markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", part(mail, kind)).split())


async def test_a_mail_has_a_text_and_a_page_that_tell_the_same(daemon: Daemon) -> None:
    daemon.configure(mail={"format": "both"})
    await daemon.start()
    await daemon.ban("192.0.2.9", TIME=f"{TIME - DAY}")
    ban_id = await daemon.ban("192.0.2.1")

    (mail,) = await daemon.mails(1)  # the other is told of too late

    assert mail["X-F2B-Ban"] == ban_id
    for kind in ("plain", "html"):
        words = " ".join(part(mail, kind).split())
        assert "1 ban here: sshd" in words
        assert "192.0.2.0/24, last 30 days: 1 other address, 1 ban (.9 1)" in words


async def test_a_mail_names_the_class_and_the_names_that_its_lines_show(
    daemon: Daemon,
) -> None:
    daemon.configure(mail={"format": "both"})
    await daemon.start()
    await daemon.ban(MATCHES=LINES, F_USER="guest")

    (mail,) = await daemon.mails(1)

    assert mail["X-F2B-Attack"] == "ssh-password-guessing"
    for kind, what, names in (("plain", "WHAT", "NAMES"), ("html", "What", "Names")):
        words = shown(mail, kind)
        assert f" {what} SSH password guessing " in words
        assert f" {names} root*, admin, guest " in words


async def test_a_mail_tells_of_a_campaign_that_goes_on(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    walk = Campaign(
        kind="user-name-enumeration",
        scope="subnet",
        who="192.0.2.0/24",
        first_at=daemon.clock() - timedelta(days=9),
        last_at=daemon.clock() - timedelta(days=1),
        bans=12,
        addresses=5,
        names=43,
        in_order=True,
        first_name="aaron",
        last_name="zoe",
    )
    with open_writer(daemon.lab.store) as store, transaction(store):
        campaigns.save(store, walk, now=daemon.clock())

    await daemon.ban("192.0.2.7")
    await daemon.ban("198.51.100.7")

    near, far = await daemon.mails(2)
    words = " ".join(part(near, "plain").split())
    assert (
        "192.0.2.0/24 walks through user names in the order of the alphabet: "
        "43 names (aaron to zoe) in 12 bans of 5 addresses" in words
    )
    assert "walks through" not in part(far, "plain")


async def test_what_repeats_another_ban_says_which_and_is_not_counted(
    daemon: Daemon,
) -> None:
    daemon.configure(mail={"format": "both"})
    await daemon.start()
    first = await daemon.ban(MATCHES=LINES)
    await daemon.mails(1)
    # Who was told of the first is not told of what repeats it.
    other = "other@alerts.example"
    await daemon.ban(JAIL="recidive", TIME=f"{TIME + 1}", DEST=other)
    await daemon.mails(2)
    await daemon.ban(TIME=f"{TIME + 2}")

    _, repeat, second = await daemon.mails(3)

    assert repeat["Subject"].endswith(", repeat offender")
    assert repeat["X-F2B-Attack"] == "repeat-offender"
    assert second["Subject"].endswith(", 2nd ban")
    for kind in ("plain", "html"):
        words = shown(repeat, kind)
        assert "ban here" not in words.replace("1 ban here:", "")
        assert "repeat offender: repeats the ban by sshd of " in words
        assert f"({first.partition('-')[0]}), SSH password guessing " in words
        assert "1 ban here: sshd; previous 2" in words
        assert "; 1 repeat by a jail that watches fail2ban" in words
        assert "; 1 repeat by a jail that watches fail2ban" in shown(second, kind)


async def test_a_repetition_of_what_nobody_recorded_counts_no_ban(
    daemon: Daemon,
) -> None:
    daemon.configure(mail={"format": "text"})
    await daemon.start()
    await daemon.ban(JAIL="recidive")

    (mail,) = await daemon.mails(1)

    words = " ".join(mail.get_content().split())
    assert "WHAT repeat offender: repeats what another jail saw " in words
    assert "no ban here but 1 repeat by a jail that watches fail2ban" in words


async def test_text_alone_is_one_part(daemon: Daemon) -> None:
    daemon.configure(mail={"format": "text"})
    await daemon.start()
    await daemon.ban()

    (mail,) = await daemon.mails(1)

    assert mail.get_content_type() == "text/plain"


async def test_alerts_of_one_address_are_a_thread_until_30_days_are_over(
    daemon: Daemon,
) -> None:
    daemon.configure()
    now = daemon.clock()
    days = (40, 12, 9, 0)
    daemon.clock.move(days=-days[0])
    await daemon.start()
    for number, back in enumerate(days, 1):
        daemon.clock.time = now - timedelta(days=back)
        await daemon.ban("192.0.2.1", TIME=f"{TIME - back * DAY}")
        await daemon.mails(number)
    await daemon.ban("192.0.2.2")

    mails = await daemon.mails(len(days) + 1)

    first, second, third, last, other = (mail["References"] for mail in mails)
    assert first == second
    assert third == last
    assert len({first, third, other}) == 3
    assert "previous" in part(mails[3], "plain")


async def test_what_fail2ban_ignores_is_a_possible_lock_out(daemon: Daemon) -> None:
    daemon.configure()
    etc = daemon.lab.root / "etc"
    (etc / "jail.local").write_text("[sshd]\nignoreip = 192.0.2.0/25\n")
    (etc / "jail.conf").write_text("secret\n")
    await daemon.start()
    await daemon.ban("192.0.2.7")

    (mail,) = await daemon.mails(1)

    assert "possible lock-out" in mail["Subject"]
    assert (
        "your ignoreip entry 192.0.2.0/25 (ignoreip of jail sshd in fail2ban's "
        "configuration)" in " ".join(part(mail, "plain").split())
    )
    assert [
        entry["problem"] for entry in daemon.logged(IGNOREIP, log_level="warning")
    ] == [f"{etc}/jail.conf: line 1: no [section] before it"]


async def test_a_reload_reads_what_fail2ban_ignores_anew(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban("192.0.2.7")
    await daemon.mails(1)
    (daemon.lab.root / "etc" / "jail.conf").write_text(
        "[DEFAULT]\nignoreip = 192.0.2.0/24\n"
    )
    await daemon.reload()
    await daemon.ban("192.0.2.8")

    before, after = await daemon.mails(2)

    assert "possible lock-out" not in before["Subject"]
    assert "possible lock-out" in after["Subject"]
