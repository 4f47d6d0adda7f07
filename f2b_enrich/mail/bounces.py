"""What a mail that came back says: which of ours, to whom, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.mail_parser import PARSER_ERRORS, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_BYTES = 256 * 1024
"""What is read of a mail: the reason, and the head of what is returned, come first."""

MAX_TEXT = 300
_MAX_WORD = 254
_MAX_REASON = 16 * 1024

FAILED = "failed"
DELAYED = "delayed"

_ID = re.compile(r"<[^<>\s]{3,320}>")
_ID_FIELD = re.compile(
    r"^[> \t]{0,8}message-id:\s{0,8}(<[^<>\s]{3,320}>)", re.IGNORECASE | re.MULTILINE
)
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])[45]\d\d[ -]")
_RECIPIENT = re.compile(
    r"^[ \t]{0,20}<?([^\s<>:@]{1,64}@[^\s<>:@,;]{1,190})>?", re.MULTILINE
)
# What separates a server's own words from the mail that it gives back.
_RETURNED = re.compile(
    r"^(?:[ \t]{0,20}-{2,}[^\n]{0,80}"
    r"(?:copy of|original message|message follows|returned message)"
    r"|[ \t]{0,20}Below is a copy"
    r"|[> \t]{0,8}(?:Return-Path|Received|Message-ID|MIME-Version):)",
    re.IGNORECASE | re.MULTILINE,
)
_IS_LATE = re.compile(
    r"\bdelayed\b|\bwarning\b|temporary failure report|will (?:be retried|keep trying)"
    r"|not yet been delivered|do not need to re-?send",
    re.IGNORECASE,
)
_OF_A_PROGRAM = ("X-Autoreply", "X-Autorespond")
"""What holiday programs call themselves by."""

_FROM_A_SERVER = re.compile(r"mailer-daemon|postmaster", re.IGNORECASE)
_DSN = "message/delivery-status"
# RFC 6533 writes the same in UTF-8, which the parser does not know to be blocks.
_GLOBAL_DSN = re.compile(
    rb"^(content-type:\s{0,8})message/global-delivery-status\b",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """What a mail server says of one of our mails, made harmless.

    `status` is an enhanced code such as 5.1.1 (RFC 3463). `action` is `failed`, or
    what else RFC 3464 knows (`delayed`, `delivered`, `relayed`, `expanded`).
    """

    message_id: str
    action: str
    recipient: str | None = None
    status: str | None = None
    diagnostic: str | None = None

    @property
    def is_failure(self) -> bool:
        """Whether the mail will not arrive."""
        return self.action == FAILED


def read(data: bytes) -> Bounce | None:
    """Tell which mail came back; None for what is no bounce, or names no mail.

    Whoever knows or guesses a Message-ID can write such a mail, so it decides nothing
    but what is told. A reply by a person or a holiday program is none, even one that
    quotes the mail.
    """
    data = _GLOBAL_DSN.sub(rb"\1" + _DSN.encode(), data[:MAX_BYTES])
    message = parsed(data)
    if message is None:
        return None
    try:
        parts = tuple(message.walk())
        report = [part for part in parts if part.get_content_type() == _DSN]
        if not report and not _may_be_a_bounce(message):
            return None
        words = _words(parts)
        message_id = _returned_id(parts, words) or (
            _first_id(message, "In-Reply-To") if report else None
        )
        if message_id is None:
            return None
        return _reported(report, words, message, message_id)
    except PARSER_ERRORS:
        return None


def _may_be_a_bounce(message: Message) -> bool:
    """Tell mail that a server wrote from a person's, without a report in it.

    An empty Return-Path says nothing: holiday programs, receipts and abuse reports
    have it too. So does `auto-replied`, which is what Exim calls its bounces.
    """
    kind = message.get_param("report-type")
    if kind is not None and str(kind).lower() != "delivery-status":
        return False
    if "vacation" in _field(message, "Auto-Submitted").lower():
        return False
    if any(name in message for name in _OF_A_PROGRAM):
        return False
    return (
        "X-Failed-Recipients" in message
        or _FROM_A_SERVER.search(_field(message, "From")) is not None
    )


def _words(parts: Sequence[Message]) -> str:
    """Give the first text, which is what the server has to say."""
    for part in parts:
        if part.get_content_type() == "text/plain":
            raw = part.get_payload(decode=True)
            if isinstance(raw, bytes):
                return raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return ""


def _returned_id(parts: Sequence[Message], words: str) -> str | None:
    """Find the Message-ID of what is returned: a part of its own, or in the text."""
    for part in parts[1:]:
        kind = part.get_content_type()
        if kind in {"message/rfc822", "message/global"}:
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                return _first_id(inner[0], "Message-ID")
        elif kind in {"text/rfc822-headers", "message/global-headers"}:
            return _first_id(Parser().parsestr(_text(part)), "Message-ID")
    found = _ID_FIELD.search(words)
    return None if found is None else found[1]


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


def _first_id(message: Message, name: str) -> str | None:
    found = _ID.search(_field(message, name))
    return None if found is None else found[0]


def _reported(
    report: Sequence[Message], words: str, message: Message, message_id: str
) -> Bounce | None:
    blocks = [block for part in report for block in _blocks(part)]
    failed = [block for block in blocks if _word(block, "Action").lower() == FAILED]
    for block in (*failed, *blocks):
        status = _STATUS.search(_field(block, "Status"))
        action = _word(block, "Action").lower()
        return Bounce(
            message_id=message_id,
            action=inert.cut(inert.printable(action), 20) or _implied(status),
            recipient=_address(block),
            status=None if status is None else status[0],
            diagnostic=_typed(block, "Diagnostic-Code", MAX_TEXT)
            or _diagnostic(_before_copy(words)),
        )
    return _told(words, message, message_id)


def _blocks(part: Message) -> Iterator[Message]:
    """Give the fields of each recipient: the block about the whole has none."""
    payload = part.get_payload()
    for block in payload if isinstance(payload, list) else ():
        if isinstance(block, Message) and ("Action" in block or "Status" in block):
            yield block


def _implied(status: re.Match[str] | None) -> str:
    return DELAYED if status is not None and status[0].startswith("4") else FAILED


def _told(words: str, message: Message, message_id: str) -> Bounce:
    """Take from a server's own words what can be told from them."""
    reason = _before_copy(words)
    subject = _field(message, "Subject")
    status = _STATUS.search(reason)
    named = _clean(_field(message, "X-Failed-Recipients").partition(",")[0], _MAX_WORD)
    found = _RECIPIENT.search(reason)
    recipient = named or (found and _clean(found[1], _MAX_WORD)) or None
    is_late = _IS_LATE.search(subject) or _IS_LATE.search(reason)
    return Bounce(
        message_id=message_id,
        action=DELAYED if is_late else FAILED,
        recipient=recipient,
        status=None if status is None else status[0],
        diagnostic=_diagnostic(reason[found.start() :] if found else reason),
    )


