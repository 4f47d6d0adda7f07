"""Header fields by which programs sort alerts and mail readers thread them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid5

from f2b_enrich import inert
from f2b_enrich.mail import attacks
from f2b_enrich.mail.addresses import domain_of
from f2b_enrich.model import NAMESPACE, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from f2b_enrich.mail.alert import Alert
    from f2b_enrich.mail.digest import Digest
    from f2b_enrich.mail.flood import Flood
    from f2b_enrich.mail.letter import Letter
    from f2b_enrich.model import Ban

LONGEST = 100
"""Where a value is cut, in characters."""


def fields(alert: Alert) -> Iterator[tuple[str, str]]:
    """Give names and values; a field whose value is not known is left out."""
    ban, found = alert.ban, alert.enrichment
    if alert.history is not None:
        root = thread_root(ban, alert.history.thread_at)
        yield from _thread(root)
    yield "List-Id", f"<f2b-alerts.{_list_domain(ban.host)}>"
    values = {
        "X-F2B-Host": ban.host,
        "X-F2B-Jail": ban.jail,
        "X-F2B-Address": ban.ip,
        "X-F2B-Ban": ban.id,
        "X-F2B-Attack": attacks.leading(alert),
        "X-F2B-Country": found.country_code if found else None,
        "X-F2B-ASN": f"AS{found.asn}" if found and found.asn else None,
    }
    yield from _clean(values)


def digest_fields(digest: Digest) -> Iterator[tuple[str, str]]:
    """Give names and values of a digest's fields.

    That of a flood belongs to the thread of the mails about the flood.
    """
    if digest.period.kind == "flood":
        yield from _thread(_flood_root(digest.host, digest.period.since))
    yield "List-Id", f"<f2b-alerts.{_list_domain(digest.host)}>"
    yield from _clean({"X-F2B-Host": digest.host, "X-F2B-Digest": digest.period.kind})


def flood_fields(flood: Flood) -> Iterator[tuple[str, str]]:
    """Give names and values of the fields of a mail about a flood."""
    yield from _thread(_flood_root(flood.host, flood.began_at))
    yield "List-Id", f"<f2b-alerts.{_list_domain(flood.host)}>"
    state = "began" if flood.ended_at is None else "ended"
    yield from _clean({"X-F2B-Host": flood.host, "X-F2B-Flood": state})


def report_fields(letter: Letter) -> Iterator[tuple[str, str]]:
    """Give names and values of the fields of a report."""
    yield "List-Id", f"<f2b-alerts.{_list_domain(letter.host)}>"
    yield from _clean({"X-F2B-Host": letter.host, "X-F2B-Report": letter.label})


def _thread(root: str) -> Iterator[tuple[str, str]]:
    yield "In-Reply-To", root
    yield "References", root


def _clean(values: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        clean = " ".join(inert.without_secrets(inert.printable(value or "")).split())
        if clean:
            yield name, inert.cut(clean, LONGEST)


def _flood_root(host: str, began_at: datetime) -> str:
    about = f"flood\0{host}\0{time_text(began_at)}"
    return f"<flood.{uuid5(NAMESPACE, inert.printable(about))}@{domain_of(host)}>"


def _list_domain(host: str) -> str:
    """Give a domain of names: RFC 2919 knows no addresses in brackets."""
    domain = domain_of(host)
    return "localhost" if domain.startswith("[") else domain


def thread_root(ban: Ban, began_at: datetime) -> str:
    """Name a mail that nobody sent, to which all alerts of one thread answer.

    So the order in which they arrive does not matter, and none has to be remembered.
    """
    about = f"thread\0{ban.host}\0{ban.ip}\0{time_text(began_at)}"
    of = uuid5(NAMESPACE, inert.printable(about))
    return f"<thread.{of}@{domain_of(ban.host)}>"
