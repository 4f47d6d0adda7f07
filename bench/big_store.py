"""A store as large as one likes, the same from the same seed, without the way to it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from f2b_enrich.address import read_address
from f2b_enrich.model import time_text
from f2b_enrich.store.connection import open_writer, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

BEGUN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 365
_NETWORK = 240 << 24
"""240.0.0.0/4 is nobody's (RFC 1112), and large enough."""

_JAILS = (
    ("sshd", "ssh", "ssh-password-guessing", 60),
    ("postfix-sasl", "mail", "mail-password-guessing", 15),
    ("nginx-botsearch", "web", "wordpress-probe", 15),
    ("vsftpd", "ftp", "ftp-password-guessing", 6),
    ("recidive", "other", "repeat-offender", 4),
)
_COUNTRIES = 120
_NETWORKS = 3000
_CITIES = 4000
_NAMES = 20_000
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is in it; one ban in `names_every` tried user names."""

    bans: int = 2_000_000
    addresses: int = 400_000
    hosts: int = 5000
    names_every: int = 10


def fill(store: Path, size: Size, *, seed: int) -> None:
    """Make a store with bans of a year, each address looked up and each ban classed."""
    chance = random.Random(seed)  # noqa: S311 - the same store from the same seed
    with open_writer(store) as connection:
        with transaction(connection):
            _surroundings(connection, size, chance)
        for first in range(0, size.bans, _AT_ONCE):
            with transaction(connection):
                _bans(connection, size, chance, range(first, first + _AT_ONCE))


def _surroundings(
    connection: sqlite3.Connection, size: Size, chance: random.Random
) -> None:
    begun = time_text(BEGUN)
    connection.execute(
        "INSERT INTO rule_sets (digest, used_at) VALUES ('', ?)", (begun,)
    )
    connection.executemany(
        "INSERT INTO hosts (host, first_seen_at, last_seen_at) VALUES (?, ?, ?)",
        [(_host(number), begun, begun) for number in range(size.hosts)],
    )
    connection.executemany(
        "INSERT INTO jails (jail, service, attack, origin) VALUES (?, ?, ?, 'stock')",
        [jail[:3] for jail in _JAILS],
    )
    connection.executemany(
        "INSERT INTO enrichments (id, ip, looked_up_at, source, complete, "
        "field_sources, country_code, country, region, city, latitude, longitude, "
        "location_precision, asn, as_name, scanner, raw) "
        "VALUES (?, ?, ?, 'ipinfo', 1, '{}', ?, ?, ?, ?, ?, ?, 'city', ?, ?, ?, '{}')",
        _enrichments(size, begun, chance),
    )


def _enrichments(
    size: Size, begun: str, chance: random.Random
) -> Iterator[tuple[object, ...]]:
    codes = [
        f"{chr(65 + number // 26)}{chr(65 + number % 26)}" for number in range(676)
    ]
    for number in range(size.addresses):
        country = _often_low(chance, _COUNTRIES)
        city = country + _COUNTRIES * _often_low(chance, _CITIES // _COUNTRIES)
        network = country + _COUNTRIES * _often_low(chance, _NETWORKS // _COUNTRIES)
        yield (
            *(number + 1, _ip(number), begun, codes[country], f"Country {country}"),
            *(f"Region {city % 500}", f"City {city}"),
            *(city % 160 - 80.0, city % 340 - 170.0),
            *(64_496 + network, f"Network {network // 2}"),
            "Scan" if network == 7 else None,
        )


def _bans(
    connection: sqlite3.Connection, size: Size, chance: random.Random, numbers: range
) -> None:
    rows: list[tuple[object, ...]] = []
    attacks: list[tuple[str, str, int]] = []
    names: list[tuple[str, str, int]] = []
    weights = [jail[3] for jail in _JAILS]
    for number in numbers:
        if number >= size.bans:
            break
        seconds = number * DAYS * 86_400 // size.bans
        at = time_text(BEGUN + timedelta(seconds=seconds))
        address = _often_low(chance, size.addresses)
        jail, _, attack, _ = chance.choices(_JAILS, weights)[0]
        ip, ban_id = _ip(address), f"{number:032x}"
        rows.append(
            (
                *(ban_id, _host(_often_low(chance, size.hosts)), jail, ip),
                *(read_address(ip).subnet, at, chance.choice((600, 3600, 86_400))),
                *(at, chance.randint(1, 30), at, at, attack, address + 1),
            )
        )
        attacks.append((ban_id, attack, 5))
        if number % size.names_every == 0:
            names += {
                (ban_id, f"name{_often_low(chance, _NAMES)}", 1) for _ in range(3)
            }
    connection.executemany(
        "INSERT INTO bans (id, host, jail, ip, ip_version, subnet, banned_at, "
        "banned_at_source, bantime_seconds, expires_at, failures, ban_count, "
        "received_at, announced_at, origin, reference, lines_received, attack, "
        "enrichment_id, rule_set) VALUES (?, ?, ?, ?, 4, ?, ?, 'failure', ?, ?, ?, 1, "
        "?, ?, 'live', '', 5, ?, ?, 1)",
        rows,
    )
    connection.executemany("INSERT INTO ban_attacks VALUES (?, ?, ?, NULL)", attacks)
    connection.executemany("INSERT INTO observed VALUES (?, 'username', ?, ?)", names)


def _often_low(chance: random.Random, below: int) -> int:
    """Choose a number as attackers are spread: few of many do most."""
    return int(below * chance.random() ** 3)


def _host(number: int) -> str:
    return f"web{number}.site{number % 97}.example"


def _ip(number: int) -> str:
    # Neighbours now and then: four in each /24.
    return str(IPv4Address(_NETWORK + (number // 4 << 8) + number % 4 + 1))
