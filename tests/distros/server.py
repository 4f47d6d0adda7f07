"""A live server in a throw-away machine: Fail2Ban with bans, a log, a mail server."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.distros.machine import Machine

OLD = tuple(f"192.0.2.{number}" for number in range(1, 21))
DAEMON = (
    "setpriv --reuid f2b-enrich --regid f2b-enrich --clear-groups "
    "/usr/local/bin/f2b-enrich daemon"
)
STATE = ("/var/lib/f2b-enrich", "/var/spool/f2b-enrich", "/etc/f2b-enrich")
_AUTH_LOG = "/var/log/auth.log"
_MAILS = "/mnt/mails"
_PID = "/mnt/daemon.pid"

_FIREWALL = """\
[Definition]
actionban = true
actionunban = true
"""
_JAILS = f"""\
[DEFAULT]
banaction = no-firewall
banaction_allports = no-firewall
usedns = no
[sshd]
enabled = true
backend = polling
logpath = {_AUTH_LOG}
maxretry = 3
findtime = 1h
bantime = 1h
"""


class Server:
    """What a test does on the server."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def set_up(self) -> None:
        """Write what an administrator has, and start Fail2Ban with twenty bans."""
        self.machine.write("/etc/hosts", "127.0.0.1 localhost\n")
        self.machine.write("/etc/fail2ban/action.d/no-firewall.conf", _FIREWALL)
        self.machine.write("/etc/fail2ban/jail.local", _JAILS)
        self.machine.write(_AUTH_LOG, "")
        self.machine.run("mkdir", "-p", "/run/fail2ban", _MAILS)
        self.machine.run("fail2ban-client", "start")
        self.machine.run("fail2ban-client", "set", "sshd", "banip", *OLD)
        assert until(lambda: len(self.banned()) == len(OLD)), self.log()

    def start_mail(self) -> None:
        script = Path(__file__).with_name("sink.py").read_text()
        self.machine.write("/mnt/sink.py", script)
        self.machine.start("/usr/bin/python3", "/mnt/sink.py", _MAILS)

    def start_daemon(self) -> None:
        self.machine.start("sh", "-c", f"echo $$ >{_PID}; exec {DAEMON} 2>/mnt/daemon")
        socket = "/run/f2b-enrich/f2b-enrich.sock"
        assert until(lambda: self.machine.path(socket).exists()), self.log()

    def stop_daemon(self) -> None:
        self.machine.run("sh", "-c", f"kill $(cat {_PID})")
        store = self.machine.path("/var/lib/f2b-enrich/bans.db-wal")
        assert until(lambda: not store.exists()), self.log()

    def banned(self) -> set[str]:
        """Name the addresses that Fail2Ban has banned."""
        told = self.machine.run("fail2ban-client", "get", "sshd", "banip")
        return set(told.split())

    def actions(self) -> str:
        return self.machine.run("fail2ban-client", "get", "sshd", "actions")

    def attack(self, address: str) -> None:
        """Let somebody try three passwords."""
        now = self.machine.run("date", "+%b %e %H:%M:%S").strip()
        line = (
            f"{now} web1 sshd[4021]: Failed password for root from {address} port 502\n"
        )
        with self.machine.path(_AUTH_LOG).open("a") as log:
            log.write(line * 3)

    def rows(self, address: str) -> list[dict[str, Any]]:
        query = f"select * from ban_log where ip = '{address}'"  # noqa: S608
        told = self.machine.run("f2b-enrich", "sql", query, "--json", code=None)
        return json.loads(told) if told.startswith("[") else []

    def mails(self) -> list[str]:
        folder = self.machine.path(_MAILS)
        return [mail.read_text() for mail in sorted(folder.glob("*.eml"))]

    def log(self) -> str:
        """Give what Fail2Ban and the daemon have said."""
        texts = [
            self.machine.path(name).read_text(errors="replace")
            for name in ("/var/log/fail2ban.log", "/mnt/daemon")
            if self.machine.path(name).exists()
        ]
        return "\n".join(texts)


def until(happened: Callable[[], bool], *, seconds: float = 30.0) -> bool:
    """Look every tenth of a second; tell whether it happened."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return False
