"""A field's value as people read it."""

from __future__ import annotations

from email.errors import MessageError
from email.header import decode_header, make_header

_MAX_VALUE = 2000


def readable(value: bytes) -> str:
    """Decode a value on one line, encoded words (RFC 2047) too where they can be."""
    text = value[:_MAX_VALUE].decode("utf-8", "replace")
    if "=?" not in text:
        return text
    try:
        decoded = str(make_header(decode_header(text)))
    except (MessageError, ValueError, LookupError, TypeError, AssertionError):
        return text  # the library does not promise to keep to its errors
    # What an encoded word hides may be anything, even half a character.
    whole = decoded.encode("utf-8", "replace").decode("utf-8")
    return " ".join(whole.split())
