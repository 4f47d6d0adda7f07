"""Pictures inside a mail: parts of it that its HTML names (RFC 2392)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from email.message import EmailMessage
from typing import TYPE_CHECKING

from f2b_enrich.mail.letter import ShownPicture
from f2b_enrich.mail.view import Typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.mail.letter import Letter, LetterView, Picture

_SCALE = 2
_SIGNATURE = 8
"""Bytes before the first chunk of a PNG."""

_DATA = b"IDAT"


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
    html.set_param("type", "text/html")  # of what is to be shown (RFC 2387, 3.1)
    for part in html.iter_parts():
        del part["MIME-Version"]


def squeezed(png: bytes) -> bytes:
    """Give the same PNG in fewer bytes: what draws it is quick and packs it loosely.

    Of a month's pictures half or more goes.
    """
    chunks = list(_chunks(png))
    packed = b"".join(data for kind, data in chunks if kind == _DATA)
    smaller = zlib.compress(zlib.decompress(packed), level=9)
    first = next(at for at, (kind, _) in enumerate(chunks) if kind == _DATA)
    rest = [chunk for chunk in chunks[first:] if chunk[0] != _DATA]
    kept = [*chunks[:first], (_DATA, smaller), *rest]
    return png[:_SIGNATURE] + b"".join(_chunk(kind, data) for kind, data in kept)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Read kind and data of each chunk (PNG, third edition, 5.3)."""
    at = _SIGNATURE
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        yield kind, png[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _content_id(letter: Letter, picture: Picture) -> str:
    """Name a picture as no other of any mail is: readers keep them in one heap."""
    return f"{picture.name}.{letter.message_id.strip('<>')}"
