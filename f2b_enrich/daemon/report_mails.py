"""From a report's row of the outbox to its mail, which was written before."""

from __future__ import annotations

from email import message_from_bytes
from typing import TYPE_CHECKING

from f2b_enrich.daemon.parties import parties
from f2b_enrich.errors import DeliveryError
from f2b_enrich.mail import headers

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
    parties(row, settings)
    if message is None:
        raise DeliveryError("the report is not kept any more", permanent=True)
    return message_from_bytes(message, policy=headers.policy())