def _before_copy(words: str) -> str:
    returned = _RETURNED.search(words)
    end = len(words) if returned is None else returned.start()
    return words[: min(end, _MAX_REASON)]


def _diagnostic(reason: str) -> str | None:
    """Choose the server's reply, else the first words after the recipient."""
    lines = [line.strip() for line in reason.split("\n")]
    lines = [line for line in lines if line]
    for number, line in enumerate(lines):
        if _REPLY.search(line):
            return _clean(" ".join(lines[number : number + 3]), MAX_TEXT)
    return _clean(" ".join(lines[:4]), MAX_TEXT) or None


def _address(block: Message) -> str | None:
    for name in ("Original-Recipient", "Final-Recipient"):
        address = _typed(block, name, _MAX_WORD)
        if address:
            return address
    return None


def _typed(block: Message, name: str, limit: int) -> str | None:
    """Read a field such as `rfc822; root@example`, without the type."""
    text = _field(block, name)
    kind, semicolon, value = text.partition(";")
    return _clean(value if semicolon and " " not in kind.strip() else text, limit)


def _word(block: Message, name: str) -> str:
    return _field(block, name).partition(" ")[0].partition(";")[0]


def _field(message: Message, name: str) -> str:
    # `get` makes U+FFFD of what is beyond ASCII, which reports may hold (RFC 6533).
    wanted = name.lower()
    values = (str(value) for key, value in message.raw_items() if key.lower() == wanted)
    raw = next(values, "").encode("utf-8", "surrogateescape")
    return " ".join(raw.decode("utf-8", "replace").split())


def _clean(text: str, limit: int) -> str:
    # Bytes that were no text arrive as lone surrogates.
    text = text.encode("utf-8", "replace").decode("utf-8")
    shown = inert.without_secrets(inert.printable(" ".join(text.split())))
    return inert.cut(shown, limit)
