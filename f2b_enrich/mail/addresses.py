"""Who gets a mail and who sends it: nobody whom nobody chose.

Fail2Ban's old sample addresses once sent two million reports to a stranger. So sample
addresses are refused, and a refused address is replaced by no other.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.errors import AddressError

if TYPE_CHECKING:
    from f2b_enrich.config import MailSettings

MAX_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3: a path of 256 bytes, less its angle brackets."""

_MAX_LOCAL_PART = 64
_MAX_LABEL = 63
_MAX_DOMAIN = 253
_MAX_SHOWN = 100
_SAMPLES = frozenset({"fail2ban@mail.com", "you@mail.com"})
_SAMPLE_ENDS = frozenset({"example", "invalid", "test"})

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?")
_NAMED = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^"<>])*<(?P<address>[^"<>]+)>')
_FAIL2BAN_TAG = re.compile(r"@<[a-z-]*hostname>", re.IGNORECASE)

_NO_DOMAIN = "not an address, the part after @ is no domain"
_TWO_IDNA_FORMS = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")
"""IDNA 2003, Python's, and IDNA 2008 make different domains of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a mail goes and where it comes from; no sender means it was refused."""

    recipients: tuple[str, ...]
    sender: str
    refused: tuple[tuple[str, str], ...] = ()


def route(
    dest: str | None,
    sender: str | None,
    *,
    settings: MailSettings,
    host: str,
    machine: str | None = None,
) -> Route:
    """Take what the jail has of its own, then the configuration, then root.

    Fail2Ban's stock values count as unset: they name the `machine`, which may be
    called otherwise than the `host` of our records. A refused address is kept with its
    reason.
    """
    names = (host, machine or host)
    wanted = _own(dest, names) or _split(settings.recipient)
    recipients, refused = _sort_out(wanted, settings)
    writers = _own(sender, names) or _split(settings.sender or "")
    senders, unsound = _sort_out(writers or [f"root@{domain_of(host)}"], settings)
    if len(senders) > 1:
        unsound = (*unsound, (", ".join(senders), "a mail has one sender, not several"))
        senders = ()
    return Route(
        recipients=recipients,
        sender=senders[0] if senders else "",
        refused=refused + unsound,
    )


def check_address(address: str, settings: MailSettings) -> str:
    """Give an address as it goes to a mail server, its domain in ASCII.

    Raises:
        AddressError: it is no address, or one that must not be written to.
    """
    _refuse_odd_characters(address)
    if len(address.encode("utf-8", "replace")) > MAX_ADDRESS:
        raise AddressError(f"longer than {MAX_ADDRESS} bytes")
    local_part, at, domain = address.rpartition("@")
    if not at:
        local_part, domain = address, ""
    _check_local_part(local_part)
    if not at:
        return local_part
    checked = f"{local_part}@{_ascii_domain(domain)}"
    if len(checked) > MAX_ADDRESS:
        raise AddressError(f"longer than {MAX_ADDRESS} bytes")
    _refuse_samples(checked, settings)
    return checked


def qualified(address: str, host: str) -> str:
    """Give a bare local part a domain, for headers and servers that demand one.

    Exim, Debian's default server, takes no recipient without a domain over SMTP.

    Raises:
        AddressError: the address would not stay in one piece where it is written.
    """
    _refuse_odd_characters(address)
    if not address.isascii():
        raise AddressError("needs SMTPUTF8, which is not spoken")
    if "@" in address:
        return address
    return f"{address}@{domain_of(host)}"


def _own(text: str | None, names: tuple[str, ...]) -> list[str]:
    """Give the addresses that a jail has of its own; none if they are all stock."""
    addresses = _split(text or "")
    if all(_is_stock(address, names) for address in addresses):
        return []
    return addresses


def _is_stock(address: str, names: tuple[str, ...]) -> bool:
    """Know the values that fail2ban ships with, whichever form of its name it used."""
    name, at, domain = address.casefold().partition("@")
    if name != "root" or not at:
        return False
    first = domain.partition(".")[0]
    own = {host.strip().casefold().partition(".")[0] for host in names}
    return first in {"localhost", *own} or bool(_FAIL2BAN_TAG.fullmatch(f"@{domain}"))


def domain_of(host: str) -> str:
    """Give this host's name as a domain; a name that is none is left out."""
    try:
        domain = _ascii_domain(host.strip().removesuffix("."))
    except AddressError:
        return "localhost"
    return domain if len(domain) <= _MAX_DOMAIN else "localhost"


