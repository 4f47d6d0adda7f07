"""From a digest's row of the outbox to what its mail tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import __version__
from f2b_enrich.errors import AddressError, DeliveryError
from f2b_enrich.mail.addresses import check_address
from f2b_enrich.mail.digest import Digest, LockOut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta, tzinfo

    from f2b_enrich.config import MailSettings
    from f2b_enrich.enrich.relations import Relations
    from f2b_enrich.figures import FoldedBan
    from f2b_enrich.mail.digest import Note
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.digests import DigestFacts


def digest(
    row: OutboxRow,
    facts: DigestFacts | None,
    *,
    host: str,
    settings: MailSettings,
    timezone: tzinfo | None,
    known: Relations,
    late_after: timedelta,
    notes: tuple[Note, ...] = (),
) -> Digest:
    """Bring together what is known now; the addresses are those of the row.

    Raises:
        DeliveryError: an address must not be used, or the store has no such digest.
    """
    try:
        recipient = check_address(row.recipient, settings)
        sender = check_address(row.sender, settings)
    except AddressError as exc:
        raise DeliveryError(str(exc), permanent=True) from exc
    if facts is None:
        raise DeliveryError("the store has no such digest", permanent=True)
    return Digest(
        host=host,
        recipient=recipient,
        sender=sender,
        message_id=row.message_id,
        version=__version__,
        timezone=timezone,
        period=facts.period,
        figures=facts.figures,
        bans=facts.bans,
        late_after=late_after,
        campaigns=facts.campaigns,
        lock_outs=tuple(_lock_outs(facts.bans, known)),
        notes=notes,
    )


def _lock_outs(bans: Iterable[FoldedBan], known: Relations) -> Iterator[LockOut]:
    """Find the bans of an own, friendly, proxy's or crawler's address.

    Each jail and address once, as of its first ban: to unban it once is enough.
    """
    seen: set[tuple[str, str, str]] = set()
    for ban in bans:
        key = (ban.host, ban.jail, ban.ip)
        if ban.is_repeat or key in seen:
            continue
        seen.add(key)
        relation = known.relation(
            ban.ip,
            hostname=ban.hostname,
            hostname_confirmed=ban.hostname_confirmed,
        )
        if relation is not None:
            yield LockOut(ban=ban, relation=relation)
