"""The common forms of mail, taken apart without a parser.

Whatever is not exactly of such a form is left to the full parser, so that both give the
same: tests compare them.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from typing import TYPE_CHECKING

from f2b_enrich.importing.mail_letter import (
    HEADS,
    MOST_DEEP,
    RAW,
    REPORT,
    WHOLE,
    Letter,
    gathered,
    reporting_server,
)
from f2b_enrich.mail_parser import MOST_BLANK_LINES, MOST_BOUNDARIES

if TYPE_CHECKING:
    from f2b_enrich.importing.mail_letter import Fields

_HEAD = re.compile(rb"(?:[!-9;-~]++:[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z))*+")
_PARAMETER = re.compile(
    rb"([A-Za-z-]{1,40})=(?:\"([A-Za-z0-9'()+_,./:=?-]{1,70})\""
    rb"|([A-Za-z0-9'+_./=-]{1,70}))"
)
_PLAIN = b"text/plain"
_MULTIPART = frozenset(
    {b"multipart/report", b"multipart/mixed", b"multipart/alternative"}
)
_LEFT_OUT = re.compile(rb"(?:text|image|application|audio|video)/[a-z0-9.+-]{1,80}")


def quick(data: bytes, deep: int = 0) -> Letter | None:
    """Take apart a mail that has line feeds alone; None for what is less common."""
    if deep >= MOST_DEEP or b"\r" in data or data.startswith((b"\n", b"From ")):
        return None
    if b"oundary" in data and data.lower().count(b"boundary") > MOST_BOUNDARIES:
        return None
    if data.count(b"\n\n") > MOST_BLANK_LINES:
        return None
    head, _, text = data.partition(b"\n\n")
    fields = _fields(head)
    if fields is None:
        return None
    kind = _kind(fields)
    if kind in _MULTIPART:
        return _with_parts(fields, text, deep)
    decoded = _decoded(fields, text) if kind == _PLAIN else None
    return None if decoded is None else Letter(fields=fields, text=decoded)


def _fields(head: bytes) -> Fields | None:
    return gathered(_pairs(head)) if _HEAD.fullmatch(head) else None


def _pairs(head: bytes) -> list[tuple[bytes, bytes]]:
    unfolded = head.replace(b"\n ", b" ").replace(b"\n\t", b" ")
    lines = [line.partition(b":") for line in unfolded.split(b"\n")]
    return [(name, value) for name, _, value in lines]


def _kind(fields: Fields) -> bytes:
    value = fields.get(b"content-type", (b"",))[0]
    return value.partition(b";")[0].strip().lower() or _PLAIN


def _is_raw(fields: Fields) -> bool:
    return fields.get(b"content-transfer-encoding", (b"",))[0].lower() in RAW


def _with_parts(fields: Fields, body: bytes, deep: int) -> Letter | None:
    taken = _Taken(deep + 1)
    if not taken.take_all(fields, body):
        return None
    return Letter(
        fields=fields,
        text=taken.text or b"",
        enclosed=taken.enclosed,
        reporter=taken.reporter,
    )


class _Taken:
    """The first text, the report and the enclosed mail among the parts of a mail."""

    def __init__(self, deep: int) -> None:
        self.text: bytes | None = None
        self.reporter: bytes | None = None
        self.enclosed: Letter | None = None
        self._deep = deep

    def take_all(self, fields: Fields, body: bytes) -> bool:
        """Take the parts; False when one is not of a common form, or there is none."""
        boundary = _boundary(fields)
        parts = None if boundary is None else _parts(body, boundary)
        return bool(parts) and all(map(self._take, parts or ()))

    def _take(self, part: bytes) -> bool:
        head, content = _parted(part)
        fields = _fields(head)
        if fields is None:
            return False
        kind = _kind(fields)
        if kind == _PLAIN and self.text is None:
            self.text = _decoded(fields, content)
            return self.text is not None
        if kind == REPORT and self.reporter is None:
            self.reporter = _reporter(content)
            return self.reporter is not None
        if kind in WHOLE or kind == HEADS:
            if self.enclosed is None:
                self.enclosed = quick(content, self._deep)
            return self.enclosed is not None and (kind in WHOLE or _is_raw(fields))
        if kind in _MULTIPART:
            return self.take_all(fields, content)
        return _LEFT_OUT.fullmatch(kind) is not None


def _decoded(fields: Fields, content: bytes) -> bytes | None:
    encoding = fields.get(b"content-transfer-encoding", (b"",))[0].lower()
    if encoding == b"quoted-printable":
        return a2b_qp(content).strip()
    return content.strip() if encoding in RAW else None


def _boundary(fields: Fields) -> bytes | None:
    """Find the boundary among parameters that can be read in one way only."""
    found = None
    for parameter in fields[b"content-type"][0].split(b";")[1:]:
        if parameter.strip():
            match = _PARAMETER.fullmatch(parameter.strip())
            if match is None:
                return None
            if match[1].lower() == b"boundary":
                found = found or match[2] or match[3]
    return found


def _parts(body: bytes, boundary: bytes) -> list[bytes] | None:
    parts: list[bytes] = []
    for piece in (b"\n" + body).split(b"\n--" + boundary)[1:]:
        if piece.startswith(b"--"):
            # More on that line makes it another boundary, which begins like this one.
            return parts if not piece[2:].partition(b"\n")[0].strip(b" \t") else None
        if not piece.startswith(b"\n"):
            return None
        parts.append(piece[1:])
    return parts


def _parted(part: bytes) -> tuple[bytes, bytes]:
    if part.startswith(b"\n"):
        return b"", part[1:]
    head, _, content = part.partition(b"\n\n")
    return head, content


def _reporter(content: bytes) -> bytes | None:
    """Read the block about the whole report; None when it is not quite common."""
    block = content.partition(b"\n\n")[0]
    if content.startswith(b"\n") or not _HEAD.fullmatch(block):
        return None
    for name, value in _pairs(block):
        if name.lower() == b"reporting-mta":
            return reporting_server(b" ".join(value.split()))
    return b""
