"""Whether a ban of late hit somebody whom it hurts to ban."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.health.cures import command
from f2b_enrich.health.links import ok, warn
from f2b_enrich.inert import cut, printable
from f2b_enrich.store import soundness
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.enrich.relations import Relations
    from f2b_enrich.health.links import Link
    from f2b_enrich.model import Relation
    from f2b_enrich.store.soundness import BannedAddress

DAYS = 30
_MOST_READ = 200_000
_MOST_TOLD = 3
_LONGEST = 60


def links(
    store: Path, known: Relations, *, now: datetime, seconds: float
) -> Iterator[Link]:
    """Compare the addresses banned in 30 days with those of CDNs, friends and your own.

    The newest first, for at most so many seconds. A ban that ended more than a day ago
    hurts nobody, and what came of it may be mended.

    Raises:
        StoreError: the store cannot be read.
    """
    if not store.exists():
        return  # that is another link
    until = time.monotonic() + seconds
    with open_reader(store) as connection:
        banned = soundness.banned_since(
            connection,
            now - timedelta(days=DAYS),
            in_force=now - timedelta(days=1),
            limit=_MOST_READ,
        )
    looked_at, hits = 0, []
    for address in banned:
        if time.monotonic() > until:
            break
        looked_at += 1
        relation = known.relation(
            address.ip,
            hostname=address.hostname,
            hostname_confirmed=address.hostname_confirmed,
        )
        if relation is not None:
            hits.append((address, relation))
    for address, relation in hits[:_MOST_TOLD]:
        yield hit(address, relation)
    if len(hits) > _MOST_TOLD:
        text = f"{len(hits) - _MOST_TOLD} more such addresses within {DAYS} days"
        yield warn("banned", text, "f2b-enrich bans list --since 30d")
    if not hits:
        part = "" if looked_at == len(banned) else f" (the newest {looked_at:,} read)"
        yield ok(
            "banned",
            "no address banned now, or until a day ago, belongs to a CDN, a crawler, a "
            f"friend or yourself{part}",
        )


def hit(address: BannedAddress, relation: Relation) -> Link:
    """Say whose address was banned, and how to have it no more."""
    ip = cut(printable(address.ip), _LONGEST)
    jail = cut(printable(address.jail), _LONGEST)
    text = f"{ip}, banned by {jail}, is {printable(relation.name)} ({relation.why})"
    # An attacker may have left a file in the spool that names a jail as he likes.
    unban = command("fail2ban-client", "set", jail, "unbanip", ip)
    if relation.kind == "cdn":
        cure = f"{unban}; have the server log its visitors' addresses, not the CDN's"
    elif relation.kind == "crawler":
        cure = f"{unban}, if you want to be found"
    else:
        cure = f"{unban}; add it to ignoreip in jail.local"
    return warn("banned", text, cure)
