"""`report --mail`, from the store through the outbox to a mail server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.cli import report_mail
from tests.cli import Ran, run
from tests.daemons import living
from tests.digest_mail import body
from tests.report_events import ReportStore
from tests.report_mails import pictures_of, read
from tests.report_october import october

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.daemons import Daemon

SUBJECT = "[fail2ban] October 2024: 1,698 bans of 887 addresses on 3 hosts"
MONTH = ("--month", "2024-10", "--timezone", "UTC")


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    store = ReportStore(tmp_path_factory.mktemp("october") / "bans.db")
    found = october()
    store.add(found.told, found.known)
    return store.path.read_bytes()


@pytest.fixture
async def daemon(short_folder: Path, month: bytes) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        daemon.lab.store.write_bytes(month)
        daemon.configure(mail={"format": "both"})
        yield daemon


async def report(daemon: Daemon, *words: str) -> Ran:
    given: tuple[str | Path, ...] = (*MONTH, *words, "--config", daemon.lab.config)
    return await asyncio.to_thread(run, "report", "--mail", *given)


async def test_a_month_arrives_with_its_pictures(daemon: Daemon) -> None:
    await daemon.start()
    ran = await report(daemon)
    (mail,) = await daemon.mails(1)
    await daemon.until_sent(1)

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == (
        "f2b-enrich: mail 1 to noc@alerts.example: October 2024; queued, the daemon "
        "sends it\n"
    )
    assert mail["Subject"] == SUBJECT
    assert mail["To"] == "noc@alerts.example"
    (received,) = daemon.smtp.received
    assert received.recipients == ("noc@alerts.example",)
    message = read(received.content)
    names = {part.get_filename() for part in pictures_of(message)}
    assert {"days.png", "countries.png"} <= names
    assert "Bar chart of countries, by addresses: United States 223" in body(
        message, "html"
    )
    assert "United States" in body(message, "html")
    assert "United States" in body(message, "plain")
    assert len(received.content) < report_mail.LARGEST


async def test_an_import_of_mails_takes_it_for_no_ban(daemon: Daemon) -> None:
    await daemon.start()
    await report(daemon)
    await daemon.until_sent(1)
    path = daemon.lab.root / "inbox"
    path.write_bytes(
        b"From root Fri Nov  1 05:30:00 2024\n"
        + daemon.smtp.received[0].content.replace(b"\r\n", b"\n")
        + b"\n"
    )
    words = ("import", "mail", path, "--config", daemon.lab.config, "--dry-run")
    await daemon.stop()
    ran = run(*words)

    assert ran.code == 0, ran.err
    assert "bans      none\nbesides   1 other mail\n" in ran.out


async def test_no_server_today_and_one_tomorrow(daemon: Daemon) -> None:
    daemon.smtp.replies["CONNECT"] = "421 4.3.2 closed for today"
    await daemon.start()
    await report(daemon)
    await daemon.until_logged("mail not sent")
    assert daemon.states() == ["due"]
    await daemon.stop()

    daemon.smtp.replies.clear()
    await daemon.start()
    daemon.clock.move(hours=1)
    (mail,) = await daemon.mails(1)
    await daemon.until_sent(1)

    assert mail["Subject"] == SUBJECT


async def test_what_was_sent_is_not_kept(daemon: Daemon) -> None:
    await daemon.start()
    await report(daemon)
    await daemon.until_sent(1)

    assert daemon.rows("SELECT message FROM report_mails") == [{"message": None}]
    shown = await asyncio.to_thread(
        run, "outbox", "show", "1", "--config", daemon.lab.config
    )
    assert "mail        1, report October 2024\n" in shown.out
    assert "cannot be written: the report is not kept any more" in shown.out


async def test_once_is_once(daemon: Daemon) -> None:
    await daemon.start()
    first = await report(daemon, "--once")
    again = await report(daemon, "--once")
    await daemon.until_sent(1)
    later = await report(daemon, "--once")
    other = await report(daemon, "--once", "--service", "mail")
    await daemon.until_sent(2)

    assert "queued" in first.err
    assert again.code == later.code == other.code == 0
    assert again.err.startswith(
        "f2b-enrich: October 2024 to noc@alerts.example: mail 1 "
    )
    assert "mail 1 was sent " in later.err
    assert [row["about"] for row in daemon.outbox()] == ["October 2024"] * 2
    assert await report(daemon) != later
    await daemon.until_sent(3)


async def test_what_was_dropped_may_be_sent_anew(daemon: Daemon) -> None:
    await report(daemon, "--once")
    await asyncio.to_thread(run, "outbox", "drop", "1", "--config", daemon.lab.config)
    assert daemon.rows("SELECT message FROM report_mails") == [{"message": None}]

    assert "mail 2 to " in (await report(daemon, "--once")).err


async def test_it_waits_for_a_daemon_as_it_was_written(daemon: Daemon) -> None:
    await report(daemon)
    shown = await asyncio.to_thread(
        run, "outbox", "show", "1", "--config", daemon.lab.config
    )
    assert f"Subject: {SUBJECT}" in shown.out
    assert "COUNTRIES" in shown.out

    await daemon.start()
    (mail,) = await daemon.mails(1)
    assert mail["Subject"] == SUBJECT


async def test_without_the_extra_it_goes_without_pictures(daemon: Daemon) -> None:
    await daemon.start()
    program = (
        "import sys; sys.modules['vl_convert'] = None; "
        "from f2b_enrich.cli.main import main; main()"
    )
    config = ("--config", str(daemon.lab.config))
    command = (sys.executable, "-c", program, "report", "--mail", *MONTH, *config)
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    await daemon.until_sent(1)

    message = read(daemon.smtp.received[0].content)
    assert pictures_of(message) == []
    for kind in ("html", "plain"):
        text = " ".join(body(message, kind).split())
        assert "these need `./install.sh --with report`" in text


async def test_each_of_several_gets_one(daemon: Daemon) -> None:
    daemon.configure(mail={"recipient": "noc@alerts.example, root@alerts.example"})
    await daemon.start()
    await report(daemon)
    mails = await daemon.mails(2)

    assert {mail["To"] for mail in mails} == {
        "noc@alerts.example",
        "root@alerts.example",
    }
    assert len({mail["Message-ID"] for mail in mails}) == 2


async def test_reports_may_have_a_recipient_of_their_own(daemon: Daemon) -> None:
    daemon.configure(report={"recipient": "board@alerts.example"})
    await daemon.start()
    await report(daemon)
    (mail,) = await daemon.mails(1)

    assert mail["To"] == "board@alerts.example"


async def test_an_address_that_nobody_chose_gets_nothing(daemon: Daemon) -> None:
    daemon.configure(report={"recipient": "you@mail.com"})
    ran = await report(daemon)

    assert ran.code == 1
    assert ran.err == (
        "f2b-enrich: report.recipient: you@mail.com: a sample address that belongs to "
        "nobody here, set a real one (mail.allow_domains lifts this)\n"
    )
    assert daemon.outbox() == []


async def test_pictures_that_would_be_too_much_are_left_out(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_mail, "LARGEST", 100_000)
    await daemon.start()
    assert (await report(daemon)).code == 0
    await daemon.until_sent(1)

    message = read(daemon.smtp.received[0].content)
    assert pictures_of(message) == []
    assert report_mail.TOO_LARGE in " ".join(body(message, "plain").split())


async def test_a_mail_that_is_too_large_is_not_queued(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_mail, "LARGEST", 1000)
    ran = await report(daemon)

    assert ran.code == 1
    assert "bytes, the limit is 1,000: a smaller --top makes it shorter" in ran.err
    assert daemon.outbox() == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--mail", "--format", "json"), "--mail takes neither --format nor --output"),
        (("--mail", "-o", "x"), "--mail takes neither --format nor --output"),
        (("--once",), "--once needs --mail"),
    ],
)
def test_options_that_do_not_go_together(words: tuple[str, ...], problem: str) -> None:
    ran = run("report", *words)

    assert ran.code == 2
    assert problem in ran.err
