"""The units under a real systemd: all that the daemon does, in its confinement."""

from __future__ import annotations

import re
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT
from tests.confined import (
    SERVICE,
    SOCKET,
    SPOOL,
    STORE,
    TIME,
    TMP,
    WEAK_ROOT,
    as_reader,
    ban,
    configure,
    drop_in,
    eventually,
    in_its_files,
    ipinfo,
    is_empty,
    knows,
    place,
    rows,
    serving,
    status,
)
from tests.mmdb import write_lite
from tests.systemd_machine import Machine, booted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.confined import Mails


COMPILED = "/opt/f2b-enrich/lib/python3.*/site-packages/f2b_enrich/__pycache__"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with booted(tmp_path_factory.mktemp("machine")) as machine:
        machine.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        # Waits of seconds between two tries are not what is tested here.
        override = "[Service]\nRestartSec=100ms\n"
        machine.write(f"/etc/systemd/system/{SERVICE}.d/quick.conf", override)
        machine.run("systemctl", "daemon-reload")
        configure(machine)
        yield machine


@pytest.fixture(scope="module")
def mails(machine: Machine) -> Iterator[Mails]:
    with serving(machine) as mails:
        yield mails


@pytest.fixture
def daemon(machine: Machine, mails: Mails, tmp_path: Path) -> Machine:
    """Give a machine whose daemon runs, and has mail and names to go to."""
    del mails
    machine.run("systemctl", "reset-failed")
    if machine.show(SERVICE, "ActiveState") != "active":
        place(machine, write_lite(tmp_path / "geo.mmdb"))
        machine.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
    return machine


def test_a_ban_is_located_named_kept_and_mailed(daemon: Machine, mails: Mails) -> None:
    ban(daemon, "192.0.2.7")
    content = mails.next()
    (row,) = rows(daemon, "SELECT * FROM ban_log WHERE ip = '192.0.2.7'")
    assert row["country_code"] == "DE"
    assert row["hostname"] == "vps7.hosting.example"
    assert row["hostname_confirmed"]
    assert mails.recipients[-1] == ["noc@alerts.example"]
    assert "vps7.hosting.example" in content


def test_the_process_has_no_rights(daemon: Machine) -> None:
    facts = status(daemon)
    user, group = daemon.run("sh", "-c", "id -u f2b-enrich; id -g f2b-enrich").split()
    assert set(facts["Uid"].split()) == {user}
    assert set(facts["Gid"].split()) == {group}
    assert set(facts["Groups"].split()) <= {group}
    sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    assert {int(facts[name], 16) for name in sets} == {0}
    assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")


def test_only_its_own_folders_can_be_written(daemon: Machine) -> None:
    own = ("/var/lib/f2b-enrich", SPOOL, "/run/f2b-enrich", TMP)
    other = ("/opt/f2b-enrich", "/etc/f2b-enrich", "/usr/local/lib/f2b-enrich")
    # Nor what Python would compile beside the program.
    more = (*daemon.run("sh", "-c", f"echo {COMPILED}").split(), "/etc/fail2ban")
    more += ("/var/log", "/run", "/run/lock", "/root", "/")
    tried = "for d in {}; do ( : >$d/written-here ) 2>/dev/null && echo $d; done"
    script = tried.format(" ".join((*own, *other, *more)))
    assert in_its_files(daemon, script).split() == list(own)
    # Its /tmp is its own.
    assert daemon.run("ls", f"{TMP}/written-here", check=False).startswith("ls: ")
    in_its_files(daemon, f"cd / && rm {' '.join(f'{d}/written-here' for d in own)}")


def test_homes_and_devices_are_not_there(daemon: Machine) -> None:
    assert in_its_files(
        daemon, "ls -A /root /home /dev/mem /dev/tty1 2>/dev/null"
    ).split() == ["/home:", "/root:"]


def test_a_member_of_the_group_reads_and_cannot_write(daemon: Machine) -> None:
    ban(daemon, "192.0.2.8")
    asked = "SELECT ip FROM bans WHERE ip = '192.0.2.8'"
    assert rows(daemon, asked) == [{"ip": "192.0.2.8"}]
    write = "import sqlite3; sqlite3.connect('{}').execute('DELETE FROM bans')"
    command = (*as_reader(daemon), "/usr/bin/python3", "-c", write.format(STORE))
    assert "readonly database" in daemon.run(*command, check=False)
    assert rows(daemon, asked) == [{"ip": "192.0.2.8"}]
    others = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    assert "denied" in daemon.run(*others, "cat", STORE, check=False)


def test_a_reload_reads_the_configuration_anew(daemon: Machine, mails: Mails) -> None:
    before = daemon.show(SERVICE, "MainPID")
    configure(daemon, "night@alerts.example")
    daemon.run("systemctl", "reload", SERVICE)
    reads = "configuration read"
    assert eventually(lambda: reads in daemon.journal(SERVICE)), daemon.journal(SERVICE)
    # Mails of before may still be under way.
    while ["night@alerts.example"] not in mails.recipients:
        ban(daemon, "192.0.2.9", time.time() + len(mails.recipients))
        mails.next()
    assert daemon.show(SERVICE, "MainPID") == before
    assert daemon.show(SERVICE, "ActiveState") == "active"


