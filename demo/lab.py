"""A real fail2ban and the real daemon in one throw-away folder, firewall left alone.

Nothing outside the folder is written. fail2ban reads a copy of its stock configuration
with our two files dropped in, as on a server.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROJECT = Path(__file__).resolve().parent.parent
STOCK = Path("/etc/fail2ban")
STOCK_FILES = (
    *("jail.conf", "fail2ban.conf", "paths-*.conf"),
    *("filter.d/*.conf", "filter.d/*.py", "filter.d/ignorecommands/*"),
    *("action.d/*.conf", "action.d/*.py"),
)

_FAIL2BAN = """\
[DEFAULT]
loglevel = INFO
logtarget = {root}/fail2ban.log
syslogsocket = auto
socket = {root}/run/fail2ban.sock
pidfile = {root}/run/fail2ban.pid
dbfile = {root}/fail2ban.sqlite3
dbpurgeage = 1d
dbmaxmatches = 10
allowipv6 = auto
[Definition]
[Thread]
"""

_FIREWALL = """\
[Definition]
actionstart =
actionstop =
actioncheck =
actionban = true
actionunban = true
"""

_ACTION = """\
[Init]
client = {client}
socket = {root}/run/f2b-enrich.sock
spool = {root}/spool
"""

_JAILS = """\
[DEFAULT]
banaction = lab-firewall
banaction_allports = lab-firewall
backend = polling
usedns = no
ignoreself = false
[sshd]
enabled = true
backend = polling
logpath = {root}/auth.log
maxretry = 3
findtime = 1h
bantime = 1h
{jails}
"""


class LabError(Exception):
    """Something in the folder did not come up."""


class Lab:
    """Start and stop what one server runs: `with Lab(folder) as lab`."""

    def __init__(
        self,
        root: Path,
        *,
        python: str = sys.executable,
        client: Path = PROJECT / "f2b_enrich" / "client.py",
    ) -> None:
        """Name the folder, the Python that has the package, and the client to run."""
        self.root = root
        self.config = root / "config.toml"
        self.log = root / "auth.log"
        self.store = root / "bans.db"
        self.socket = root / "run" / "f2b-enrich.sock"
        self.daemon: subprocess.Popen[bytes] | None = None
        self._python = python
        self._client = client
        self._fail2ban_runs = False
        for folder in ("etc", "run", "run/spool", "spool"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        self.log.touch()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._fail2ban_runs:
                self.stop_fail2ban()
        finally:
            if self.daemon is not None:
                self.stop_daemon()

    def write_fail2ban(self, jails: str = "") -> None:
        """Lay out fail2ban's configuration; `jails` is added to its jail.local."""
        etc = self.root / "etc"
        copy_stock(etc)
        for name in ("action.d", "jail.d"):
            (etc / name).mkdir(exist_ok=True)
            shutil.copy(PROJECT / name / "f2b-enrich.conf", etc / name)
        values = {"root": self.root, "client": self._client, "jails": jails}
        for name, text in (
            ("fail2ban.local", _FAIL2BAN),
            ("action.d/lab-firewall.conf", _FIREWALL),
            ("action.d/f2b-enrich.local", _ACTION),
            ("jail.local", _JAILS),
        ):
            (etc / name).write_text(text.format(**values))

    def write_config(self, **sections: Mapping[str, object]) -> None:
        """Write the daemon's configuration; a section's keys are added to the lab's."""
        values: dict[str, dict[str, object]] = {
            "store": {"path": str(self.store)},
            "daemon": {"socket": str(self.socket), "spool": str(self.root / "spool")},
            "geo": {"database": str(self.root / "geo.mmdb")},
            "dns": {"reverse": False},  # no question leaves the folder
            "own": {"fail2ban": str(self.root / "etc")},
            "classify": {"rules": str(self.root / "rules.d")},
        }
        for name, keys in sections.items():
            values.setdefault(name, {}).update(keys)
        lines = ['host = "web1.example.org"']
        for name, keys in values.items():
            lines.append(f"[{name.replace('__', '.')}]")
            # JSON's strings, numbers and lists are TOML's too.
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        self.config.write_text("\n".join(lines) + "\n")

    def start_fail2ban(self) -> None:
        """Start the server and wait until it answers."""
        self.fail2ban("start")
        self._fail2ban_runs = True

    def stop_fail2ban(self) -> None:
        """Stop the server and wait until it is gone."""
        self._fail2ban_runs = False
        self.fail2ban("stop")

    def fail2ban(self, *words: str) -> str:
        """Run fail2ban-client against the server in the folder; give what it said.

        Raises:
            LabError: it refused.
        """
        run = self.root / "run"
        command = [
            *("fail2ban-client", "-c", str(self.root / "etc")),
            *("-s", str(run / "fail2ban.sock"), "-p", str(run / "fail2ban.pid")),
            *words,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def attack(self, ip: str, *, times: int = 3, user: str = "root") -> None:
        """Append failed log-ins to the log that the sshd jail reads."""
        stamp = time.strftime("%b %e %H:%M:%S")
        with self.log.open("a") as log:
            for port in range(50000, 50000 + times):
                log.write(
                    f"{stamp} web1 sshd[4021]: Failed password for {user} "
                    f"from {ip} port {port} ssh2\n"
                )

    def start_daemon(self, *, environ: Mapping[str, str] | None = None) -> None:
        """Start the daemon and wait until it says that it takes bans.

        Raises:
            LabError: it ended instead, or took over 20 s.
        """
        address = self.root / "run" / "notify"
        address.unlink(missing_ok=True)
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
            (self.root / "daemon.log").open("ab") as log,
        ):
            notify.bind(str(address))
            notify.settimeout(0.5)
            self.daemon = subprocess.Popen(
                [
                    *(self._python, "-m", "f2b_enrich", "daemon"),
                    *("--config", str(self.config)),
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, **(environ or {}), "NOTIFY_SOCKET": str(address)},
            )
            until = time.monotonic() + 20
            while time.monotonic() < until and self.daemon.poll() is None:
                with contextlib.suppress(TimeoutError):
                    if b"READY=1" in notify.recv(4096):
                        return
        raise LabError(f"the daemon did not start: {self.daemon_log()[-2000:]}")

    def stop_daemon(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the daemon a signal and wait for its end; give its exit status."""
        if self.daemon is None:
            raise LabError("no daemon runs")
        self.daemon.send_signal(number)
        status = self.daemon.wait(timeout=40)
        self.daemon = None
        return status

    def daemon_log(self) -> str:
        """Read what the daemon logged."""
        path = self.root / "daemon.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""


def copy_stock(etc: Path) -> None:
    """Copy what fail2ban's package ships, and nothing of this machine's owner.

    His jails would ban for real, and his `*.local` files may hold secrets.
    """
    for pattern in STOCK_FILES:
        for file in STOCK.glob(pattern):
            target = etc / file.relative_to(STOCK)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)


def until(condition: Callable[[], bool], *, seconds: float = 15.0) -> bool:
    """Wait for a condition of other processes; tell whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
