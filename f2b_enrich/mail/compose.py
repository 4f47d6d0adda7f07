"""What an administrator reads about a ban."""

from __future__ import annotations

import shlex
import textwrap
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from f2b_enrich import inert
from f2b_enrich.mail import addresses, headers, wording
from f2b_enrich.mail.excerpt import WIDTH, excerpt
from f2b_enrich.model import FOR_EVER, read_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from f2b_enrich.model import Address, Ban, Enrichment, LogLine

COLUMNS = 80
_INDENT = 8
_MAX_WIRE_LINE = 998
_SUBJECT_LIMITS = {"host": 40, "jail": 40, "ip": 60, "network": 40}
_TOPICS = {
    **dict.fromkeys(("country_code", "country", "region", "city"), "place"),
    **dict.fromkeys(("asn", "as_name", "as_domain"), "network"),
    **dict.fromkeys(("is_hosting", "is_vpn", "is_tor", "is_proxy"), "network"),
    **dict.fromkeys(("hostname", "hostname_confirmed"), "name"),
}
"""What the reader calls a fact; facts that the mail does not show have no source."""

_NOT_LOOKED_UP = "not looked up"
"""Where a snapshot keeps the reason why nobody was asked."""

_TRAITS = {
    "hosting": "is_hosting",
    "VPN": "is_vpn",
    "Tor": "is_tor",
    "proxy": "is_proxy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """All that one alert tells; `nth` counts this host's bans of the address.

    `bantime_known` is false while fail2ban may still prolong the ban.
    """

    ban: Ban
    enrichment: Enrichment | None
    lines: tuple[LogLine, ...]
    recipient: str
    sender: str
    message_id: str
    nth: int
    bantime_known: bool
    version: str
    timezone: tzinfo | None


class Composer:
    """Turns alerts into mails; holds the templates."""

    def __init__(self) -> None:
        environment = Environment(
            loader=PackageLoader("f2b_enrich.mail"),
            undefined=StrictUndefined,
            autoescape=select_autoescape(("html.jinja",), default=False),
            trim_blocks=True,
            lstrip_blocks=True,
            # Whoever writes a template: no value gets into a mail as it came.
            finalize=_harmless,
        )
        environment.filters["wrap"] = _wrap
        self._alert = environment.get_template("alert.txt.jinja")
        self._policy = headers.policy()

    def compose(self, alert: Alert, *, now: datetime) -> EmailMessage:
        """Write the mail about one ban.

        Raises:
            AddressError: recipient or sender cannot stand in a header.
        """
        host = alert.ban.host
        message = EmailMessage(policy=self._policy)
        message["From"] = addresses.qualified(alert.sender, host)
        message["To"] = addresses.qualified(alert.recipient, host)
        message["Subject"] = subject(alert)
        message["Date"] = format_datetime(now.astimezone(alert.timezone))
        message["Message-ID"] = alert.message_id
        message["Auto-Submitted"] = "auto-generated"
        body = self._alert.render(_view(alert))
        message.set_content(body, charset="utf-8", cte=_encoding(body))
        return message


def subject(alert: Alert) -> str:
    """Say it in one line: where, which jail, who, from where, how often."""
    ban, found = alert.ban, alert.enrichment
    origin = []
    if found and found.country_code:
        origin.append(_short(found.country_code, "network"))
    if found and (found.asn or found.as_name):
        number = f"AS{found.asn} " if found.asn else ""
        origin.append(number + _short(found.as_name or "", "network"))
    host, jail = _short(_first_label(ban.host), "host"), _short(ban.jail, "jail")
    text = f"[fail2ban] {host} {jail}: banned {_short(ban.ip, 'ip')}"
    if origin:
        text += f" ({', '.join(part.strip() for part in origin)})"
    if alert.nth > 0:
        text += f", {wording.ordinal(alert.nth)} ban"
    return " ".join(text.split())


def _short(text: str, part: str) -> str:
    """Cut at a word, so that no half name looks like a whole one."""
    limit = _SUBJECT_LIMITS[part]
    text = inert.printable(text)
    if len(text) <= limit:
        return text
    head, blank, _ = text[:limit].rpartition(" ")
    # Three dots, for one character beyond ASCII would have the whole line encoded.
    return f"{head.rstrip(' ,.') if blank else text[: limit - 3]}..."


def _first_label(host: str) -> str:
    """Shorten web1.example.org to web1, but not an address."""
    return host if read_address(host).version else host.partition(".")[0] or host


def _view(alert: Alert) -> dict[str, object]:
    ban, found = alert.ban, alert.enrichment
    by_hand = ban.failures == 0 and not alert.lines
    address = read_address(ban.ip)
    return {
        "ip": ban.ip,
        "host": ban.host,
        "jail": ban.jail,
        "by_hand": by_hand,
        "failures": wording.counted(ban.failures, "failure") if ban.failures else "",
        "nth": _nth(alert.nth),
        "times": tuple(_times(alert)),
        "place": _place(found, address),
        "precision": found.location_precision if found and found.country_code else None,
        "network": tuple(_network(found)) if found else (),
        "traits": tuple(_traits(found)) if found else (),
        "hostname": found.hostname if found else None,
        "confirmed": found.hostname_confirmed if found else None,
        "log": excerpt(alert.lines, handed_over=ban.lines_received),
        "command": _command(ban),
        "page": None if found and _NOT_LOOKED_UP in found.raw else _page(address),
        "sources": tuple(_sources(alert)),
        "from_ipinfo": bool(found and _is_from_ipinfo(found)),
        "short_id": ban.id.partition("-")[0],
        "version": alert.version,
    }


def _nth(nth: int) -> str:
    if nth == 1:
        return "First"
    return wording.ordinal(nth) if nth > 1 else ""


def _times(alert: Alert) -> Iterator[tuple[str, str]]:
    ban, zone = alert.ban, alert.timezone
    is_failure = ban.banned_at_source == "failure" and ban.failures > 0
    yield (
        "last failure" if is_failure else "banned",
        wording.moment(ban.banned_at, zone),
    )
    if ban.unbanned_at is not None:
        yield "unbanned", wording.moment(ban.unbanned_at, zone)
    elif ban.bantime_seconds == FOR_EVER:
        yield "planned end", "none, banned for ever"
    elif ban.bantime_seconds is not None:
        least = "" if alert.bantime_known else "at least "
        length = wording.span(ban.bantime_seconds)
        if ban.expires_at is None:  # after the year 9999
            yield "planned for", least + length
        else:
            end = wording.moment(ban.expires_at, zone)
            yield "planned end", f"{least}{end} ({length})"


def _place(found: Enrichment | None, address: Address) -> str:
    if found is None:
        return _unasked(address)
    names = (found.city, found.region, found.country or found.country_code)
    known = dict.fromkeys(name for name in names if name)
    if known:
        return ", ".join(known)
    if _NOT_LOOKED_UP in found.raw:
        return f"not looked up: {found.raw[_NOT_LOOKED_UP]}"
    return "not known" if found.complete else "not known, a source did not answer"


def _unasked(address: Address) -> str:
    if address.is_network:
        return "not looked up: a network, not an address"
    if address.version is None:
        return "not looked up: not an address"
    return "not looked up yet"


def _network(found: Enrichment) -> Iterator[str]:
    name = " ".join(
        part for part in (f"AS{found.asn}" if found.asn else "", found.as_name) if part
    )
    yield from (part for part in (name, found.as_domain) if part)


def _traits(found: Enrichment) -> Iterator[str]:
    for answer, word in ((True, "yes"), (False, "no")):
        names = [name for name, key in _TRAITS.items() if getattr(found, key) is answer]
        if names:
            yield f"{', '.join(names)}: {word}"


def _command(ban: Ban) -> dict[str, str] | None:
    """Quote jail and address for a shell.

    None if they would be shown other than they must be typed.
    """
    command = {"ip": shlex.quote(ban.ip), "jail": shlex.quote(ban.jail)}
    if any(_harmless(word) != word for word in command.values()):
        return None
    return command


def _page(address: Address) -> str | None:
    """Give the address that IPinfo has a page of; a network or a name has none."""
    if address.version is None or address.is_network or "%" in address.text:
        return None
    return address.text


def _sources(alert: Alert) -> Iterator[str]:
    found = alert.enrichment
    if found is None or _NOT_LOOKED_UP in found.raw:
        yield "fail2ban only"
        return
    topics: dict[str, dict[str, None]] = {}
    for field, source in found.field_sources.items():
        if field in _TOPICS:
            topics.setdefault(source, {})[_TOPICS[field]] = None
    for source, names in topics.items():
        yield f"{', '.join(names)}: {source}"
    looked_up = wording.moment(found.looked_up_at, alert.timezone)
    yield f"looked up {looked_up}" if topics else f"nothing found {looked_up}"
    if not found.complete:
        yield "not every source answered"


def _is_from_ipinfo(found: Enrichment) -> bool:
    sources = found.field_sources.values()
    return any("ipinfo" in source.casefold() for source in sources)


def _harmless(value: object) -> str:
    return inert.defang(inert.cut(inert.printable(str(value)), WIDTH))


def _wrap(text: str, label: str = "") -> str:
    """Fill lines right of a label, or at the margin; break first where `text` does."""
    indent = _INDENT if label else 0
    width = COLUMNS - indent
    lines: list[str] = []
    for piece in (" ".join(line.split()) for line in text.splitlines()):
        if lines and len(lines[-1]) + 1 + len(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines += textwrap.wrap(
                piece, width, break_long_words=False, break_on_hyphens=False
            )
    margin = " " * indent
    filled = f"\n{margin}".join(line.rstrip() for line in lines)
    return f"{label.ljust(indent)}{filled}\n"


def _encoding(body: str) -> str:
    short = max(map(len, body.split("\n"))) <= _MAX_WIRE_LINE
    return "7bit" if body.isascii() and short else "quoted-printable"
