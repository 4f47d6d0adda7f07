"""Reports as their readers get them by mail: parsed anew."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC
from email import message_from_bytes
from typing import TYPE_CHECKING

from f2b_enrich.mail import headers
from f2b_enrich.mail.compose import Composer
from f2b_enrich.mail.letter import Picture
from f2b_enrich.report.as_mail import Envelope, letter
from tests.reading import STRICT
from tests.stores import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage, MIMEPart

    from f2b_enrich.mail.compose import Form
    from f2b_enrich.report.figures import Figures

COMPOSER = Composer()
ENVELOPE = Envelope(
    host="web1.example.org",
    recipient="noc@admins.net",
    sender="root@web1.example.org",
    message_id="<report.0.20241101T053000Z-0badcafe@web1.example.org>",
)


def picture(name: str = "map", title: str = "Where from", alt: str = "") -> Picture:
    """Give one that is real, grey and as large as those of a report."""
    return Picture(
        name=name,
        title=title,
        alt=alt or f"{title}, in words",
        png=png(1280, 640),
    )


def png(width: int, height: int) -> bytes:
    """Write a grey picture (PNG, third edition, 11.2)."""
    rows = zlib.compress(b"".join(b"\0" + b"\xc0" * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def sent(
    figures: Figures,
    *,
    pictures: Sequence[Picture] = (),
    remark: str = "",
    form: Form = "both",
) -> EmailMessage:
    """Send it through the wire's form and read it back, every defect an error."""
    return read(written(figures, pictures=pictures, remark=remark, form=form))


def written(
    figures: Figures,
    *,
    pictures: Sequence[Picture] = (),
    remark: str = "",
    form: Form = "both",
    envelope: Envelope = ENVELOPE,
) -> bytes:
    """Write it as it is sent: the daemon reads what was stored, and writes it again."""
    told = letter(figures, envelope, zone=UTC, pictures=pictures, remark=remark)
    stored = COMPOSER.compose_report(told, now=NOW, form=form).as_bytes()
    again = message_from_bytes(stored, policy=headers.policy())
    assert again.as_bytes() == stored
    return stored


def read(raw: bytes) -> EmailMessage:
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    message = message_from_bytes(raw, policy=STRICT)
    assert len(set(message.keys())) == len(message.keys())
    assert all("MIME-Version" not in part for part in list(message.walk())[1:])
    return message


def pictures_of(message: EmailMessage) -> list[MIMEPart]:
    return [part for part in message.walk() if part.get_content_maintype() == "image"]


def with_pictures(message: EmailMessage, html: str) -> str:
    """Give the HTML as a mail reader shows it: with the pictures that it names."""
    for part in pictures_of(message):
        name = str(part["Content-ID"]).strip("<>")
        encoded = "".join(str(part.get_payload()).split())
        assert f"cid:{name}" in html
        html = html.replace(f"cid:{name}", f"data:image/png;base64,{encoded}")
    assert "cid:" not in html
    return html
