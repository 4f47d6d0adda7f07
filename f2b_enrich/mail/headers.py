"""Header fields that reach the reader letter for letter.

The standard library decodes what looks like an encoded word (RFC 2047) when a field is
set, writes it undecoded again when it is folded, and some releases of it break long
addresses and message ids where none may be broken.
"""

from __future__ import annotations

import textwrap
from email.header import Header
from email.headerregistry import (
    HeaderRegistry,
    MessageIDHeader,
    UniqueSingleAddressHeader,
    UniqueUnstructuredHeader,
)
from email.policy import SMTP
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from email.headerregistry import BaseHeader
    from email.message import EmailMessage
    from email.policy import EmailPolicy, Policy

_WIDTH = 76
"""Longest line that holds an encoded word or quoted-printable (RFC 2047, 2045)."""


class _InOnePiece:
    name: str

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _SingleAddress(_InOnePiece, UniqueSingleAddressHeader):
    pass


class _MessageId(_InOnePiece, MessageIDHeader):
    pass


class _Identifier(_InOnePiece, UniqueUnstructuredHeader):
    pass


class _Text(UniqueUnstructuredHeader):
    """Words; an encoded word or a break between them where a line gets too long."""

    name: str

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        kwds["parse_tree"] = cls.value_parser("")
        kwds["decoded"] = " ".join(value.split())

    def fold(self, *, policy: Policy) -> str:
        text = str(self)
        if text.isascii() and "=?" not in text:
            # Something must stand beside the name: a reader by line finds it there.
            first, _, rest = text.partition(" ")
            lines = textwrap.wrap(
                f"{self.name}:\N{NO-BREAK SPACE}{first} {rest}",
                _WIDTH,
                break_long_words=False,
                break_on_hyphens=False,
            )
            folded = f"{policy.linesep} ".join(lines).replace("\N{NO-BREAK SPACE}", " ")
            return folded + policy.linesep
        encoded = Header(text, "utf-8", maxlinelen=_WIDTH, header_name=self.name)
        return f"{self.name}: {encoded.encode(linesep=policy.linesep)}{policy.linesep}"


_FIELDS = {
    "subject": _Text,
    "from": _SingleAddress,
    "to": _SingleAddress,
    "message-id": _MessageId,
    **dict.fromkeys(("in-reply-to", "references"), _Identifier),
    **dict.fromkeys(("list-id", "content-id"), _Identifier),
    **dict.fromkeys(("x-f2b-host", "x-f2b-jail", "x-f2b-address", "x-f2b-ban"), _Text),
    **dict.fromkeys(("x-f2b-country", "x-f2b-asn", "x-f2b-attack"), _Text),
    **dict.fromkeys(("x-f2b-digest", "x-f2b-flood", "x-f2b-report"), _Text),
}


def policy() -> EmailPolicy[EmailMessage]:
    """Give the policy under which our mails are built and written."""
    registry = HeaderRegistry()
    for name, kind in _FIELDS.items():
        # The registry mixes BaseHeader in by itself; its stubs ask for it before.
        registry.map_to_type(name, cast("type[BaseHeader]", kind))
    return SMTP.clone(header_factory=registry, max_line_length=_WIDTH, cte_type="7bit")
