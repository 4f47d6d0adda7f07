"""What a report is confined to, checked: a slip must not look like 0 bans."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from f2b_enrich.address import read_address
from f2b_enrich.attacks import CLASSES, REPEAT_OFFENDER
from f2b_enrich.cli.opening import as_stored
from f2b_enrich.inert import listed, printable
from f2b_enrich.store import known_names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Mapping

    from f2b_enrich.config import Settings

UNKNOWN = "unknown"
"""The country of addresses whose country is not known."""

_ASN = re.compile(r"AS([0-9]{1,10})", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_NEAR = 3
_FEW = 5
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What bans count, by options; of several names of a kind any will do."""

    hosts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    jails: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    without_jails: tuple[str, ...] = ()
    without_scanners: bool = False


def read(given: Filters) -> Filters:
    """Check what needs no store, and write it as the store does.

    Raises:
        ValueError: a country, network or class that there cannot be.
    """
    return replace(
        given,
        hosts=_each(as_stored, given.hosts),
        jails=_each(as_stored, given.jails),
        without_jails=_each(as_stored, given.without_jails),
        countries=_each(_country, given.countries),
        networks=_each(_network, given.networks),
        attacks=_each(_attack, given.attacks),
    )


def known(
    given: Filters, connection: sqlite3.Connection, settings: Settings
) -> tuple[Filters, list[str]]:
    """Find hosts and jails, by aliases too; say which of the jails will show none.

    A jail to be left out need not be there: the same command goes to many servers.

    Raises:
        ValueError: a host or jail that nobody knows.
    """
    hosts = [settings.hosts.aliases.get(name, name) for name in given.hosts]
    jails = [settings.jails.aliases.get(name, name) for name in given.jails]
    without = [settings.jails.aliases.get(name, name) for name in given.without_jails]
    every = known_names.hosts(connection) if hosts else ()
    for name in hosts:
        if name not in every and name != settings.host_name:
            raise ValueError(_missing("host", name, every))
    there = known_names.jails(connection) if jails or without else {}
    for name in jails:
        if name not in there and name not in settings.jails.own:
            raise ValueError(_missing("jail", name, there))
    remarks = [_remark(name, there, connection) for name in jails]
    remarks += [
        f"--exclude-jail: {_missing('jail', name, there)}"
        for name in without
        if name not in there
    ]
    found = replace(
        given,
        hosts=tuple(dict.fromkeys(hosts)),
        jails=tuple(dict.fromkeys(jails)),
        without_jails=tuple(dict.fromkeys(without)),
    )
    return found, [remark for remark in remarks if remark]


def _remark(name: str, there: Mapping[str, str], connection: sqlite3.Connection) -> str:
    """Say why a jail has no bans in any report; of most there is nothing to say."""
    if there.get(name) == REPEAT_OFFENDER:
        return (
            f"--jail {_shown(name)}: it repeats what other jails banned, which is "
            "counted as repeats alone"
        )
    if not known_names.has_bans(connection, name):
        return f"--jail {_shown(name)}: no ban by it was ever recorded"
    return ""


def _each(read_one: Callable[[str], str], given: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(read_one, given)))


def _country(text: str) -> str:
    if text.casefold() == UNKNOWN:
        return UNKNOWN
    # Only here: it is a table to read, and few reports are about some countries.
    from f2b_enrich.enrich.countries import countries  # noqa: PLC0415

    table = countries()
    if _COUNTRY.fullmatch(text) and text.upper() in table:
        return text.upper()
    codes = {country.name.casefold(): code for code, country in table.items()}
    if text.casefold() in codes:
        return codes[text.casefold()]
    near = get_close_matches(text.casefold(), codes, n=_NEAR)
    names = [f"{codes[name]} ({table[codes[name]].name})" for name in near]
    meant = f"; perhaps {', '.join(names)}" if names else ""
    raise ValueError(
        f"no country {_shown(text)}, expected a code such as NL, or {UNKNOWN}{meant}"
    )


def _network(text: str) -> str:
    number = _ASN.fullmatch(text.strip())
    if number and 0 < int(number[1]) < 1 << 32:
        return f"AS{int(number[1])}"
    try:
        return str(ipaddress.ip_network(read_address(text).text, strict=False))
    except ValueError:
        raise ValueError(
            f"no network {_shown(text)}, expected AS64500, 192.0.2.7 or 192.0.2.0/24"
        ) from None


def _attack(text: str) -> str:
    if text not in CLASSES:
        raise ValueError(_missing("class of attack", text, CLASSES))
    return text


def _missing(kind: str, name: str, there: Collection[str]) -> str:
    """Say that there is none of a name, and which are nearly called so."""
    if not there:
        return f"no {kind} {_shown(name)}; none has a ban yet"
    folded = {each.casefold(): each for each in sorted(there)}
    near = get_close_matches(name.casefold(), folded, n=_NEAR, cutoff=0.5)
    if near:
        meant = ", ".join(_shown(folded[each]) for each in near)
        return f"no {kind} {_shown(name)}; perhaps {meant}"
    if len(there) <= _FEW:
        return f"no {kind} {_shown(name)}; there are {', '.join(map(_shown, there))}"
    return f"no {kind} {_shown(name)} among the {len(there):,} that are known"


def _shown(name: str) -> str:
    return listed(printable(name)[:_LONGEST])
