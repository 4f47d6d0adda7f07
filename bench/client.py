"""What the client adds to starting Python."""

from __future__ import annotations

import statistics
import subprocess
import time
from typing import TYPE_CHECKING

from bench.row import Row
from demo.lab import PROJECT

if TYPE_CHECKING:
    from demo.lab import Lab

BARE = ("/usr/bin/python3", "-I", "-S")
RUNS = 300
MAIL: dict[str, dict[str, object]] = {
    "mail": {"wait_seconds": 600, "allow_domains": ["example.org"]},
    "mail__smtp": {"host": "127.0.0.1", "port": 1},
}
"""Each ban has a mail that is queued, and no server takes one."""

LIMIT = 1.3
LINES = "\n".join(
    f"Nov 21 20:13:2{number} web1 sshd[4021]: Failed password for invalid user "
    f"admin from 192.0.2.7 port 5029{number} ssh2"
    for number in range(5)
)


def measure(lab: Lab) -> list[Row]:
    """Time a bare Python and the client in turn, the daemon being up."""
    lab.write_config(**MAIL)
    lab.start_daemon()
    script = str(PROJECT / "f2b_enrich" / "client.py")
    bare: list[float] = []
    ours: list[float] = []
    start = int(time.time()) - RUNS  # of the last minutes: none is late, all differ
    for number in range(RUNS):
        fields = (
            *("EVENT=ban", "JAIL=sshd", "IP=192.0.2.7"),
            *(f"TIME={start + number}.0", "BANTIME=600", "FAILURES=5"),
            *("BANCOUNT=1", "F_USER=admin", "MATCHES", LINES),
        )
        bare.append(seconds(*BARE, "-c", "pass"))
        spool = str(lab.root / "spool")
        ours.append(seconds(*BARE, script, str(lab.socket), spool, *fields))
    ratio = statistics.median(ours) / statistics.median(bare)
    text = (
        f"{ratio:.2f} x ({statistics.median(ours) * 1e3:.1f} ms "
        f"against {statistics.median(bare) * 1e3:.1f} ms)"
    )
    what = "client, daemon up, 5 log lines, against a bare Python"
    return [Row(what, text, f"at most {LIMIT} x", ratio <= LIMIT)]


def seconds(*command: str) -> float:
    """Run a command; give how long it took."""
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun
