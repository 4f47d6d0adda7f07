"""Digests and notices of floods as their readers get them: parsed anew."""

from __future__ import annotations

import csv
import gzip
import io
from email import message_from_bytes
from typing import TYPE_CHECKING

from f2b_enrich.mail.compose import Composer
from f2b_enrich.mail.digest import Digest
from tests.reading import STRICT, content_of
from tests.stores import NOW

if TYPE_CHECKING:
    from email.message import EmailMessage

    from f2b_enrich.mail.compose import Form
    from f2b_enrich.mail.flood import Flood

COMPOSER = Composer()


def sent(told: Digest | Flood, form: Form = "both") -> EmailMessage:
    """Send it through the wire's form and read it back, every defect an error."""
    if isinstance(told, Digest):
        raw = COMPOSER.compose_digest(told, now=NOW, form=form).as_bytes()
    else:
        raw = COMPOSER.compose_flood(told, now=NOW, form=form).as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    message = message_from_bytes(raw, policy=STRICT)
    assert len(set(message.keys())) == len(message.keys())
    assert all("MIME-Version" not in part for part in list(message.walk())[1:])
    return message


def body(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return content_of(found)


def table(message: EmailMessage) -> list[dict[str, str]]:
    """Read the attached rows, packed or not."""
    (file,) = message.iter_attachments()
    content = file.get_content()
    if isinstance(content, bytes):
        content = gzip.decompress(content).decode()
    return list(csv.DictReader(io.StringIO(content)))
