"""Records as the joining of bans sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.joining.sightings import Kind, Sighting, planned_end

if TYPE_CHECKING:
    from datetime import datetime

    from f2b_enrich.importing.records import Record


def sighting_of(
    record: Record, at: datetime, *, jail: str | None, is_dated_by_bounce: bool = False
) -> Sighting:
    """Give what a record of that time contributes; `jail` is folded by the aliases."""
    # As `ban_id` rounds the time of a failure; what was logged is cut by who wrote it.
    seconds = round(at.timestamp()) if record.origin == "db" else int(at.timestamp())
    kind: Kind = "again" if record.is_restored else record.kind
    ends_at = None
    if record.ends_at is not None:
        ends_at = int(record.ends_at.timestamp())
    elif record.origin == "db" or record.bantime_seconds == -1:
        ends_at = planned_end(seconds, record.bantime_seconds)
    if record.origin == "db":
        return Sighting(
            kind=kind,
            precision="failure",
            origin="fail2ban-db",
            at=seconds,
            jail=jail,
            ends_at=ends_at,
        )
    if record.origin == "log":
        return Sighting(
            kind=kind,
            precision="logged",
            origin="log",
            at=seconds,
            jail=jail,
            ends_at=ends_at,
        )
    return Sighting(
        kind=kind,
        precision="bounced" if is_dated_by_bounce else "mailed",
        origin="bounce" if is_dated_by_bounce else "mail",
        at=seconds,
        jail=jail,
        message_id=record.message_id,
    )
