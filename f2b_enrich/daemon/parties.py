"""Whom a row of the outbox is from and to, checked again before its mail leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.errors import AddressError, DeliveryError
from f2b_enrich.mail.addresses import check_address

if TYPE_CHECKING:
    from f2b_enrich.config import MailSettings
    from f2b_enrich.model import OutboxRow


def parties(row: OutboxRow, settings: MailSettings) -> tuple[str, str]:
    """Give recipient and sender as they go to a mail server.

    Raises:
        DeliveryError: one of them must not be used.
    """
    try:
        recipient = check_address(row.recipient, settings)
        return recipient, check_address(row.sender, settings)
    except AddressError as exc:
        raise DeliveryError(str(exc), permanent=True) from exc
