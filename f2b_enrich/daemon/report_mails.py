"""From a report's row of the outbox to its mail, which was written before."""

from __future__ import annotations

from email import message_from_bytes
from typing import TYPE_CHECKING

from f2b_enrich.errors import AddressError, DeliveryError
from f2b_enrich.mail import headers
from f2b_enrich.mail.addresses import check_address

if TYPE_CHECKING:
    from email.message import EmailMessage

    from f2b_enrich.config import MailSettings
    from f2b_enrich.model import OutboxRow


def report(
    row: OutboxRow, message: bytes | None, *, settings: MailSettings
) -> EmailMessage:
    """Give the mail as it was written.

    Raises:
        DeliveryError: an address must not be used, or the mail is kept no more.
    """
    try:
        check_address(row.recipient, settings)
        check_address(row.sender, settings)
    except AddressError as exc:
        raise DeliveryError(str(exc), permanent=True) from exc
    if message is None:
        raise DeliveryError("the report is not kept any more", permanent=True)
    return message_from_bytes(message, policy=headers.policy())