def test_bans_of_the_time_without_a_daemon_are_kept(daemon: Machine) -> None:
    daemon.run("systemctl", "stop", SERVICE)
    # The socket's folder stays, and the socket in it: systemd goes on holding it.
    listing = daemon.run("stat", "-c", "%A %U %G", SOCKET, "/run/f2b-enrich", SPOOL)
    assert listing.splitlines() == [
        "srw-rw---- root f2b-enrich",
        "drwxrws--- root f2b-enrich",
        "drwxrws--- root f2b-enrich",
    ]
    daemon.run("systemctl", "stop", "f2b-enrich.socket")
    ban(daemon, "192.0.2.10", root=WEAK_ROOT)
    assert len(daemon.run("ls", SPOOL).split()) == 1
    # No place there: the second spool takes it.
    daemon.run("chmod", "a-w", SPOOL)
    ban(daemon, "192.0.2.13", root=WEAK_ROOT)
    daemon.run("chmod", "ug+w", SPOOL)
    assert len(daemon.run("ls", "/run/f2b-enrich/spool").split()) == 1
    daemon.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
    for folder, ip in ((SPOOL, "192.0.2.10"), ("/run/f2b-enrich/spool", "192.0.2.13")):
        assert eventually(partial(knows, daemon, ip)), daemon.journal(SERVICE)
        assert eventually(partial(is_empty, daemon, folder))


def test_a_root_without_capabilities_gets_in(daemon: Machine) -> None:
    ban(daemon, "192.0.2.14", root=WEAK_ROOT)
    # By the socket: a ban that was left in the spool could come later than this.
    assert knows(daemon, "192.0.2.14")


def test_a_ban_starts_the_daemon(daemon: Machine) -> None:
    daemon.run("systemctl", "stop", SERVICE)
    ban(daemon, "192.0.2.11")
    assert eventually(lambda: daemon.show(SERVICE, "ActiveState") == "active")
    assert eventually(lambda: knows(daemon, "192.0.2.11"))


def test_secrets_arrive_and_nobody_else_reads_them(daemon: Machine) -> None:
    daemon.write("/etc/f2b-enrich/smtp-password", "correct horse\n", mode="600")
    daemon.run("systemctl", "restart", SERVICE)
    folder = f"/run/credentials/{SERVICE}"
    assert in_its_files(daemon, f"cat {folder}/smtp-password") == "correct horse\n"
    assert in_its_files(daemon, f"cat {folder}/ipinfo-token") == "\n"
    file = f"{folder}/smtp-password"
    assert "denied" in daemon.run(*as_reader(daemon), "cat", file, check=False)
    assert "denied" in daemon.run(
        *as_reader(daemon), "cat", "/etc/f2b-enrich/smtp-password", check=False
    )


def test_a_daemon_that_hangs_is_started_again(daemon: Machine) -> None:
    with drop_in(daemon, "[Service]\nWatchdogSec=3s\n"):
        daemon.run("systemctl", "restart", SERVICE)
        before = daemon.show(SERVICE, "MainPID")
        daemon.run("kill", "-STOP", before)

        def is_another() -> bool:
            state = daemon.show(SERVICE, "ActiveState")
            return state == "active" and daemon.show(SERVICE, "MainPID") != before

        assert eventually(is_another), daemon.journal(SERVICE)
    # It says where it stood.
    assert eventually(lambda: "most recent call first" in daemon.journal(SERVICE))


def test_the_sendmail_drop_in_gives_set_user_id_programs_their_rights_back(
    daemon: Machine,
) -> None:
    page = (PROJECT / "docs" / "how-to" / "sendmail.md").read_text("utf-8")
    ((text),) = re.findall(
        rf"```ini\n# \S+/{SERVICE}\.d/\S+\n(.*?)```", page, re.DOTALL
    )
    with drop_in(daemon, text):
        daemon.run("systemctl", "restart", SERVICE)
        assert status(daemon)["NoNewPrivs"] == "0"
    daemon.run("systemctl", "restart", SERVICE)
    assert status(daemon)["NoNewPrivs"] == "1"


def test_a_geo_update_needs_a_token_and_the_network_only(
    daemon: Machine, tmp_path: Path
) -> None:
    unit = "f2b-enrich-geo.service"
    daemon.run("systemctl", "start", unit)
    assert daemon.show(unit, "ConditionResult") == "no"

    daemon.write("/etc/f2b-enrich/ipinfo-token", "tok-free\n", mode="600")
    with ipinfo(daemon, write_lite(tmp_path / "new.mmdb", built_at=TIME)):
        daemon.run("systemctl", "start", unit, check=False)
    assert daemon.show(unit, "Result") == "success", daemon.journal(unit)
    assert "from http://127.0.0.1:8080" in daemon.journal(unit)
    # The daemon's own user wrote it, and the daemon can read it.
    placed = "/var/lib/f2b-enrich/geo/ipinfo_lite.mmdb"
    assert daemon.run("stat", "-c", "%U %a", placed) == "f2b-enrich 644\n"


