"""How many bans a second the daemon puts on disk, and what it takes in memory."""

from __future__ import annotations

import select
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from bench.client import LINES, MAIL
from bench.row import Row
from demo.lab import Lab, LabError, until
from f2b_enrich import wire

if TYPE_CHECKING:
    from collections.abc import Iterator


CONNECTIONS = 50
ROUND = 10_000
ROUNDS = 3
HALF = 50_000
LEAST_RATE = 3000
LONGEST_MS = 50
MOST_MIB = 90
MOST_GROWTH_MIB = 3


def measure(lab: Lab) -> list[Row]:
    """Take the rate from three fresh stores, the memory from 100,000 bans in one."""
    return [rate_of_fresh_stores(), memory(lab)]


def rate_of_fresh_stores() -> Row:
    """Send 10,000 new bans to a daemon that has just started, three times."""
    rounds = []
    for _ in range(ROUNDS):
        with (
            tempfile.TemporaryDirectory(prefix="f2b-") as folder,
            Lab(Path(folder)) as fresh,
        ):
            fresh.write_config(**MAIL)
            fresh.start_daemon()
            rounds.append(Load(fresh.socket, 0).run())
    rate = sorted(rate for rate, _ in rounds)[ROUNDS // 2]
    p99 = sorted(slow for _, slow in rounds)[ROUNDS // 2]
    return Row(
        "daemon, durable acknowledgements, 50 connections",
        f"{rate:.0f} a second, p99 {p99:.0f} ms",
        f"at least {LEAST_RATE} a second, p99 at most {LONGEST_MS} ms",
        rate >= LEAST_RATE and p99 <= LONGEST_MS,
    )


def memory(lab: Lab) -> Row:
    """Send 100,000 bans and have each address looked up and each ban classed."""
    lab.write_config(**MAIL)
    command = ["-m", "f2b_enrich", "geo", "update", "--config", str(lab.config)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    lab.start_daemon()
    sizes = []
    for half in (0, HALF):
        for start in range(half, half + HALF, ROUND):
            Load(lab.socket, start).run()
        wait_until_done(lab)
        sizes.append(resident(lab))
    flat = sizes[1] - sizes[0] <= MOST_GROWTH_MIB
    return Row(
        "daemon memory after 100,000 bans",
        f"{sizes[1]:.0f} MiB ({sizes[0]:.0f} MiB after 50,000)",
        f"at most {MOST_MIB} MiB, and flat",
        sizes[1] <= MOST_MIB and flat,
    )


def wait_until_done(lab: Lab) -> None:
    """Wait until every ban has its class, and what is known of its address."""
    query = "SELECT count(*) FROM bans WHERE enrichment_id IS NULL OR rule_set IS NULL"

    def done() -> bool:
        with closing(sqlite3.connect(lab.store)) as store:
            return bool(store.execute(query).fetchone() == (0,))

    if not until(done, seconds=600):
        raise LabError("not all bans were looked up and classed within 600 s")


def resident(lab: Lab) -> float:
    """Read the daemon's resident set, in MiB."""
    if lab.daemon is None:
        raise LabError("no daemon runs")
    with Path(f"/proc/{lab.daemon.pid}/status").open() as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def requests(start: int) -> Iterator[bytes]:
    """Make bans of now that differ in address, each with five log lines.

    Mails about older ones would be held for a digest, not wait to be sent.
    """
    now = int(time.time())
    for number in range(start, start + ROUND):
        # Spread over the local database; nothing is ever sent to them.
        low = number & 63
        address = f"{20 + low}.{number >> 14}.{number >> 6 & 255}.{low}"
        yield wire.encode(
            {
                "V": "1",
                "EVENT": "ban",
                "JAIL": "sshd",
                "IP": address,
                "TIME": f"{now}.0",
                "BANTIME": "600",
                "FAILURES": "5",
                "BANCOUNT": "1",
                "MATCHES": LINES,
            }
        )


class Load:
    """Fifty peers that each send a ban when their last is acknowledged."""

    def __init__(self, path: Path, start: int) -> None:
        self._waiting = iter(list(requests(start)))
        self._sent_at: dict[int, float] = {}
        self._peers: dict[int, socket.socket] = {}
        self._poll = select.epoll()
        for _ in range(CONNECTIONS):
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            peer.connect(str(path))
            self._peers[peer.fileno()] = peer
            self._poll.register(peer.fileno(), select.EPOLLIN)

    def run(self) -> tuple[float, float]:
        """Give acknowledgements a second, and the 99th percentile in ms."""
        begun = time.perf_counter()
        times = []
        for number in self._peers:
            self._send(number)
        while self._sent_at:
            for number, _ in self._poll.poll():
                reply = self._peers[number].recv(400)
                if not reply.startswith(b"ok "):
                    raise LabError(f"the daemon said {reply!r}")
                times.append(time.perf_counter() - self._sent_at.pop(number))
                self._send(number)
        taken = time.perf_counter() - begun
        for peer in self._peers.values():
            peer.close()
        self._poll.close()
        return len(times) / taken, sorted(times)[int(len(times) * 0.99)] * 1000

    def _send(self, number: int) -> None:
        request = next(self._waiting, None)
        if request is not None:
            self._sent_at[number] = time.perf_counter()
            self._peers[number].sendall(request)