def _sort_out(
    addresses: list[str], settings: MailSettings
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    sound: dict[str, str] = {}
    refused: dict[str, str] = {}
    for address in addresses:
        try:
            checked = check_address(address, settings)
        except AddressError as exc:
            refused.setdefault(_shown(address), str(exc))
        else:
            sound.setdefault(checked.casefold(), checked)
    return tuple(sound.values()), tuple(refused.items())


def _split(text: str) -> list[str]:
    """Split at commas and blanks, outside quotes and angle brackets.

    Of `Display Name <address>` the address is kept. What does not balance stays in one
    piece, to be refused as a whole.
    """
    parts = [part.strip(" ") for part in _at_commas(text.replace("\t", " "))]
    return [address for part in parts if part for address in _addresses(part)]


def _at_commas(text: str) -> list[str]:
    parts, start, closing = [], 0, ""
    escaped = False
    for position, char in enumerate(text):
        if escaped:
            escaped = False
        elif closing == '"' and char == "\\":
            escaped = True
        elif closing:
            closing = "" if char == closing else closing
        elif char in '"<':
            closing = '"' if char == '"' else ">"
        elif char == ",":
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _addresses(part: str) -> list[str]:
    if _FAIL2BAN_TAG.search(part) or not part.isprintable():
        return [part]
    named = _NAMED.fullmatch(part)
    if named:
        return [named["address"]]
    if any(char in part for char in '"<>'):
        return [part]
    return part.split()


def _refuse_odd_characters(address: str) -> None:
    if not address:
        raise AddressError("empty, not an address")
    if _FAIL2BAN_TAG.search(address):
        raise AddressError("holds a tag that fail2ban did not fill in")
    if not address.isprintable():
        raise AddressError("holds a line break or another control character")
    if any(char.isspace() for char in address):
        raise AddressError("holds a blank, not an address")
    if any(char in address for char in '<>"'):
        raise AddressError("quotes or angle brackets that do not belong, no address")


def _check_local_part(local_part: str) -> None:
    if not local_part.isascii():
        raise AddressError("needs SMTPUTF8 for the part before @, which is not spoken")
    if len(local_part) > _MAX_LOCAL_PART:
        raise AddressError(f"more than {_MAX_LOCAL_PART} bytes before the @")
    # Readers would take `=?` for the start of an encoded word (RFC 2047).
    if not _LOCAL_PART.fullmatch(local_part) or "=?" in local_part:
        raise AddressError("not an address")


def _ascii_domain(domain: str) -> str:
    if domain.startswith("[") and domain.endswith("]"):
        return _literal(domain)
    if not domain.isascii():
        domain = _a_labels(domain)
    labels = domain.split(".")
    if not all(_LABEL.fullmatch(name) and len(name) <= _MAX_LABEL for name in labels):
        raise AddressError(_NO_DOMAIN)
    # One mailbox is one recipient, however its domain is written.
    return domain.lower()


def _a_labels(domain: str) -> str:
    if _TWO_IDNA_FORMS & set(domain):
        raise AddressError("a domain with two readings, write it as xn--...")
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise AddressError(_NO_DOMAIN) from None


def _literal(domain: str) -> str:
    text = domain[1:-1]
    try:
        if text.casefold().startswith("ipv6:"):
            ipaddress.IPv6Address(text[5:].replace("%", " "))  # no zone in a mail
        else:
            ipaddress.IPv4Address(text)
    except ValueError:
        raise AddressError(_NO_DOMAIN) from None
    return domain


def _refuse_samples(address: str, settings: MailSettings) -> None:
    lowered = address.casefold()
    domain = lowered.rpartition("@")[2]
    if any(_is_within(domain, allowed) for allowed in settings.allow_domains):
        return
    if lowered in _SAMPLES or _is_sample(domain.split(".")):
        raise AddressError(
            "a sample address that belongs to nobody here, "
            "set a real one (mail.allow_domains lifts this)"
        )


def _is_sample(labels: list[str]) -> bool:
    """Know the domains for samples (RFC 2606), but not a host that is named `test`."""
    return len(labels) > 1 and (
        labels[-1] in _SAMPLE_ENDS or labels[0] == "example" or labels[-2] == "example"
    )


def _is_within(domain: str, allowed: str) -> bool:
    allowed = allowed.casefold().strip(".")
    return domain == allowed or domain.endswith(f".{allowed}")


def _shown(address: str) -> str:
    return inert.cut(inert.printable(address), _MAX_SHOWN)
