"""What is known of an address, in words, each fact with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.address import read_address
from f2b_enrich.cli import times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from f2b_enrich.model import Enrichment

_TRAITS = {
    "hosting": "is_hosting",
    "VPN": "is_vpn",
    "Tor": "is_tor",
    "proxy": "is_proxy",
}
_TOPICS = {
    **dict.fromkeys(("country_code", "country", "region", "city"), "place"),
    **dict.fromkeys(("asn", "as_name", "as_domain"), "network"),
    **dict.fromkeys(_TRAITS.values(), "network"),
    **dict.fromkeys(("hostname", "hostname_confirmed"), "name"),
}
"""What people call a fact; the source of a scanner stands beside it."""

_DOUBT = "not confirmed"
"""How the source of a scanner says that only its name or network points at it."""


def known(ip: str, found: Enrichment | None, zone: tzinfo | None) -> Iterator[str]:
    """Give the parts of the line about an address."""
    if found is None:
        yield _not_asked(ip)
        return
    reason = found.raw.get("not looked up")
    if reason is not None:
        yield f"not looked up: {reason}"
        return
    yield _place(found)
    yield " ".join(filter(None, (_as_number(found), found.as_name)))
    yield found.as_domain or ""
    yield ", ".join(_traits(found))
    yield _hostname(found)
    yield f"[{_sources(found)}, {times.day(found.looked_up_at, zone)}]"


def scanner(found: Enrichment) -> str | None:
    """Say which scanner it is, or may be, and what tells so."""
    if not found.scanner:
        return None
    source = str(found.field_sources.get("scanner", found.source))
    word = "perhaps a scanner" if _DOUBT in source else "known scanner"
    return f"{word}: {found.scanner} ({source})"


def _not_asked(ip: str) -> str:
    address = read_address(ip)
    if address.is_network:
        return "not looked up: a whole network"
    if address.version is None:
        return "not looked up: not an IP address"
    return "not looked up yet"


def _place(found: Enrichment) -> str:
    names = (found.city, found.region, found.country or found.country_code)
    place = ", ".join(dict.fromkeys(name for name in names if name))
    if not place:
        return "place not known"
    precision = found.location_precision
    return f"{place} ({precision} level)" if precision else place


def _as_number(found: Enrichment) -> str | None:
    return None if found.asn is None else f"AS{found.asn}"


def _traits(found: Enrichment) -> Iterator[str]:
    for name, field in _TRAITS.items():
        answer = getattr(found, field)
        if answer is not None:
            yield f"{name}: {'yes' if answer else 'no'}"


def _hostname(found: Enrichment) -> str:
    if not found.hostname:
        return ""
    if found.hostname_confirmed is None:
        return found.hostname
    doubt = "confirmed" if found.hostname_confirmed else "not confirmed"
    return f"{found.hostname} ({doubt})"


def _sources(found: Enrichment) -> str:
    """Name the source, or what is known from which where there are several."""
    topics: dict[str, dict[str, None]] = {}
    for field, source in found.field_sources.items():
        if field in _TOPICS:
            topics.setdefault(str(source), {})[_TOPICS[field]] = None
    if len(topics) > 1:
        text = "; ".join(
            f"{', '.join(names)}: {source}" for source, names in topics.items()
        )
    else:
        text = next(iter(topics), found.source)
    return text if found.complete else f"{text}; not every source answered"
