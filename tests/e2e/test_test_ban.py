"""`test-ban` on the real programs: it follows one ban, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from demo.lab import LabError, until
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
    *("other_ids", "other_origins", "waiting_events", "enrichments"),
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


@pytest.mark.parametrize(
    ("alerts", "words"),
    [
        ({"policy": "none"}, "be left out (policy none)"),
        ({"policy": "digest"}, "wait for a digest (policy digest)"),
        ({"min_ban_count": 9}, "wait for a digest (ban 1 of 9 that it takes)"),
    ],
)
def test_the_mail_leaves_whatever_the_policy_says(
    site: Site, alerts: dict[str, object], words: str
) -> None:
    site.start(alerts=alerts)

    ran = try_out(site)

    assert (ran.code, ran.err) == (0, "")
    assert f"  the mail would {words}: sent all the same, for the test\n" in ran.out
    assert "taken the mail to noc@alerts.example" in ran.out
    assert len(site.mails(1)) == 1
    assert_nothing_left(site)


def test_the_mail_leaves_in_a_flood(site: Site) -> None:
    site.start(alerts={"burst": 1})
    for number in (7, 8, 9):
        site.lab.attack(f"198.51.100.{number}")
    site.wait_for_bans(3)
    site.wait_for_row("SELECT 1 FROM floods WHERE ended_at IS NULL")

    ran = try_out(site)

    assert (ran.code, ran.err) == (0, "")
    assert "the mail would wait for a digest (brake: 1 mail" in ran.out
    assert "taken the mail to noc@alerts.example" in ran.out
    assert {row["ip"] for row in site.bans()} == {
        *("198.51.100.7", "198.51.100.8", "198.51.100.9")
    }


def test_bans_of_others_stay_and_their_firewall_is_left_alone(site: Site) -> None:
    site.start()
    site.lab.attack("192.0.2.7")
    # The mail server has it before the store says so.
    site.wait_for_row("SELECT 1 FROM outbox WHERE state = 'sent'")
    tables = ("bans", "outbox", "log_lines", "observed", "ban_attacks", "enrichments")
    before = {table: site.rows(f"SELECT * FROM {table}") for table in tables}  # noqa: S608 - our own names

    assert try_out(site).code == 0

    after = {table: site.rows(f"SELECT * FROM {table}") for table in tables}  # noqa: S608 - our own names
    assert after == before
    log = (site.lab.root / "fail2ban.log").read_text()
    assert f"[{JAIL}] Ban " in log
    assert "[sshd] Unban " not in log


def test_without_a_daemon_it_says_where_the_ban_is_stuck(running: Site) -> None:
    running.lab.stop_daemon()

    ran = try_out(running, "--seconds", "2")

    assert ran.code == 1
    assert "the client left the ban in the spool: no daemon answered; " in ran.err
    assert_nothing_left(running)
    running.lab.start_daemon()


def test_what_a_daemon_that_hung_records_late_goes_with_the_next_test(
    running: Site,
) -> None:
    daemon = running.lab.daemon
    assert daemon is not None
    daemon.send_signal(signal.SIGSTOP)
    ran = try_out(running, "--seconds", "1")
    daemon.send_signal(signal.SIGCONT)
    running.wait_for_row("SELECT 1 FROM outbox WHERE state = 'sent'")

    assert ran.code == 1
    assert "should one that hangs record it yet, the next test-ban removes it" in (
        ran.err
    )
    (running.lab.root / "run" / "slow").unlink(missing_ok=True)
    assert try_out(running).code == 0
    assert_nothing_left(running)


def test_what_a_daemon_that_was_slow_records_late_goes_with_its_test(
    running: Site,
) -> None:
    daemon = running.lab.daemon
    assert daemon is not None
    with started(running, "--seconds", "1") as process:
        read_until(process, "is ready")
        daemon.send_signal(signal.SIGSTOP)
        read_until(process, "has banned it")
        assert until((running.lab.root / "run" / "slow").exists)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.2)
        daemon.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)

    (running.lab.root / "run" / "slow").unlink(missing_ok=True)
    assert process.returncode == 1
    assert_nothing_left(running)


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


def test_a_ban_of_which_nobody_is_told_does_not_work(running: Site) -> None:
    with open_writer(running.lab.store) as store:
        store.execute(
            "CREATE TRIGGER none AFTER INSERT ON outbox BEGIN DELETE FROM outbox; END"
        )

    ran = try_out(running)

    with open_writer(running.lab.store) as store:
        store.execute("DROP TRIGGER none")
    assert ran.code == 1
    assert ran.err == ("f2b-enrich: the ban has no mail: no recipient is configured\n")
    assert_nothing_left(running)


def test_an_action_that_does_nothing_is_found_out(running: Site) -> None:
    local = running.lab.root / "etc" / "action.d" / "f2b-enrich.local"
    before = local.read_text()
    local.write_text(f"{before}python = /bin/true\n")

    ran = try_out(running, "--seconds", "1")

    local.write_text(before)
    assert ran.code == 1
    assert "none is in the spool" in ran.err
    assert_nothing_left(running)


@contextlib.contextmanager
def started(site: Site, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command as a terminal does, in a group of its own."""
    with subprocess.Popen(
        [
            *(sys.executable, "-u", "-m", "f2b_enrich", "test-ban"),
            *(*arguments(site), *words),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        yield process


def read_until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"it ended without {word}")


@pytest.mark.parametrize(
    ("number", "word", "more_seconds"),
    [
        (signal.SIGINT, "is ready", 0.0),
        (signal.SIGTERM, "has banned it", 0.0),
        (signal.SIGHUP, "recorded it", 0.0),
        (signal.SIGINT, "taken the mail", 0.0),
        (signal.SIGINT, "taken the mail", 0.1),
        (signal.SIGTERM, "taken the mail", 0.3),
    ],
)
def test_an_interrupted_test_leaves_nothing(
    running: Site, number: signal.Signals, word: str, more_seconds: float
) -> None:
    is_over = word == "taken the mail"
    if not is_over:
        running.smtp.replies["RCPT"] = "450 4.2.0 greylisted"

    with started(running) as process:
        read_until(process, word)
        # A moment of the undoing, not one that something else brings about.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(more_seconds)
        if process.returncode is None:
            # Ctrl-C reaches whatever the command runs as well.
            os.killpg(process.pid, number)
        else:
            assert is_over
        _, err = process.communicate(timeout=60)

    # Once all was seen there is nothing to break off; Python itself may be ending.
    assert process.returncode in ((0, -number) if is_over else (130,))
    assert "Traceback" not in err
    assert_nothing_left(running)


@pytest.mark.parametrize("restarts", [False, True])
def test_what_a_killed_test_left_goes_with_the_next(
    running: Site, *, restarts: bool
) -> None:
    running.smtp.replies["RCPT"] = "450 4.2.0 greylisted"
    with started(running) as process:
        read_until(process, "recorded it")
        process.kill()
    if restarts:
        running.lab.fail2ban("restart")

    with started(running) as process:
        read_until(process, "is ready")
        running.smtp.replies.clear()
        process.communicate(timeout=60)

    assert process.returncode == 0
    assert_nothing_left(running)
    assert len(running.smtp.received) == 1


def test_a_server_that_stops_meanwhile_is_told_and_forgets_in_the_next_test(
    running: Site,
) -> None:
    running.smtp.replies["RCPT"] = "450 4.2.0 greylisted"
    with started(running, "--seconds", "2") as process:
        read_until(process, "recorded it")
        running.lab.stop_fail2ban()
        _, err = process.communicate(timeout=60)
    running.smtp.replies.clear()
    running.lab.start_fail2ban()

    assert process.returncode == 1
    assert err == "f2b-enrich: fail2ban does not run: it has no socket\n"
    assert try_out(running).code == 0
    assert_nothing_left(running)


def test_two_tests_at_once_are_one_too_many(running: Site) -> None:
    with started(running) as process:
        read_until(process, "is ready")
        second = try_out(running)
        process.communicate(timeout=60)

    assert second.code == 1
    assert second.err == "f2b-enrich: another test-ban runs: wait until it ends\n"
    assert process.returncode == 0
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


@contextlib.contextmanager
def having(site: Site, actions: str) -> Iterator[None]:
    """Give the sshd jail other actions for a while."""
    local = site.lab.root / "etc" / "jail.d" / "zz.local"
    local.write_text(f"[sshd]\naction = {actions}\n")
    site.lab.fail2ban("reload", "--restart", "sshd")
    try:
        yield
    finally:
        local.unlink()
        site.lab.fail2ban("reload", "--restart", "sshd")


def test_an_action_that_is_told_another_name_reports_the_tests_jail(
    running: Site,
) -> None:
    with having(running, 'f2b-enrich[name="ssh-front", dest="noc@alerts.example"]'):
        ran = try_out(running)

        assert (ran.code, ran.err) == (0, "")
        assert_nothing_left(running)


def test_a_jail_with_our_action_alone_asks_nothing(running: Site) -> None:
    with having(running, 'f2b-enrich[actname=tell, name="%(__name__)s"]'):
        ran = try_out(running, "--jail", "sshd")

        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith("  0.00 s  jail sshd is ready")
        assert_nothing_left(running)


def test_what_cannot_be_begun_is_told_in_a_line(running: Site, tmp_path: Path) -> None:
    unknown = try_out(running, "--jail", "none", "--yes")
    nowhere = try_out(running, "--folder", tmp_path / "none")
    with having(running, "lab-firewall"):
        lacking = try_out(running, "--jail", "sshd", "--yes")

    assert [ran.code for ran in (unknown, nowhere, lacking)] == [1, 1, 1]
    assert "none" in unknown.err
    assert f"{tmp_path}/none: No such file or directory" in nowhere.err
    assert "jail sshd runs without our action" in lacking.err
    assert_nothing_left(running)


def test_a_server_without_our_action_is_told(running: Site) -> None:
    with having(running, "lab-firewall"):
        ran = try_out(running)

    assert ran.code == 1
    assert "no jail is configured with our action" in ran.err


def test_a_ban_under_another_name_is_found(site: Site) -> None:
    site.start(jails__aliases={JAIL: "tests"})

    assert try_out(site).code == 0

    assert_nothing_left(site)


def test_no_address_with_a_history_is_taken(running: Site) -> None:
    with open_writer(running.lab.store) as store, transaction(store):
        store.executemany(
            "INSERT INTO bans (id, host, jail, ip, banned_at, banned_at_source, "
            "failures, ban_count, received_at, origin, reference, announced_at, "
            "lines_received) VALUES (?1, 'web1', 'old', ?1, '2026-01-01T00:00:00Z', "
            "'failure', 1, 1, '2026-01-01T00:00:00Z', 'live', '', "
            "'2026-01-01T00:00:00Z', 0)",
            [(f"192.0.2.{number}",) for number in range(1, 255)],
        )

    ran = try_out(running)

    with open_writer(running.lab.store) as store, transaction(store):
        store.execute("DELETE FROM bans WHERE jail = 'old'")
    assert ran.code == 1
    assert "all of 192.0.2.0/24 was banned already, nothing was done" in ran.err
    with pytest.raises(LabError):
        running.lab.fail2ban("status", JAIL)
