"""How fast log lines are read, and how long the worst of them takes."""

from __future__ import annotations

import os
import random
import string
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.row import Row
from f2b_enrich.classify.classifier import Classifier
from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.classify.matching import Matcher
from f2b_enrich.classify.observed import Observer
from f2b_enrich.classify.rules import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from demo.lab import Lab

CORPORA = ("attack-lines", "fail2ban-filter-logs")
RUNS = 40
WANTED = 50_000
LONG = 100_000
LIMIT_MS = 5.0


class Reader:
    """All that is read in the lines of a ban, as the daemon reads it."""

    def __init__(self) -> None:
        """Compile the shipped rules."""
        self._matcher = Matcher(shipped())
        self._observer = Observer(self._matcher)
        self._classifier = Classifier(self._matcher, shipped_jails())

    def seconds(self, lines: Sequence[str]) -> float:
        """Read the lines `RUNS` times; give the least time on the processor.

        Before the first, RE2 has no states made; later, others share the machine.
        """
        taken = []
        for _ in range(RUNS):
            begun = time.process_time()
            matched = tuple(self._matcher.match(lines))
            self._observer.count(matched)
            self._classifier.count(matched, jail="sshd")
            taken.append(time.process_time() - begun)
        return min(taken)


def measure(lab: Lab) -> list[Row]:  # noqa: ARG001 - as the others are called
    """Time real lines, and long ones made to be slow."""
    reader = Reader()
    lines, origin = real_lines()
    rate = len(lines) / reader.seconds(lines)
    slowest, what = max(
        (reader.seconds([line]) * 1e3, name) for name, line in long_lines().items()
    )
    return [
        Row(
            f"classification, lines a second on one core, of {len(lines):,} {origin} "
            "(match, values, class)",
            f"{rate:,.0f}",
            f"at least {WANTED:,}",
            rate >= WANTED,
        ),
        Row(
            "the slowest of lines of 100 KB made to be slow",
            f"{slowest:.2f} ms ({what})",
            f"at most {LIMIT_MS:.0f} ms",
            slowest <= LIMIT_MS,
        ),
    ]


def real_lines() -> tuple[list[str], str]:
    """Give the lines of F2B_ENRICH_EXTRA_DATA, else the rules' examples; and which."""
    extra = os.environ.get("F2B_ENRICH_EXTRA_DATA")
    files = [
        file
        for folder in CORPORA
        if extra is not None and (Path(extra) / folder).is_dir()
        for file in sorted((Path(extra) / folder).iterdir())
        if file.is_file() and file.suffix != ".csv"
    ]
    if not files:
        return [rule.example for rule in shipped()] * 4, "lines of examples"
    texts = (file.read_text("utf-8", "replace") for file in files)
    lines = [line for text in texts for line in text.splitlines()]
    return [line for line in lines if line and line[0] != "#"], "real attack lines"


def long_lines() -> Mapping[str, str]:
    """Make lines of 100 KB: beginnings of rules again and again, and random ones."""
    syslog = "Nov 21 20:13:22 web1 sshd[4021]: "
    access = '192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "GET /'
    reject = "Nov 21 20:13:22 mx postfix/smtpd[7]: NOQUEUE: reject: RCPT from x[::1]: "
    pam = f"{syslog}pam_unix(sshd:auth): authentication failure; logname="
    examples = " ".join(rule.example for rule in shipped())
    made = {
        "sshd's beginning": "sshd[1]: Failed password for " * 4_000,
        "sshd's end": f"{syslog}Failed password for "
        + "x from ::1 port 9 ssh2 " * 5_000,
        "PAM's fields": pam + " rhost=x  user=y ruser=" * 5_000,
        "envelopes": reject + "; from=<a> to=<b> proto=ESMTP helo=<c>" * 3_000,
        "paths upwards": access + "../" * 40_000,
        "quotation marks": '"' * LONG,
        "spaces": " " * LONG,
        "stamps": "[21/Nov/2026:20:13:22 +0100] " * 4_000,
        "all examples": examples * 4,
    }
    words = examples.split()
    for seed in range(4):
        chosen = random.Random(seed)  # noqa: S311 - the same lines in every run
        made[f"random words {seed}"] = " ".join(chosen.choices(words, k=20_000))
        made[f"random characters {seed}"] = "".join(
            chosen.choices(string.printable, k=LONG)
        )
        made[f"random request {seed}"] = access + "".join(
            chosen.choices(string.ascii_letters + "/.?&=%-_", k=LONG)
        )
    return {name: line[:LONG].ljust(LONG, "x") for name, line in made.items()}
