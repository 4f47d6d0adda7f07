"""`test-ban` on the real programs: it follows one ban, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import re
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from demo.lab import LabError
from f2b_enrich.store.connection import open_writer, transaction
from tests.cli import run
from tests.e2e.lasting import lasting_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli import Ran
    from tests.e2e.site import Site

JAIL = "f2b-enrich-test"
TABLES = (
    *("bans", "outbox", "log_lines", "observed", "ban_attacks"),
    *("waiting_events", "enrichments"),
)


@pytest.fixture(scope="module")
def lasting() -> Iterator[Site]:
    with lasting_site() as site:
        yield site


@pytest.fixture
def running(lasting: Site) -> Iterator[Site]:
    """Give a server that others used and left as it was."""
    assert_nothing_left(lasting)
    lasting.smtp.received.clear()
    yield lasting
    lasting.smtp.replies.clear()


def try_out(site: Site, *words: str | Path) -> Ran:
    return run("test-ban", *arguments(site), *words)


def arguments(site: Site) -> tuple[str, ...]:
    return ("--config", str(site.lab.config), "--folder", str(site.lab.root))


def assert_nothing_left(site: Site) -> None:
    for table in TABLES:
        assert site.rows(f"SELECT * FROM {table}") == []  # noqa: S608 - our own names
    assert site.rows("SELECT * FROM jails WHERE origin != 'shipped'") == []
    assert site.rows("SELECT * FROM jails WHERE jail = 'sshd'") != []
    assert list(site.lab.root.glob(f"{JAIL}*")) == []
    assert list((site.lab.root / "spool").iterdir()) == []
    assert JAIL not in site.lab.fail2ban("status")
    known = site.lab.root / "fail2ban.sqlite3"
    with contextlib.closing(sqlite3.connect(known, timeout=10)) as db:
        assert db.execute("SELECT * FROM bips").fetchall() == []
    assert "Currently banned:\t0" in site.lab.fail2ban("status", "sshd")


def test_a_ban_is_followed_to_the_mail_and_nothing_is_left(running: Site) -> None:

    ran = try_out(running)

    assert (ran.code, ran.err) == (0, "")
    steps = [
        line for line in ran.out.splitlines() if re.match(r" *\d+\.\d\d s  ", line)
    ]
    assert len(steps) == 4
    assert "fail2ban has banned it" in steps[1]
    assert "recorded it: ban " in steps[2]
    assert "taken the mail to noc@alerts.example" in steps[3]
    (mail,) = running.mails(1)
    assert f"web1 {JAIL}: banned 192.0.2." in mail["Subject"]
    assert mail.get_content().count("nobody attacked, this is a test") >= 1
    assert_nothing_left(running)
    assert try_out(running).code == 0
    assert_nothing_left(running)


def test_bans_of_others_stay_and_their_firewall_is_left_alone(site: Site) -> None:
    site.start()
    site.lab.attack("192.0.2.7")
    site.mails(1)
    before = site.bans()

    assert try_out(site).code == 0

    assert site.bans() == before
    log = (site.lab.root / "fail2ban.log").read_text()
    assert f"[{JAIL}] Ban " in log
    assert "Unban 192.0.2.7" not in log


def test_without_a_daemon_it_says_where_the_ban_is_stuck(site: Site) -> None:
    site.start()
    site.lab.stop_daemon()

    ran = try_out(site, "--seconds", "2")

    assert ran.code == 1
    assert "the client left the ban in the spool: no daemon took it" in ran.err
    assert_nothing_left(site)


def test_a_mail_that_is_not_taken_is_told_with_the_reason(running: Site) -> None:
    running.smtp.replies["RCPT"] = "450 4.2.0 greylisted"

    ran = try_out(running, "--seconds", "3")

    assert ran.code == 1
    assert "no mail server has taken the mail within 3 s: " in ran.err
    assert "greylisted" in ran.err
    assert_nothing_left(running)


def test_a_mail_that_is_refused_is_told_with_the_reason(running: Site) -> None:
    running.smtp.replies["RCPT"] = "550 5.1.1 nobody here"

    ran = try_out(running, "--seconds", "10")

    assert ran.code == 1
    assert "the mail was not sent: " in ran.err
    assert "nobody here" in ran.err
    assert_nothing_left(running)


def test_an_action_that_does_nothing_is_found_out(site: Site) -> None:
    site.start_daemon()
    site.lab.write_fail2ban()
    local = site.lab.root / "etc" / "action.d" / "f2b-enrich.local"
    local.write_text(local.read_text() + "python = /bin/true\n")
    site.lab.start_fail2ban()

    ran = try_out(site, "--seconds", "2")

    assert ran.code == 1
    assert "none is in the spool" in ran.err
    assert_nothing_left(site)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_test_leaves_nothing(
    running: Site, number: signal.Signals
) -> None:
    running.smtp.replies["RCPT"] = "450 4.2.0 greylisted"

    with subprocess.Popen(
        [sys.executable, "-u", "-m", "f2b_enrich", "test-ban", *arguments(running)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "recorded it" in line:
                break
        process.send_signal(number)
        _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in err
    assert_nothing_left(running)


def test_what_a_killed_test_left_is_no_hindrance(running: Site) -> None:
    running.lab.fail2ban("add", JAIL, "polling")

    assert try_out(running).code == 0

    assert_nothing_left(running)


def test_a_jail_of_the_server_is_used_with_all_its_actions(running: Site) -> None:

    ran = try_out(running, "--jail", "sshd", "--yes")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("other actions of sshd: lab-firewall\n")
    (mail,) = running.mails(1)
    assert "web1 sshd: banned 192.0.2." in mail["Subject"]
    assert_nothing_left(running)


def test_a_jail_of_the_server_is_used_only_after_a_yes(running: Site) -> None:

    ran = subprocess.run(
        [
            *(sys.executable, "-m", "f2b_enrich", "test-ban", *arguments(running)),
            *("--jail", "sshd"),
        ],
        input="n\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Go on? [y/N]" in ran.stdout
    assert ran.returncode == 130
    assert_nothing_left(running)
    assert running.smtp.received == []


def test_what_cannot_be_begun_is_told_in_a_line(site: Site, tmp_path: Path) -> None:
    site.start()

    unknown = try_out(site, "--jail", "none", "--yes")
    nowhere = try_out(site, "--folder", tmp_path / "none")
    site.lab.fail2ban("set", "sshd", "delaction", "f2b-enrich")
    lacking = try_out(site, "--jail", "sshd", "--yes")

    assert [ran.code for ran in (unknown, nowhere, lacking)] == [1, 1, 1]
    assert "none" in unknown.err
    assert f"{tmp_path}/none: No such file or directory" in nowhere.err
    assert "jail sshd runs without our action" in lacking.err
    assert_nothing_left(site)


def test_a_server_without_our_action_is_told(site: Site) -> None:
    site.start()
    (site.lab.root / "etc" / "jail.d" / "f2b-enrich.conf").unlink()

    ran = try_out(site)

    assert ran.code == 1
    assert "no jail is configured with our action" in ran.err


def test_a_ban_under_another_name_is_found(site: Site) -> None:
    site.start(jails__aliases={JAIL: "tests"})

    assert try_out(site).code == 0

    assert_nothing_left(site)


def test_no_address_with_a_history_is_taken(site: Site) -> None:
    site.start()
    with open_writer(site.lab.store) as store, transaction(store):
        store.executemany(
            "INSERT INTO bans (id, host, jail, ip, banned_at, banned_at_source, "
            "failures, ban_count, received_at, origin, reference, announced_at, "
            "lines_received) VALUES (?1, 'web1', 'old', ?1, '2026-01-01T00:00:00Z', "
            "'failure', 1, 1, '2026-01-01T00:00:00Z', 'live', '', "
            "'2026-01-01T00:00:00Z', 0)",
            [(f"192.0.2.{number}",) for number in range(1, 255)],
        )

    ran = try_out(site)

    assert ran.code == 1
    assert "all of 192.0.2.0/24 was banned already, nothing was done" in ran.err
    with pytest.raises(LabError):
        site.lab.fail2ban("status", JAIL)
