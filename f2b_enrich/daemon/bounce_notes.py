"""What a digest says of our own mail that came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.mail.digest import Note
from f2b_enrich.mail.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.store.bounces import Bounced

MAX_REASON = 160
COMMAND = "f2b-enrich outbox list --bounced"


def bounce_notes(bounced: Iterable[Bounced], *, host: str) -> tuple[Note, ...]:
    """Write a note for each recipient whose mails came back, with the newest reason.

    `bounced` is in the order of the newest first.
    """
    found: dict[str, list[Bounced]] = {}
    for each in bounced:
        found.setdefault(each.recipient, []).append(each)
    return tuple(
        Note(
            host=host,
            words=(
                f"{counted(len(all_of), 'mail')} to {inert.printable(recipient)}",
                "came back:",
                inert.cut(inert.defang(inert.printable(all_of[0].reason)), MAX_REASON),
            ),
            command=COMMAND,
        )
        for recipient, all_of in found.items()
    )
