"""What a digest says of our own mail that came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.mail.digest import Note
from f2b_enrich.mail.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.store.bounces import CameBack

MAX_REASON = 160
COMMAND = "f2b-enrich outbox list --bounced"


def bounce_notes(back: Iterable[CameBack], *, host: str) -> tuple[Note, ...]:
    """Write a note for each recipient whose mails came back, with the newest reason."""
    return tuple(
        Note(
            host=host,
            words=(
                f"{counted(each.mails, 'mail')} to "
                f"{inert.printable(each.newest.recipient)}",
                "came back:",
                inert.cut(
                    inert.defang(inert.printable(each.newest.reason)), MAX_REASON
                ),
            ),
            command=COMMAND,
        )
        for each in back
    )
