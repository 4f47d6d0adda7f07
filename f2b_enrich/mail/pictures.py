"""Pictures inside a mail: parts of it that its HTML names (RFC 2392)."""

from __future__ import annotations

import struct
from dataclasses import replace
from email.message import EmailMessage
from typing import TYPE_CHECKING

from f2b_enrich.mail.letter import ShownPicture
from f2b_enrich.mail.view import Typed

if TYPE_CHECKING:
    from f2b_enrich.mail.letter import Letter, LetterView, Picture

_SCALE = 2


def named(letter: Letter) -> LetterView:
    """Give the words of the HTML with the names that its pictures go by."""
    shown = tuple(_shown(letter, each) for each in letter.pictures)
    return replace(letter.shown, pictures=shown)


def _shown(letter: Letter, picture: Picture) -> ShownPicture:
    # The sides stand first of all in a PNG (third edition, 11.2.1).
    width, height = struct.unpack_from(">II", picture.png, 16)
    return ShownPicture(
        source=Typed(f"cid:{_content_id(letter, picture)}"),
        title=picture.title,
        alt=picture.alt,
        width=width // _SCALE,
        height=height // _SCALE,
    )


def add(message: EmailMessage, letter: Letter) -> None:
    """Put the pictures beside the HTML part, which comes last."""
    if not letter.pictures:
        return
    *_, html = message.iter_parts()
    assert isinstance(html, EmailMessage)  # noqa: S101 - as its policy makes them
    for each in letter.pictures:
        html.add_related(
            each.png,
            maintype="image",
            subtype="png",
            filename=f"{each.name}.png",
            disposition="inline",
            cid=f"<{_content_id(letter, each)}>",
        )
    for part in html.iter_parts():
        del part["MIME-Version"]


def _content_id(letter: Letter, picture: Picture) -> str:
    """Name a picture as no other of any mail is: readers keep them in one heap."""
    return f"{picture.name}.{letter.message_id.strip('<>')}"
