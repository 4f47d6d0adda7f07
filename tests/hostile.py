"""What attackers' text may not do, told by other means than the program's own."""

from __future__ import annotations

import email
import ipaddress
import re
import shlex
from dataclasses import dataclass, replace
from datetime import UTC
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich import wire
from f2b_enrich.classify.span import span
from f2b_enrich.daemon.tried_names import TriedNames
from f2b_enrich.mail.compose import Alert, Composer
from f2b_enrich.mail.wire_form import content_of
from f2b_enrich.outbox import message_id
from f2b_enrich.store import facts as store_facts
from tests.stores import DAY, NOW, located

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from email.message import EmailMessage, MIMEPart

    from f2b_enrich.model import Event
    from tests.stores import StoreBuilder

TRIED = TriedNames(host="web1.example.org", accounts=Path("/etc/passwd"))
WIDTH = 200
LONGEST = 2 * WIDTH + 60
"""The command that unbans holds two values, jail and address."""

LONGEST_LOG_ROW = WIDTH + len("   (9999 times)")
UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
"""Control characters but the line feed, and what turns the direction of writing."""

CLICKABLE = re.compile(
    r"(?:https?|ftp)://\S*|www\.\w\S*|[a-z0-9._%+-]@[a-z0-9][a-z0-9-]{0,62}\.[a-z]\S*",
    re.IGNORECASE,
)
_ODD = re.compile("[^\\S ]|[\x1c-\x1f\u2400-\u2421\ufffd]")
_BY_HAND = re.compile(r"^DO {6}unban now {7}by hand: ", re.MULTILINE)


def reported(
    lines: Iterable[str], *, jail: str = "sshd", ip: str = "192.0.2.7", user: str = ""
) -> Event:
    """Hand a ban over as the client does; a NUL cannot be in it."""
    fields = {
        "V": "1",
        "EVENT": "ban",
        "JAIL": jail,
        "IP": ip,
        "TIME": str(NOW.timestamp()),
        "BANTIME": str(DAY),
        "FAILURES": "5",
        "F_USER": user,
        "MATCHES": "\n".join(lines),
    }
    shown = {key: value.replace("\0", "\u2400") for key, value in fields.items()}
    return wire.decode(wire.encode(shown), received_at=NOW)


def real_lines(file: Path) -> list[str]:
    """Read a log as fail2ban hands it over: bytes that are not UTF-8 stay."""
    content = file.read_bytes().removesuffix(b"\n")
    text = content.decode("utf-8", "surrogateescape")
    return text.split("\n") if text else []


def alert_about(store: StoreBuilder, ban_id: str) -> Alert:
    """Bring together what the store gives back, as the daemon does."""
    store.classify()
    with store.reading() as connection:
        found = store_facts.of(connection, ban_id)
        assert found is not None
    return Alert(
        ban=found.ban,
        enrichment=found.enrichment,
        lines=found.lines,
        recipient="root",
        sender="root",
        message_id=message_id(ban_id, "alert", 0, store.host),
        nth=found.past.nth,
        bantime_known=found.ban.bantime_is_final,
        version="1.0",
        timezone=UTC,
        history=found.past,
        names=TRIED.of(found.observed, host=found.ban.host),
        attacks=found.attacks,
        repeated=found.repeated,
        campaigns=found.campaigns,
        span=span([line.line for line in found.lines]),
    )


class Page(HTMLParser):
    """Tells what is markup from what is text, and which of it are log lines."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.marks: list[object] = []
        self.text = ""
        self.log: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.marks.append((tag, attrs))
        if tag in {"meta", "br"}:
            return
        if self._open[-2:] == ["main", "div"] and tag == "code":
            self.log.append("")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.marks.append(tag)
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.marks.append(data)
            return
        self.text += data
        if self._open[-3:] == ["main", "div", "code"]:
            self.log[-1] += data

    def handle_comment(self, data: str) -> None:
        self.marks.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.marks.append(("declaration", decl))

    def handle_pi(self, data: str) -> None:
        self.marks.append(("instruction", data))

    def unknown_decl(self, data: str) -> None:
        self.marks.append(("unknown", data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A mail as its reader has it; `kinds` are the content types of its parts."""

    headers: list[tuple[str, str]]
    kinds: list[str]
    text: str
    html: str
    page: Page

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.headers]

    @property
    def unban_by_hand(self) -> bool:
        return _BY_HAND.search(self.text) is not None

    def log_rows(self, count: int) -> list[str]:
        """Give the rows of the text that stand before what can be done."""
        rows = self.text.split("\n")
        starts = (at for at, row in enumerate(rows) if row.startswith("DO      unban"))
        *_, end = starts
        assert not rows[end - 1]
        return rows[end - 1 - count : end - 1]


def read_text(composer: Composer, alert: Alert) -> str:
    """Write the mail that is text alone as bytes, and read it again."""
    return _content(_received(composer.compose(alert, now=NOW, form="text")))


def read(composer: Composer, alert: Alert) -> Read:
    """Write the mail of two forms as bytes, and read it again."""
    both = _received(composer.compose(alert, now=NOW, form="both"))
    plain, page = both.iter_parts()
    text, html = _content(plain), _content(page)
    return Read(
        headers=[(name, str(value)) for name, value in both.items()],
        kinds=[part.get_content_type() for part in both.walk()],
        text=text,
        html=html,
        page=Page(html),
    )


