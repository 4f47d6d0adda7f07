"""The watched mailbox read under a real systemd, in the confinement of its unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.confined import SERVICE, configure, rows
from tests.systemd_machine import Machine, booted

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "f2b-enrich-mailbox.service"
TIMER = "f2b-enrich-mailbox.timer"
_LAY_OUT = """
set -eu
mkdir -p "$1/new" "$1/cur"
printf '%s\\n' 'Subject: [Fail2Ban] sshd: banned 192.0.2.7 from old.example' \\
    'Date: Sat, 21 Nov 2026 19:14:03 +0000' 'From: root@old.example' '' \\
    'The IP 192.0.2.7 has just been banned by Fail2Ban after' \\
    '5 attempts against sshd.' >"$1/new/1"
chgrp -R mail "$1"
chmod -R g=rX,o= "$1"
mkdir -p /etc/f2b-enrich/config.d
printf '[mailbox]\\nmaildir = "%s"\\n' "$1" >/etc/f2b-enrich/config.d/mailbox.toml
"""
_DROP_IN = """
set -eu
mkdir -p /etc/systemd/system/f2b-enrich-mailbox.service.d
printf '[Service]\\n%s\\n' "$1" \\
    >/etc/systemd/system/f2b-enrich-mailbox.service.d/mailbox.conf
systemctl daemon-reload
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with booted(tmp_path_factory.mktemp("machine")) as machine:
        configure(machine)
        yield machine


def test_a_mailbox_is_read_beside_the_daemon(machine: Machine) -> None:
    machine.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
    machine.run("sh", "-c", _LAY_OUT, "lay-out", "/home/abuse/Maildir")
    machine.run("chmod", "711", "/home/abuse")
    machine.run("systemctl", "start", UNIT, check=False)
    assert machine.show(UNIT, "Result") == "exit-code"
    assert "/home/abuse/Maildir/new: " in machine.journal(UNIT)

    lines = "ProtectHome=read-only\nSupplementaryGroups=mail"
    machine.run("sh", "-c", _DROP_IN, "drop-in", lines)
    machine.run("systemctl", "start", UNIT, check=False)

    assert machine.show(UNIT, "Result") == "success", machine.journal(UNIT)
    assert "1 new" in machine.journal(UNIT)
    assert rows(machine, "SELECT host, ip FROM bans") == [
        {"host": "old.example", "ip": "192.0.2.7"}
    ]
    # It is run every five minutes: systemd's own words about it are not kept.
    assert "Starting" not in machine.journal(UNIT)


def test_the_timer_can_be_enabled(machine: Machine) -> None:
    machine.run("systemctl", "start", TIMER)
    assert machine.show(TIMER, "ActiveState") == "active"
    machine.run("systemctl", "stop", TIMER)
