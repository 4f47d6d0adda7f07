"""From a row of the outbox to what its mail tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import __version__
from f2b_enrich.enrich.relations import Relations, machine_addresses
from f2b_enrich.errors import AddressError, DeliveryError
from f2b_enrich.mail.addresses import check_address
from f2b_enrich.mail.compose import Alert

if TYPE_CHECKING:
    from datetime import tzinfo

    from f2b_enrich.config import MailSettings, Settings
    from f2b_enrich.model import History, OutboxRow
    from f2b_enrich.store.reads import BanFacts


def relations(settings: Settings) -> Relations:
    """Bring together what is known of this machine and its administrator."""
    return Relations(
        machine=machine_addresses(),
        own=settings.own.networks,
        ignoreip=settings.own.ignoreip,
    )


def alert(
    row: OutboxRow,
    facts: BanFacts | None,
    *,
    settings: MailSettings,
    timezone: tzinfo | None,
    past: History | None,
    known: Relations,
) -> Alert:
    """Bring together what is known now; the addresses are those of the row.

    Raises:
        DeliveryError: an address must not be used, or the ban is not in the store.
    """
    try:
        recipient = check_address(row.recipient, settings)
        sender = check_address(row.sender, settings)
    except AddressError as exc:
        raise DeliveryError(str(exc), permanent=True) from exc
    if facts is None:
        raise DeliveryError("the store has no such ban", permanent=True)
    found = facts.enrichment
    return Alert(
        ban=facts.ban,
        enrichment=facts.enrichment,
        lines=facts.lines,
        recipient=recipient,
        sender=sender,
        message_id=row.message_id,
        nth=facts.nth,
        bantime_known=facts.ban.bantime_is_final,
        version=__version__,
        timezone=timezone,
        history=past,
        relation=known.relation(
            facts.ban.ip,
            hostname=found.hostname if found else None,
            hostname_confirmed=found.hostname_confirmed if found else None,
        ),
    )
