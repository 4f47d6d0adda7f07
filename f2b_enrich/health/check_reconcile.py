"""Whether what fail2ban did is compared with the store, and how long ago it was."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.health import check_units
from f2b_enrich.health.links import ok, warn
from f2b_enrich.mail.wording import span
from f2b_enrich.store import chores
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.health.links import Link

CHORE = "reconcile"
"""What the store calls it."""

TIMER, SERVICE = "f2b-enrich-reconcile.timer", "f2b-enrich-reconcile.service"

LONGEST = timedelta(days=1)
"""Between two looks: fail2ban keeps bans for a day, unless dbpurgeage says more."""

_BY_HAND = "f2b-enrich reconcile tells why, or does it now"


def links(
    path: Path,
    *,
    now: datetime,
    shown: Callable[..., dict[str, dict[str, str]]] = check_units.shown,
) -> Iterator[Link]:
    """Say whether bans that passed us by are found before fail2ban forgets them.

    Without systemd nobody is told to do what no timer does. A store that cannot be read
    is told of by another link.
    """
    try:
        with open_reader(path) as connection:
            last = chores.done_at(connection, CHORE)
    except StoreError:
        return
    units = shown("ActiveState,Result", TIMER, SERVICE)
    active = units.get(TIMER, {}).get("ActiveState", "active")
    result = units.get(SERVICE, {}).get("Result", "success")
    if active != "active":
        yield warn(
            "reconcile",
            f"{TIMER} does not run: a ban that never reached us stays unknown",
            f"systemctl enable --now {TIMER}",
        )
    elif last is not None and now - last > LONGEST:
        ago = span(int((now - last).total_seconds()))
        text = f"the store was last compared with fail2ban {ago} ago"
        yield warn("reconcile", text, _BY_HAND)
    elif last is None and result != "success":
        text = f"the store was never compared with fail2ban: that failed ({result})"
        yield warn("reconcile", text, f"journalctl -u {SERVICE} tells why")
    elif last is not None:
        yield ok("reconcile", "the store was compared with fail2ban today")
