"""A daemon killed at any moment: nothing is lost, nothing counts twice."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT, LabError, until

if TYPE_CHECKING:
    from tests.e2e.site import Site

CLIENT = ("/usr/bin/python3", "-I", "-S", str(PROJECT / "f2b_enrich" / "client.py"))
BANS_A_KILL = 10


def test_nothing_is_lost_over_twenty_kills(site: Site) -> None:
    endure(site, kills=20, seed=20)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_nothing_is_lost_over_two_hundred_kills(site: Site) -> None:
    endure(site, kills=200, seed=200)


def endure(site: Site, *, kills: int, seed: int) -> None:
    """Kill the daemon at random moments of its life while bans arrive."""
    chance = random.Random(seed)
    total = kills * BANS_A_KILL
    limits: dict[str, object] = {"burst": total, "per_day": total + 1}
    site.configure(mail={"wait_seconds": 1}, alerts=limits)
    for round_ in range(kills):
        arriving = threading.Thread(target=ban, args=(site, round_, chance.random()))
        arriving.start()
        killer = threading.Timer(chance.uniform(0.3, 1.4), kill, args=(site,))
        killer.start()
        start_to_be_killed(site)
        killer.join()
        arriving.join()
        if site.lab.daemon is not None:
            site.lab.daemon.wait(timeout=20)
            site.lab.daemon = None

    site.lab.start_daemon()
    site.wait_for_bans(total, seconds=120)
    waiting = "SELECT 1 FROM outbox WHERE state != 'sent'"
    assert until(lambda: not site.rows(waiting), seconds=120), site.told()
    check_mails(site, total, kills)


def check_mails(site: Site, total: int, kills: int) -> None:
    wanted = [row["message_id"] for row in site.rows("SELECT message_id FROM outbox")]
    came = [mail["Message-ID"] for mail in site.mails(total)]
    assert len(wanted) == total
    assert set(came) == set(wanted)
    # Twice at most where a kill fell between the server's "250" and our commit.
    assert len(came) - total <= kills
    assert not list((site.lab.root / "spool").iterdir())


def ban(site: Site, round_: int, pause: float) -> None:
    """Let the real client report bans, spread over the daemon's short life."""
    lab = site.lab
    for number in range(BANS_A_KILL):
        count = round_ * BANS_A_KILL + number
        fields = (
            *("EVENT=ban", "JAIL=sshd", f"IP=192.0.2.{count % 254 + 1}"),
            *(f"TIME={time.time() + count}", "BANTIME=600", "FAILURES=3"),
            *("MATCHES", f"line one of {count}\nline two"),
        )
        spool = str(lab.root / "spool")
        subprocess.run([*CLIENT, str(lab.socket), spool, *fields], check=True)
        time.sleep(pause / BANS_A_KILL)


def start_to_be_killed(site: Site) -> None:
    try:
        site.lab.start_daemon()
    except LabError:
        # Killed before it was ready: that moment is as good as any other.
        assert site.lab.daemon is not None
        assert site.lab.daemon.returncode == -signal.SIGKILL, site.told()


def kill(site: Site) -> None:
    daemon = site.lab.daemon
    if daemon is not None and daemon.poll() is None:
        daemon.kill()
