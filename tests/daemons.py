"""The whole daemon inside a test: its own loop and clock, real socket, store and mail.

    async with living(folder) as daemon:
        daemon.configure()
        await daemon.start()
        ban = await daemon.ban("192.0.2.7")
        (mail,) = await daemon.mails(1)

The clock stands still until a test moves it; what then becomes due is noticed with the
next event, so `nudge` reports one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from demo.lab import PROJECT, Lab, until
from f2b_enrich.config_files import load
from f2b_enrich.credentials import load_secrets
from f2b_enrich.daemon.app import run
from f2b_enrich.daemon.world import Spans, World
from tests.clock import Clock
from tests.e2e.site import Site
from tests.smtp_server import SmtpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
    from datetime import tzinfo
    from email.message import EmailMessage
    from pathlib import Path

    from f2b_enrich.config import Settings
    from f2b_enrich.credentials import Secrets

DEADLINE = 20.0
CLIENT = ("/usr/bin/python3", "-I", "-S", str(PROJECT / "f2b_enrich" / "client.py"))
TIME = 1795262100.25
"""The last failure of the bans that are reported here, some minutes before the clock's
first time."""

QUICK = Spans(store=0.2, pause=0.05, digests=0.2, last_mail=0.5)


def request(**fields: str | bytes) -> bytes:
    """Write what the client sends."""
    known: dict[str, str | bytes] = {"V": "1", "EVENT": "ban", "JAIL": "sshd"}
    known |= {"IP": "192.0.2.7", "TIME": str(TIME), "AT": str(TIME + 1)}
    known |= {"BANTIME": "600", "FAILURES": "3", "MATCHES": "line one\nline two"}
    parts = [
        key.encode() + b"=" + (value if isinstance(value, bytes) else value.encode())
        for key, value in (known | fields).items()
    ]
    return b"\0".join([*parts, b"", b""])


@dataclass
class Daemon:
    """One server in a folder, and its daemon as a task of the test's loop."""

    lab: Lab
    smtp: SmtpServer
    logs: list[MutableMapping[str, Any]]
    clock: Clock = field(default_factory=Clock)
    spans: Spans = QUICK
    timezone: tzinfo | None = UTC
    environ: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    """What the daemon said to systemd."""

    def __post_init__(self) -> None:
        self.site = Site(self.lab, self.smtp)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.settimeout(0)
        self._notify.bind(str(self.lab.root / "run" / "notify-test"))
        self._task: asyncio.Task[None] | None = None
        self._nudges = 0

    def configure(self, **sections: dict[str, object]) -> None:
        """Write the configuration, without database or mail waits if not given."""
        own: dict[str, dict[str, object]] = {"geo": {"database": ""}}
        for name, keys in sections.items():
            own.setdefault(name, {}).update(keys)
        self.site.configure(**own)

    def load(self) -> tuple[Settings, Secrets]:
        settings = load(self.lab.config)
        return settings, load_secrets(settings, self.environ)

    async def start(self) -> None:
        """Run it until it says that it is ready; raises what it raised instead."""
        world = World(
            load=self.load,
            now=self.clock,
            jitter=lambda: 0.5,
            environ=self.environ | {"NOTIFY_SOCKET": self._notify.getsockname()},
            timezone=self.timezone,
            spans=self.spans,
        )
        self._task = asyncio.create_task(run(world))
        ready = asyncio.create_task(self.hears("READY=1"))
        await asyncio.wait([self._task, ready], return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            task, self._task = self._task, None
            await task

    async def stop(self) -> None:
        """Tell it to stop, as systemd does, and wait for its end."""
        self.signal(signal.SIGTERM)
        await self.ends()

    def signal(self, number: signal.Signals) -> None:
        # Without a daemon to catch it, it would end the tests.
        assert signal.getsignal(number) is not signal.SIG_DFL, "the daemon has ended"
        os.kill(os.getpid(), number)

    async def ends(self) -> None:
        task, self._task = self._task, None
        assert task is not None
        async with asyncio.timeout(DEADLINE):
            await task

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def reload(self) -> None:
        """Have it read the configuration anew, and wait until it has."""
        self.told.clear()
        self.signal(signal.SIGHUP)
        await self.hears("READY=1")

    async def hears(self, message: str) -> None:
        """Wait until systemd is told this."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(DEADLINE):
            while True:
                told = (await loop.sock_recv(self._notify, 4096)).decode()
                self.told.append(told)
                if told.startswith(message):
                    return

    async def say(self, data: bytes) -> str:
        """Send bytes and no more; give all that is said until it hangs up."""
        reader, writer = await asyncio.open_unix_connection(self.lab.socket)
        try:
            async with asyncio.timeout(DEADLINE):
                # It hangs up on what is too long before all was sent.
                with contextlib.suppress(ConnectionError):
                    writer.write(data)
                    await writer.drain()
                    writer.write_eof()
                return (await reader.read()).decode()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def report(self, **fields: str | bytes) -> str:
        """Report one event; give the answer without its line end."""
        return (await self.say(request(**fields))).removesuffix("\n")

    async def ban(self, ip: str = "192.0.2.7", **fields: str | bytes) -> str:
        """Report a ban that is acknowledged; give its id."""
        word, _, ban_id = (await self.report(IP=ip, **fields)).partition(" ")
        assert word == "ok", ban_id
        return ban_id

    async def nudge(self) -> None:
        """Report something that makes no row, so that the clock is looked at."""
        self._nudges += 1
        ip = f"203.0.113.{self._nudges}"
        assert await self.report(EVENT="unban", IP=ip) == "ok -"

    async def client(self, ip: str, **fields: str) -> int:
        """Run the real client for a ban; give its exit status."""
        given = {"EVENT": "ban", "JAIL": "sshd", "IP": ip, "TIME": str(TIME)}
        words = [f"{key}={value}" for key, value in (given | fields).items()]
        spool = str(self.lab.root / "spool")
        command = [*CLIENT, str(self.lab.socket), spool, *words]
        done = await asyncio.to_thread(subprocess.run, command, check=False)
        return done.returncode

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        return self.site.rows(query, *values)

    def bans(self) -> list[dict[str, Any]]:
        return self.site.bans()

    def states(self) -> list[str]:
        """The states of all mails, in the order they were queued."""
        return [row["state"] for row in self.outbox()]

    def outbox(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM outbox ORDER BY id")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what other threads and tasks bring about."""
        came = await asyncio.to_thread(until, condition, seconds=DEADLINE)
        assert came, self.logs[-20:]

    async def until_states(self, *states: str) -> None:
        await self.until(lambda: self.states() == list(states))

    async def until_sent(self, count: int) -> None:
        await self.until_states(*["sent"] * count)

    async def mails(self, count: int) -> list[EmailMessage]:
        """Wait for so many mails; give all that came."""
        return await asyncio.to_thread(self.site.mails, count, seconds=DEADLINE)

    async def until_logged(self, event: str, **values: object) -> dict[str, Any]:
        await self.until(lambda: bool(self.logged(event, **values)))
        return self.logged(event, **values)[0]

    def logged(self, event: str, **values: object) -> list[dict[str, Any]]:
        wanted = {"event": event, **values}.items()
        return [dict(entry) for entry in self.logs if wanted <= entry.items()]

    async def close(self) -> None:
        self._notify.close()
        if self._task is None:
            return
        if self._task.done():
            await self._task
        else:
            await self.stop()


_HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the write lock in another process."""
    command = [sys.executable, "-I", "-c", _HOLDER, str(store)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        yield


@contextlib.asynccontextmanager
async def living(folder: Path) -> AsyncIterator[Daemon]:
    """Give a daemon that is not started yet; at the end it is stopped."""
    interval = sys.getswitchinterval()
    with SmtpServer() as smtp, Lab(folder) as lab, capture_logs() as logs:
        daemon = Daemon(lab, smtp, logs)
        try:
            yield daemon
        finally:
            await daemon.close()
            sys.setswitchinterval(interval)
    crashes = [entry for entry in logs if "exc_info" in entry]
    assert not crashes, crashes
