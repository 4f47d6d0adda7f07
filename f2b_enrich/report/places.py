"""Where addresses are and whose, ranked by unique addresses, for a scope of bans."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from f2b_enrich.report.figures import Measure, Ranking, Scope, Share, Tied
from f2b_enrich.report.part import Pair, Subnets
from f2b_enrich.report.tops import Listed, tops_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from f2b_enrich.report.part import Part
    from f2b_enrich.report.part import Scope as Service

    OrganisationOf = Callable[[int, str], tuple[str, str]]

SEVERAL = "multiple ASNs"
"""The note beside an organisation that has several."""


def scope(
    part: Part,
    service: Service,
    organisation_of: OrganisationOf,
    *,
    top: int,
    note: str = "",
) -> Scope:
    """Rank the places of all bans, or of a service's."""
    base = part.services.addresses[service]
    names = network_names(part)
    return Scope(
        service=service,
        measure=Measure(
            bans=part.services.bans[service],
            addresses=base,
            attempts=part.attempts[service],
        ),
        note=note,
        countries=countries(part.countries.get(service, Pair()), base, top),
        organisations=organisations(
            part.networks.get(service, Pair()), organisation_of, names, base, top
        ),
        cities=_cities(part.cities.get(service, Pair()), base, top),
        subnets=_subnets(part.subnets.get(service, Subnets()), base, top),
    )


def countries(pair: Pair, base: int, top: int) -> Ranking:
    """Rank countries by their codes: their names differ from source to source."""
    addresses, bans = Counter[str](), Counter[str]()
    for (code, name), found in pair.addresses.items():
        addresses[code] += found
        bans[code] += pair.bans[code, name]
    return ranking(
        addresses,
        bans,
        _country_names(pair),
        base=base,
        top=top,
        unknown="",
    )


def country_names(part: Part) -> dict[str, str]:
    """Name each country, by its code, as most of its addresses do."""
    return _country_names(part.countries.get(None, Pair()))


def _country_names(pair: Pair) -> dict[str, str]:
    names: dict[str, Counter[str]] = {}
    for (code, name), found in pair.addresses.items():
        names.setdefault(code, Counter())[name or code] += found
    return {code: _usual(of) for code, of in names.items()}


def _usual(names: Counter[str]) -> str:
    return min(names, key=lambda name: (-names[name], name))


def network_names(part: Part) -> dict[int, str]:
    """Name each AS number as most of its addresses do: sources differ."""
    names: dict[int, Counter[str]] = {}
    for (asn, as_name), found in part.networks.get(None, Pair()).addresses.items():
        if asn and as_name:
            names.setdefault(asn, Counter())[as_name] += found
    return {asn: _usual(of) for asn, of in names.items()}


def _merged(
    pair: Pair, organisation_of: OrganisationOf, usual: Mapping[int, str]
) -> tuple[Counter[str], Counter[str], dict[str, str], dict[str, set[int]]]:
    """Merge networks; give addresses, bans, names and AS numbers by organisation.

    What a rule does not name is called as its largest network is.
    """
    addresses, bans = Counter[str](), Counter[str]()
    numbers: dict[str, set[int]] = {}
    named: dict[str, Counter[str]] = {}
    for (asn, as_name), found in pair.addresses.items():
        if not asn and not as_name:
            addresses[""] += found
            continue
        key, name = organisation_of(asn, usual.get(asn, as_name))
        addresses[key] += found
        bans[key] += pair.bans[asn, as_name]
        numbers.setdefault(key, set()).add(asn)
        named.setdefault(key, Counter())[name] += found
    names = {key: _usual(of) for key, of in named.items()}
    return addresses, bans, names, numbers


def organisations(
    pair: Pair,
    organisation_of: OrganisationOf,
    usual: Mapping[int, str],
    base: int,
    top: int,
) -> Ranking:
    """Rank organisations, which may have several networks each.

    `usual` names each AS number, so that one is not two organisations.
    """
    addresses, bans, names, numbers = _merged(pair, organisation_of, usual)
    return ranking(
        addresses,
        bans,
        names,
        base=base,
        top=top,
        unknown="",
        keys={key: as_numbers(of) or key for key, of in numbers.items()},
        notes={key: SEVERAL for key, of in numbers.items() if len(of - {0}) > 1},
    )


def as_numbers(numbers: set[int]) -> str:
    """Write AS numbers in their order; 0 is none that is known."""
    return ", ".join(f"AS{number}" for number in sorted(numbers) if number)


def _cities(pair: Pair, base: int, top: int) -> Ranking:
    keys = {key: "/".join(key) if key else "" for key in pair.addresses}
    addresses, bans = Counter[str](), Counter[str]()
    for key, found in pair.addresses.items():
        addresses[keys[key]] += found
        bans[keys[key]] += pair.bans[key]
    return ranking(
        addresses,
        bans,
        {keys[key]: f"{key[2]}, {key[0]}" for key in keys if key},
        base=base,
        top=top,
        unknown="",
        notes={keys[key]: key[1] for key in keys if key},
    )


def _subnets(subnets: Subnets, base: int, top: int) -> Ranking:
    names = {name: name for name in subnets.tops.kept}
    listed = subnets.tops.listed(top, names)
    return Ranking(
        base=base,
        unknown=0,
        count=subnets.count,
        shares=_shares(listed, bans=subnets.bans, names=names, base=base),
        tied=tied(listed),
    )


def ranking(
    addresses: Counter[str],
    bans: Mapping[str, int],
    names: Mapping[str, str],
    *,
    base: int,
    top: int,
    unknown: str | None = None,
    keys: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Ranking:
    """Rank what has addresses; under the key `unknown` are those of no such thing."""
    counts = {key: found for key, found in addresses.items() if key != unknown}
    listed = tops_of(counts, top).listed(top, names)
    return Ranking(
        base=base,
        unknown=0 if unknown is None else addresses[unknown],
        count=len(counts),
        shares=_shares(
            listed, bans=bans, names=names, base=base, keys=keys, notes=notes
        ),
        tied=tied(listed),
    )


def _shares(
    listed: Listed[str],
    *,
    bans: Mapping[str, int],
    names: Mapping[str, str],
    base: int,
    keys: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> tuple[Share, ...]:
    return tuple(
        Share(
            rank=rank,
            key=(keys or {}).get(key, key),
            name=names[key],
            addresses=found,
            percent=100 * found / base,
            bans=bans[key],
            note=(notes or {}).get(key, ""),
        )
        for rank, key, found in listed.ranked
    )


def tied(listed: Listed[str]) -> Tied | None:
    """Say how many are tied with the last place without being listed."""
    if listed.tied is None:
        return None
    rank, count, value = listed.tied
    return Tied(rank=rank, count=count, each=value)
