"""What tests ask of a daemon that runs under a systemd of its own.

Mail and names are served where the daemon looks for them: at ports 25 and 53 of that
machine's own loopback.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from demo.lab import PROJECT, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.systemd_machine import Machine

SERVICE = "f2b-enrich.service"
SOCKET = "/run/f2b-enrich/f2b-enrich.sock"
SPOOL = "/var/spool/f2b-enrich"
WEAK_ROOT = ("setpriv", "--bounding-set=-all")
"""Root without CAP_DAC_OVERRIDE and the like, as some Fail2Ban units run it."""

STORE = "/var/lib/f2b-enrich/bans.db"
TMP = "/tmp"  # noqa: S108 - inside the machine
TIME = 1795262100

_CONFIG = """\
host = "web1.example.org"
[enrich]
reserved_networks = ["192.0.2.0/24"]
[ipinfo]
base_url = "http://127.0.0.1:8080"
[mail]
recipient = "{recipient}"
allow_domains = ["example", "example.org"]
wait_seconds = 5
"""

_SERVERS = """
import asyncio, json
from tests.dns_server import DnsServer
from tests.smtp_server import SmtpServer

RECORDS = {
    ("7.2.0.192.in-addr.arpa.", "PTR"): ["vps7.hosting.example."],
    ("vps7.hosting.example.", "A"): ["192.0.2.7"],
}

async def main():
    with SmtpServer(port=25) as smtp:
        async with DnsServer(RECORDS, tcp=False, port=53):
            print(json.dumps("up"), flush=True)
            told = 0
            while True:
                mails = await asyncio.to_thread(smtp.wait_for, told + 1, seconds=600)
                for mail in mails[told:]:
                    print(json.dumps([mail.recipients, str(mail.content)]), flush=True)
                told = len(mails)

asyncio.run(main())
"""

_READ = """
import json, sqlite3, sys
store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
store.row_factory = sqlite3.Row
print(json.dumps([dict(row) for row in store.execute(sys.argv[2])]))
"""


class Mails:
    """The mails that arrive, read one by one."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.recipients: list[list[str]] = []

    def next(self) -> str:
        """Wait for the next mail; give its content."""
        recipients, content = json.loads(self._stream.readline())
        self.recipients.append(recipients)
        return str(content)


@contextmanager
def serving(machine: Machine) -> Iterator[Mails]:
    """Serve mail and names inside while the block lasts."""
    command = inside(machine, sys.executable, "-c", _SERVERS)
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as servers:
        assert servers.stdout is not None
        try:
            assert json.loads(servers.stdout.readline()) == "up"
            yield Mails(servers.stdout)
        finally:
            servers.kill()


def inside(machine: Machine, *words: str) -> list[str]:
    """Write a command that has this machine's files and that one's network."""
    return ["nsenter", f"--target={machine.init}", "--net", "--", *words]


@contextmanager
def ipinfo(machine: Machine, database: Path | None = None) -> Iterator[None]:
    """Have IPinfo answer inside, with a database to hand out, while the block lasts."""
    command = [sys.executable, "-m", "tests.fake_ipinfo", "--port", "8080"]
    if database is not None:
        command += ["--database", str(database)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        inside(machine, *command), cwd=PROJECT, stdin=pipe, stdout=pipe
    ) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline().startswith(b"http")
            yield
        finally:
            server.kill()


def configure(machine: Machine, recipient: str = "noc@alerts.example") -> None:
    text = _CONFIG.format(recipient=recipient)
    machine.write("/etc/f2b-enrich/config.toml", text, mode="640")
    machine.run("chgrp", "f2b-enrich", "/etc/f2b-enrich/config.toml")


def place(machine: Machine, database: Path) -> None:
    target = "/var/lib/f2b-enrich/geo/ipinfo_lite.mmdb"
    command = machine.words("install", "-m", "644", "/dev/stdin", target)
    with database.open("rb") as file:
        subprocess.run(command, stdin=file, check=True)


def ban(
    machine: Machine, ip: str, at: float | None = None, *, root: tuple[str, ...] = ()
) -> None:
    """Run the real client, as Fail2Ban does; `root` is put before the command."""
    client = "/usr/local/lib/f2b-enrich/client.py"
    at = time.time() if at is None else at
    fields = ("EVENT=ban", "JAIL=sshd", f"IP={ip}", f"TIME={at}", "BANTIME=600")
    lines = ("FAILURES=3", "MATCHES", "Failed password for root")
    python = ("/usr/bin/python3", "-I", "-S", client)
    machine.run(*root, *python, SOCKET, SPOOL, *fields, *lines)


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait as long as a busy machine may need; tell whether it came true."""
    return until(condition, seconds=60)


def is_empty(machine: Machine, folder: str) -> bool:
    """Tell whether nothing lies in a folder inside."""
    return not machine.run("ls", folder)


def knows(machine: Machine, ip: str) -> bool:
    """Tell whether the store has a ban of that address."""
    return {"ip": ip} in rows(machine, "SELECT ip FROM bans")


def rows(machine: Machine, query: str) -> list[dict[str, Any]]:
    """Read the store with nothing but Python's own SQLite, as a member of the group."""
    command = ("/usr/bin/python3", "-I", "-c", _READ, STORE, query)
    said: list[dict[str, Any]] = json.loads(machine.run(*as_reader(machine), *command))
    return said


def as_reader(machine: Machine) -> tuple[str, ...]:
    group = machine.run("id", "-g", "f2b-enrich").strip()
    return ("setpriv", "--reuid=65534", "--regid=65534", f"--groups={group}")


def status(machine: Machine) -> dict[str, str]:
    """Read what the kernel says about the daemon's process."""
    text = machine.run("cat", f"/proc/{machine.show(SERVICE, 'MainPID')}/status")
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def in_its_files(daemon: Machine, script: str) -> str:
    """Run a shell script as root where the daemon sees its files."""
    process = daemon.show(SERVICE, "MainPID")
    words = ("nsenter", f"--target={process}", "--mount", "sh", "-c", script)
    return daemon.run(*words, check=False)


@contextmanager
def drop_in(machine: Machine, text: str) -> Iterator[None]:
    file = f"/etc/systemd/system/{SERVICE}.d/test.conf"
    machine.write(file, text)
    machine.run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        machine.run("rm", file)
        machine.run("systemctl", "daemon-reload")
