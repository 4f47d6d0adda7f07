"""Several sources' answers put together into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from f2b_enrich.address import read_address
from f2b_enrich.enrich.countries import CENTRE_SOURCE, countries
from f2b_enrich.model import Enrichment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from f2b_enrich.enrich.provider import Facts

NO_SOURCE = "none"
"""The `source` of an address that nobody was asked about or nobody knows."""

# Fields of one group come from one source, or an address would stand in "Frankfurt,
# Netherlands": sources disagree on the country of hosting networks.
_PLACE = (
    "country_code",
    "country",
    "region",
    "city",
    "postal",
    "latitude",
    "longitude",
    "location_precision",
    "timezone",
)
_PLACES = (
    ("city", "country_code"),
    ("country_code",),
    ("city",),
    ("country",),
    ("latitude",),
)
"""What a source has to know of a place to be the one that is taken, best first."""

_NETWORK = ("asn", "as_name", "as_domain", "as_country_code")
_HOSTNAME = ("hostname", "hostname_confirmed")
# Each from the first source that knows it: they contradict nothing else.
_ALONE = ("is_hosting", "is_vpn", "is_tor", "is_proxy", "scanner", "abuse_contact")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one source said; `facts` is None when it knows nothing."""

    source: str
    facts: Facts | None


def merge(
    ip: str,
    answers: Sequence[Answer],
    *,
    looked_up_at: datetime,
    complete: bool = True,
) -> Enrichment:
    """Take each fact from the first source that knows it, in the order given."""
    known = [(answer.source, answer.facts) for answer in answers if answer.facts]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    choices = (*_place(known), *_network(known), *_hostname(known), *_alone(known))
    for source, facts, names in choices:
        _take(source, facts, names, values, origins)
    asked = [source for source, _ in known if source in set(origins.values())]
    _name_and_place_the_country(values, origins)
    return Enrichment(
        ip=read_address(ip).text,
        looked_up_at=looked_up_at,
        source=", ".join(asked) or NO_SOURCE,
        complete=complete,
        field_sources=origins,
        raw={source: facts.raw for source, facts in known},
        **values,
    )


_Known = list[tuple[str, "Facts"]]
_Choice = tuple[str, "Facts", tuple[str, ...]]


def _place(known: _Known) -> Iterable[_Choice]:
    # A city of an unknown country must not hide the country that another knows.
    for wanted in _PLACES:
        for source, facts in known:
            if all(getattr(facts, name) is not None for name in wanted):
                return [(source, facts, _PLACE)]
    return []


def _network(known: _Known) -> Iterable[_Choice]:
    first = next((pair for pair in known if pair[1].asn is not None), None)
    if first is None:
        return [(source, facts, _NETWORK) for source, facts in known if facts.as_name][
            :1
        ]
    # Another source may add what the first does not say of the same network.
    return [
        (source, facts, _NETWORK)
        for source, facts in known
        if facts.asn == first[1].asn
    ]


def _hostname(known: _Known) -> Iterable[_Choice]:
    named = [(source, facts) for source, facts in known if facts.hostname is not None]
    # Whoever owns an address may write any name for it; one that leads back is true.
    proven = [pair for pair in named if pair[1].hostname_confirmed]
    # That a name does not lead back is worth more than the same name unexamined.
    judged = [pair for pair in named if pair[1].hostname_confirmed is not None]
    best = proven or judged or named
    return [(source, facts, _HOSTNAME) for source, facts in best[:1]]


def _alone(known: _Known) -> Iterable[_Choice]:
    return [(source, facts, _ALONE) for source, facts in known]


def _take(
    source: str,
    facts: Facts,
    names: tuple[str, ...],
    values: dict[str, Any],
    origins: dict[str, str],
) -> None:
    for name in names:
        value = getattr(facts, name)
        if value is not None and name not in values:
            values[name] = value
            origins[name] = source


def _name_and_place_the_country(
    values: dict[str, Any], origins: dict[str, str]
) -> None:
    country = countries().get(values.get("country_code", ""))
    if country is None:
        return
    values["country"] = country.name
    origins["country"] = origins["country_code"]
    if "latitude" not in values:
        values["latitude"] = country.latitude
        values["longitude"] = country.longitude
        values["location_precision"] = "country"
        for name in ("latitude", "longitude", "location_precision"):
            origins[name] = CENTRE_SOURCE


def not_looked_up(ip: str, reason: str, *, looked_up_at: datetime) -> Enrichment:
    """Record that an address is not one to ask about."""
    raw: Mapping[str, object] = {"not looked up": reason}
    return Enrichment(
        ip=read_address(ip).text,
        looked_up_at=looked_up_at,
        source=NO_SOURCE,
        raw=raw,
    )