def _received(message: EmailMessage) -> EmailMessage:
    raw = content_of(message, linesep="\r\n")
    assert not re.search(rb"[^\r\n\x20-\x7e]", raw)  # so no 8-bit byte, in no part
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    found = email.message_from_bytes(raw, policy=email.policy.default)
    for part in found.walk():
        assert not part.defects
        assert not any(value.defects for value in part.values())
    return found


def _content(part: MIMEPart) -> str:
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def harmless(alert: Alert, *, by_hand: bool) -> Alert:
    """Tell of as many lines, as long, and of names wherever there are some: nice ones.

    `by_hand` is for a jail whose command cannot be shown.
    """
    names: dict[str, str] = {}
    for line in alert.lines:
        text = line.line.rstrip()
        names.setdefault(text, f"line {len(names)}".ljust(len(text), "x"))
    found, past = alert.enrichment, alert.history
    assert found is not None
    assert past is not None
    nice = located()
    known = ("hostname", "as_name", "city", "country")
    jail = "s\x01" if by_hand else "sshd"
    ip = alert.ban.ip if _is_address(alert.ban.ip) else "nobody"
    return replace(
        alert,
        ban=replace(alert.ban, jail=jail, ip=ip),
        lines=tuple(
            replace(line, line=names[line.line.rstrip()]) for line in alert.lines
        ),
        enrichment=replace(
            found,
            **{name: getattr(nice, name) for name in known if getattr(found, name)},
        ),
        history=replace(
            past, jails=tuple(replace(each, name="sshd") for each in past.jails)
        ),
        names=tuple(
            replace(tried, name=f"n{number}")
            for number, tried in enumerate(alert.names)
        ),
        repeated=alert.repeated and replace(alert.repeated, jail="sshd"),
        campaigns=tuple(
            replace(walk, who="AS64500", first_name="a", last_name="z")
            for walk in alert.campaigns
        ),
    )


def rows_but_names(text: str) -> int:
    """Count the lines, those left out that names of other lengths fill otherwise."""
    return re.sub(r"^NAMES .*\n(?: {8}.*\n)*", "", text, flags=re.MULTILINE).count("\n")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def check_mail(
    mail: Read, twin: Read, lines: Sequence[str], *, typed: str = "sshd"
) -> None:
    """See that a mail differs from its harmless twin in nothing but plain words.

    `typed` is the jail as the command has it, where its letters stay as they are.
    """
    command = f"fail2ban-client set {shlex.quote(typed)} unbanip "
    assert mail.kinds == twin.kinds == ["multipart/alternative", *_KINDS]
    assert mail.page.marks == twin.page.marks
    for mark in "<>\"'":
        assert mail.html.count(mark) == twin.html.count(mark), mark
    for shown, nice in ((mail.text, twin.text), (mail.page.text, twin.page.text)):
        assert not UNSEEN.search(shown)
        rest = shown.replace(command, "")
        assert CLICKABLE.findall(rest) == CLICKABLE.findall(nice)
    folded = [(line, len(list(same))) for line, same in groupby(map(str.rstrip, lines))]
    rows = mail.log_rows(len(folded))
    assert len(rows) == len(mail.page.log) == len(folded)
    for row, code, (line, times) in zip(rows, mail.page.log, folded, strict=True):
        assert row == f"  {code}"
        assert len(whole(row)) <= LONGEST_LOG_ROW
        suffix = f" ({times} times)" if times > 1 else ""
        assert code.endswith(suffix)
        assert tells(code.removesuffix(suffix), line, width=WIDTH)
    assert max(map(len, map(whole, mail.text.split("\n")))) <= LONGEST


_KINDS = ("text/plain", "text/html")


def tells(shown: str, line: str, *, width: int | None = None) -> bool:
    """See whether a line is what is shown, but for what makes it harmless.

    That is: links are broken, secrets are three asterisks, it is cut at `width`.
    """
    is_cut = width is not None and len(line) > width <= len(shown)
    if is_cut and shown.endswith("\u2026"):
        # What was cut in two cannot be told apart from what was broken.
        text = whole(shown[:-1])[:-12]
        return re.match(_pattern(text), whole(line)) is not None
    return re.fullmatch(_pattern(whole(shown)), whole(line)) is not None


def _pattern(shown: str) -> str:
    """Let a blank be any white space, `?` what cannot be seen or must not be."""
    pattern = "".join(_ALIKE.get(char) or re.escape(char) for char in shown)
    return re.sub(r"(?<=[=:/\"'D])\\\*\\\*\\\*", "[^ ]+?", pattern)


_ALIKE = {" ": "[ ?]", "?": "[?\x80-\U0010ffff]"}


def whole(text: str) -> str:
    """Mend broken links, and write `?` for everything that is no plain character."""
    before = ""
    while before != text:
        before = text
        text = re.sub(r"\[([.@])\]|\[(:)\](?=//)", r"\1\2", text)
    text = re.sub(r"tt(?=ps?://)", "xx", text, flags=re.IGNORECASE)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char.isprintable() and not _ODD.match(char) else "?" for char in text
    )
