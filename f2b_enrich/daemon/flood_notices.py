"""From the row of a mail about a flood to what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import __version__
from f2b_enrich.daemon.parties import parties
from f2b_enrich.errors import DeliveryError
from f2b_enrich.mail.flood import Flood

if TYPE_CHECKING:
    from datetime import tzinfo

    from f2b_enrich.alerts.brake import Limits
    from f2b_enrich.config import MailSettings
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.floods import FloodFacts


def flood(
    row: OutboxRow,
    facts: FloodFacts | None,
    *,
    host: str,
    settings: MailSettings,
    limits: Limits,
    timezone: tzinfo | None,
) -> Flood:
    """Bring together what is known of a flood; the addresses are those of the row.

    Raises:
        DeliveryError: an address must not be used, or the store has no such flood.
    """
    recipient, sender = parties(row, settings)
    if facts is None:
        raise DeliveryError("the store has no such flood", permanent=True)
    has_ended = row.about == "ended"
    return Flood(
        host=host,
        recipient=recipient,
        sender=sender,
        message_id=row.message_id,
        version=__version__,
        timezone=timezone,
        limits=limits,
        rush=facts.rush,
        counted_over=facts.counted_over,
        began_at=facts.row.flood.began_at,
        ended_at=facts.row.ended_at if has_ended else None,
        held=facts.row.flood.held,
        digests=facts.digests,
        waiting=facts.waiting,
    )
