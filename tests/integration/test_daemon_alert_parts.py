"""Alerts as a mail reader gets them: two parts, a history, threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.daemons import TIME, living

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from email.message import EmailMessage
    from pathlib import Path

    from tests.daemons import Daemon

DAY = 86_400
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


async def test_a_mail_has_a_text_and_a_page_that_tell_the_same(daemon: Daemon) -> None:
    daemon.configure(mail={"format": "both"})
    await daemon.start()
    await daemon.ban("192.0.2.9", TIME=f"{TIME - DAY}")
    ban_id = await daemon.ban("192.0.2.1")

    mail = (await daemon.mails(2))[1]

    assert mail["X-F2B-Ban"] == ban_id
    for kind in ("plain", "html"):
        words = " ".join(part(mail, kind).split())
        assert "1 ban here: sshd" in words
        assert "192.0.2.0/24, last 30 days: 1 other address, 1 ban (.9 1)" in words


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
    await daemon.start()
    days = (40, 12, 9, 0)
    for back in days:
        await daemon.ban("192.0.2.1", TIME=f"{TIME - back * DAY}")
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
