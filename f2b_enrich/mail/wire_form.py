"""A mail as bytes that every server takes, and a server's words as one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import inert

if TYPE_CHECKING:
    from email.message import EmailMessage

MAX_REPLY = 500


def content_of(message: EmailMessage, *, linesep: str) -> bytes:
    """Give a mail in ASCII with these line ends."""
    policy = message.policy.clone(linesep=linesep, cte_type="7bit")
    return message.as_bytes(policy=policy)


def words_of(text: str) -> str:
    """Put what a server said on one short line that is safe to show."""
    return inert.cut(inert.printable(" ".join(text.split())), MAX_REPLY)
