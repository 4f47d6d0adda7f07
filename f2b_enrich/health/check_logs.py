"""Whether jails read logs that nobody writes to any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.health.links import warn
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.health.check_fail2ban import Fail2BanFacts
    from f2b_enrich.health.links import Link

DAYS = 7
_DAY = 86_400
_LONGEST = 80

# What rsyslog writes, each day something. A web server's log may well be quiet.
_SYSTEM = frozenset(
    {"auth.log", "secure", "syslog", "messages", "daemon.log", "mail.log", "maillog"}
)


def links(facts: Fail2BanFacts, *, now: float) -> Iterator[Link]:
    """Name the jails whose logs are all of the system's and old; `now` is Unix time.

    They ban nobody, and look like those of a quiet night.
    """
    for jail, logs in sorted(facts.logs.items()):
        last = _last_written(logs) if jail in facts.running else None
        if last is None or now - last <= DAYS * _DAY:
            continue
        name, log = (cut(printable(text), _LONGEST) for text in (jail, logs[0]))
        yield warn(
            "jails",
            f"{name} bans nobody: its log {log} was last written to "
            f"{(now - last) // _DAY:.0f} days ago",
            f'if there is only the journal write "backend = systemd" into [{name}] of '
            "jail.local (needs python3-systemd)",
        )


def _last_written(logs: Sequence[str]) -> float | None:
    """Tell when, in Unix time; None where nothing can be said by that."""
    if not all(Path(log).name in _SYSTEM for log in logs):
        return None
    times = []
    for log in logs:
        try:
            times.append(Path(log).stat().st_mtime)
        except OSError:
            return None  # fail2ban itself complains of that
    return max(times, default=None)