def test_ipinfo_is_asked_with_the_token_that_systemd_hands_over(
    daemon: Machine,
) -> None:
    daemon.write("/etc/f2b-enrich/ipinfo-token", "tok-core\n", mode="600")
    daemon.run("systemctl", "restart", SERVICE)
    cities = "SELECT city FROM ban_log WHERE ip = '192.0.2.4' AND city IS NOT NULL"
    with ipinfo(daemon):
        ban(daemon, "192.0.2.4")
        assert eventually(lambda: bool(rows(daemon, cities))), daemon.journal(SERVICE)
    assert rows(daemon, cities) == [{"city": "São Paulo"}]


def test_somebody_is_told_when_the_python_is_gone(daemon: Machine) -> None:
    keep = '#!/bin/sh\nprintf "%s\\n" "$@" >/var/spool/sent\ncat >>/var/spool/sent\n'
    daemon.write("/usr/sbin/sendmail", keep, mode="755")
    python = "/opt/f2b-enrich/bin/python3"
    daemon.run("mv", python, f"{python}.gone")
    try:
        daemon.run("systemctl", "restart", SERVICE, check=False)
        told = "f2b-enrich-failed.service"

        def has_told() -> bool:
            facts = [daemon.show(told, "ExecMainExitTimestamp")]
            return facts != [""] and daemon.show(told, "ActiveState") == "inactive"

        assert eventually(has_told), daemon.journal(SERVICE)
        mail = daemon.run("cat", "/var/spool/sent")
        assert mail.startswith("-i\n-f\nroot\n--\nroot\nFrom: root\nTo: root\n")
        assert f"Python, {python}, is gone" in mail
        assert f"Python, {python}, is gone" in daemon.run(
            "journalctl", "-t", "f2b-enrich"
        )
        # No ban waits for that, and none is lost.
        ban(daemon, "192.0.2.12")
        assert daemon.run("f2b-enrich", "status", check=False).count("\n") == 1
    finally:
        daemon.run("mv", f"{python}.gone", python)
        daemon.run("systemctl", "reset-failed", SERVICE, "f2b-enrich.socket")
        daemon.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
    assert eventually(lambda: knows(daemon, "192.0.2.12"))


def test_somebody_is_told_how_a_daemon_ended_that_cannot_start(
    daemon: Machine,
) -> None:
    daemon.write("/etc/f2b-enrich/config.d/bad.toml", "[mail]\nrecipients = 'x'\n")
    daemon.run("chmod", "755", "/etc/f2b-enrich/config.d")
    with drop_in(daemon, "[Unit]\nStartLimitBurst=2\n"):
        daemon.run("systemctl", "restart", SERVICE, check=False)

        def is_told() -> bool:
            said = daemon.run("journalctl", "-t", "f2b-enrich")
            return "it ended as systemd calls it: exit-code (exited 1)" in said

        assert eventually(is_told), daemon.journal(SERVICE)
    daemon.run("rm", "-r", "/etc/f2b-enrich/config.d")


def is_handed_over(daemon: Machine, ip: str) -> bool:
    """Ban an address; tell whether the ban came by the socket, and not by the spool."""
    ban(daemon, ip, root=WEAK_ROOT)
    is_spooled = daemon.run("ls", SPOOL) != ""
    assert eventually(lambda: knows(daemon, ip))
    return not is_spooled


def test_without_systemd_the_socket_is_for_root_too(daemon: Machine) -> None:
    page = (PROJECT / "docs" / "how-to" / "supervisors.md").read_text("utf-8")
    (folders,) = re.findall(r"```sh\n(install -d .*?)```", page, re.DOTALL)
    daemon.run("systemctl", "stop", "f2b-enrich.socket", SERVICE)
    daemon.run("rm", "-r", "/run/f2b-enrich")
    daemon.run("sh", "-ec", folders)
    user = ("--reuid=f2b-enrich", "--regid=f2b-enrich", "--clear-groups")
    rights = ("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all")
    program = ("/opt/f2b-enrich/bin/f2b-enrich", "daemon")
    with subprocess.Popen(
        daemon.words("setpriv", *user, *rights, *program), stderr=subprocess.DEVNULL
    ) as running:
        try:
            listing = ("stat", "-c", "%A %G", SOCKET)
            made = "srw-rw---- root\n"
            assert eventually(lambda: daemon.run(*listing, check=False) == made)
            # The client waits half a second, which a busy machine may exceed.
            addresses = [f"192.0.2.{number}" for number in range(15, 20)]
            assert any(is_handed_over(daemon, ip) for ip in addresses)
        finally:
            running.terminate()
