"""Any mail, taken apart by the standard library's parser."""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING

from f2b_enrich.importing.mail_letter import (
    HEADS,
    MOST_DEEP,
    REPORT,
    WHOLE,
    Letter,
    gathered,
    reporting_server,
)
from f2b_enrich.mail_parser import PARSER_ERRORS, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.importing.mail_letter import Fields

_NOTHING = Letter(fields={})


def thorough(data: bytes) -> Letter:
    """Take apart any mail; what the parser cannot take is a mail without anything."""
    message = parsed(data)
    if message is None:
        return _NOTHING
    try:
        return _letter(message, 0)
    except PARSER_ERRORS:
        return _NOTHING


def _letter(message: Message, deep: int) -> Letter:
    text: bytes | None = None
    reporter: bytes | None = None
    enclosed: Letter | None = None
    for part in _leaves(message):
        kind = part.get_content_type().encode("ascii", "replace")
        # What calls itself parts, and has none, is a text.
        is_text = kind == b"text/plain" or kind.startswith(b"multipart/")
        if is_text and text is None:
            text = _content(part).strip()
        elif kind == REPORT and reporter is None:
            reporter = _reporter(part)
        elif enclosed is None and deep + 1 < MOST_DEEP:
            enclosed = _enclosed(part, kind, deep + 1)
    return Letter(
        fields=_fields(message), text=text or b"", enclosed=enclosed, reporter=reporter
    )


def _leaves(message: Message) -> Iterator[Message]:
    """Give the parts that have none, in order; what is enclosed is one of them."""
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from _leaves(part)
    else:
        yield message


def _enclosed(part: Message, kind: bytes, deep: int) -> Letter | None:
    if kind in WHOLE:
        payload = part.get_payload()
        if isinstance(payload, list) and payload and isinstance(payload[0], Message):
            return _letter(payload[0], deep)
    elif kind == HEADS:
        heads = parsed(_content(part))
        return None if heads is None else _letter(heads, deep)
    return None


def _content(part: Message) -> bytes:
    raw = part.get_payload(decode=True)
    return raw if isinstance(raw, bytes) else b""


def _reporter(part: Message) -> bytes:
    payload = part.get_payload()
    first = payload[0] if isinstance(payload, list) and payload else None
    if isinstance(first, Message):
        for name, value in first.raw_items():
            if name.lower() == "reporting-mta":
                return reporting_server(b" ".join(_bytes(value).split()))
    return b""


def _fields(message: Message) -> Fields:
    return gathered(
        (_bytes(name), _bytes(value)) for name, value in message.raw_items()
    )


def _bytes(text: object) -> bytes:
    # The parser keeps bytes beyond ASCII as lone surrogates.
    return str(text).encode("utf-8", "surrogateescape")
