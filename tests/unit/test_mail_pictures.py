from __future__ import annotations

import struct
import zlib

from f2b_enrich.mail.pictures import squeezed
from tests.report_mails import png


def loose(width: int, height: int) -> bytes:
    """Give a picture that is packed not at all, in two chunks, with a note between."""
    rows = b"".join(b"\0" + b"\xc0" * width for _ in range(height))
    packed = zlib.compress(rows, level=0)
    whole = png(width, height)
    head, end = whole[:33], whole[-12:]
    half = len(packed) // 2
    parts = ((b"IDAT", packed[:half]), (b"IDAT", packed[half:]), (b"tEXt", b"a\0b"))
    return head + b"".join(map(chunk, parts)) + end


def chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, data = part
    checked = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checked


def test_the_same_picture_takes_fewer_bytes() -> None:
    before = loose(640, 320)
    after = squeezed(before)

    assert len(after) < len(before) / 50
    text = chunk((b"tEXt", b"a\0b"))
    assert after.replace(text, b"") == squeezed(png(640, 320))
    assert text in after


def test_what_is_squeezed_stays_as_it_is() -> None:
    once = squeezed(loose(64, 32))

    assert squeezed(once) == once
