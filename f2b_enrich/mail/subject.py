"""The subject of an alert: all that a list of mails has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.address import read_address
from f2b_enrich.mail import attacks, wording

if TYPE_CHECKING:
    from f2b_enrich.mail.alert import Alert

_LIMITS = {"host": 40, "jail": 40, "ip": 60, "network": 40}


def subject(alert: Alert) -> str:
    """Say it in one line: where, which jail, who, from where, how often."""
    ban, found = alert.ban, alert.enrichment
    origin = []
    if found and found.country_code:
        origin.append(short(found.country_code, "network"))
    if found and (found.asn or found.as_name):
        number = f"AS{found.asn} " if found.asn else ""
        origin.append(number + short(found.as_name or "", "network"))
    host, jail = short(first_label(ban.host), "host"), short(ban.jail, "jail")
    warning = "possible lock-out: " if alert.is_lock_out else ""
    text = f"[fail2ban] {warning}{host} {jail}: banned {short(ban.ip, 'ip')}"
    if origin:
        text += f" ({', '.join(part.strip() for part in origin)})"
    if attacks.is_repeat(alert):
        text += ", repeat offender"
    elif alert.nth > 0:
        text += f", {wording.ordinal(alert.nth)} ban"
    return " ".join(text.split())


def short(text: str, part: str) -> str:
    """Cut at a word, so that no half name looks like a whole one."""
    limit = _LIMITS[part]
    text = inert.defang(inert.without_secrets(inert.printable(text)))
    if len(text) <= limit:
        return text
    head, blank, _ = text[:limit].rpartition(" ")
    # Three dots, for one character beyond ASCII would have the whole line encoded.
    return f"{head.rstrip(' ,.') if blank else text[: limit - 3]}..."


def first_label(host: str) -> str:
    """Shorten web1.example.org to web1, but not an address."""
    if read_address(host.strip("[]")).version:
        return host
    return host.partition(".")[0] or host
