"""Where addresses are and whose, ranked by unique addresses, for a scope of bans."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from f2b_enrich.report.figures_rankings import Measure, Ranking, Scope, Share, Tied
from f2b_enrich.report.part import Pair, Subnets
from f2b_enrich.report.tops import Listed, tops_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from f2b_enrich.report.naming import Naming
    from f2b_enrich.report.part import Part
    from f2b_enrich.report.part import Scope as Service

SEVERAL = "multiple ASNs"
"""The note beside an organisation that has several."""


def scope(
    part: Part,
    service: Service,
    naming: Naming,
    *,
    top: int,
    note: str = "",
) -> Scope:
    """Rank the places of all bans, or of a service's."""
    base = part.services.addresses[service]
    return Scope(
        service=service,
        measure=Measure(
            bans=part.services.bans[service],
            addresses=base,
            attempts=part.attempts[service],
        ),
        note=note,
        countries=countries(part.countries.get(service, Pair()), naming, base, top),
        organisations=organisations(
            part.networks.get(service, Pair()), naming, base, top
        ),
        cities=_cities(part.cities.get(service, Pair()), base, top),
        subnets=_subnets(part.subnets.get(service, Subnets()), base, top),
    )


def countries(pair: Pair, naming: Naming, base: int, top: int) -> Ranking:
    """Rank countries by their codes: their names differ from source to source."""
    addresses, bans = Counter[str](), Counter[str]()
    for (code, name), found in pair.addresses.items():
        addresses[code] += found
        bans[code] += pair.bans[code, name]
    return ranking(
        addresses,
        bans,
        naming.countries,
        base=base,
        top=top,
        unknown="",
    )


def organisations(pair: Pair, naming: Naming, base: int, top: int) -> Ranking:
    """Rank organisations, which may have several networks each."""
    addresses, bans = Counter[str](), Counter[str]()
    names: dict[str, str] = {}
    numbers: dict[str, set[int]] = {}
    for network, found in pair.addresses.items():
        key, name = naming.organisations[network]
        names[key] = name
        addresses[key] += found
        bans[key] += pair.bans[network]
        numbers.setdefault(key, set()).add(network[0])
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
