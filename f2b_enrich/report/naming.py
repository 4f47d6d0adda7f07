"""What countries and organisations are called: alike in every table of a report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.report.part import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from f2b_enrich.report.part import Part

    OrganisationOf: TypeAlias = Callable[[int, str], tuple[str, str]]

Network: TypeAlias = "tuple[int, str]"
"""AS number and name; 0 and empty text are not known."""

_NOBODY = (0, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Countries by their codes; networks by key and name of their organisation.

    Sources differ, and so do the networks of one organisation: each is called as most
    addresses of the whole report have it, also where only some of them are counted.
    """

    countries: Mapping[str, str]
    organisations: Mapping[Network, tuple[str, str]]

    @classmethod
    def of(cls, part: Part, organisation_of: OrganisationOf) -> Naming:
        """Name all that a report counts."""
        networks = part.networks.get(None, Pair()).addresses
        usual = _network_names(networks)
        whose = {
            (asn, as_name): organisation_of(asn, usual.get(asn, as_name))
            for asn, as_name in networks
            if (asn, as_name) != _NOBODY
        }
        names: dict[str, Counter[str]] = {}
        for network, (key, name) in whose.items():
            names.setdefault(key, Counter())[name] += networks[network]
        called = {key: _usual(of) for key, of in names.items()}
        return cls(
            countries=country_names(part),
            organisations={
                network: (key, called[key]) for network, (key, _) in whose.items()
            }
            | {_NOBODY: ("", "")},
        )


def country_names(part: Part) -> dict[str, str]:
    """Name each country, by its code, as most of its addresses do."""
    names: dict[str, Counter[str]] = {}
    for (code, name), found in part.countries.get(None, Pair()).addresses.items():
        names.setdefault(code, Counter())[name or code] += found
    return {code: _usual(of) for code, of in names.items()}


def _network_names(networks: Mapping[Network, int]) -> dict[int, str]:
    """Name each AS number, so that one is not two organisations."""
    names: dict[int, Counter[str]] = {}
    for (asn, as_name), found in networks.items():
        if asn and as_name:
            names.setdefault(asn, Counter())[as_name] += found
    return {asn: _usual(of) for asn, of in names.items()}


def _usual(names: Counter[str]) -> str:
    return min(names, key=lambda name: (-names[name], name))
