"""The plugin's functions: what they say, and that nothing makes them fail."""

from __future__ import annotations

import contextlib
import ipaddress
import math
import random
import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlite_utils import Database
from sqlite_utils.plugins import ensure_plugins_loaded, pm

from f2b_enrich import sql_functions
from f2b_enrich.sql_functions import country_name, flag, ip_key, subnet

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(),
    st.binary(),
    st.ip_addresses().map(str),
    st.builds("{}/{}".format, st.ip_addresses(), st.integers(0, 130)),
    st.sampled_from(("NL", "nl", "XK", "\u0131l", "::ffff:192.0.2.7", "fe80::1%eth0")),
)


@pytest.fixture
def database() -> Iterator[Database]:
    connection = sqlite3.connect(":memory:")
    sql_functions.prepare_connection(connection)
    with contextlib.closing(Database(connection, execute_plugins=False)) as database:
        yield database


def test_sqlite_utils_loads_them_as_a_plugin() -> None:
    ensure_plugins_loaded()  # else it comes a second time with the first database
    was_there = pm.is_registered(sql_functions)
    if not was_there:
        pm.register(sql_functions)
    try:
        with contextlib.closing(Database(memory=True)) as database:
            row = database.execute(
                "select flag('NL'), country_name('NL'), subnet('192.0.2.7', 16), "
                "ip_key('192.0.2.7')"
            ).fetchone()
    finally:
        if not was_there:
            pm.unregister(sql_functions)

    assert row == ("\U0001f1f3\U0001f1f1", "Netherlands", "192.0.0.0/16", "4c0000207")


def test_indexes_may_be_made_of_them(database: Database) -> None:
    database.execute("create table t (ip text)")
    database.execute("create index by_key on t (ip_key(ip))")  # deterministic only


def test_a_country_is_known_by_its_code_in_any_case() -> None:
    assert (country_name("xk"), flag("de")) == ("Kosovo", "\U0001f1e9\U0001f1ea")


@pytest.mark.parametrize(
    "code", ["", "N", "NLD", "ZZ", "1!", 5, b"NL", None, "n\u0142"]
)
def test_what_is_no_country_has_no_name_and_no_flag(code: object) -> None:
    assert (country_name(code), flag(code)) == (None, None)


@pytest.mark.parametrize(
    ("ip", "bits", "expected"),
    [
        ("192.0.2.7", 24, "192.0.2.0/24"),
        ("192.0.2.7", "16", "192.0.0.0/16"),
        ("192.0.2.7", 32, "192.0.2.7/32"),
        ("192.0.2.7", 0, "0.0.0.0/0"),
        ("::ffff:192.0.2.7", 24, "192.0.2.0/24"),
        ("2001:db8:1:2::7", 48, "2001:db8:1::/48"),
        ("2001:db8::7", 128, "2001:db8::7/128"),
        ("192.0.2.128/25", 24, "192.0.2.0/24"),
        ("198.51.0.0/16", 24, "198.51.0.0/16"),  # wider already
        ("fe80::1%eth0", 64, "fe80::/64"),
    ],
)
def test_a_subnet_is_the_network_around(ip: str, bits: object, expected: str) -> None:
    assert subnet(ip, bits) == expected


@pytest.mark.parametrize(
    ("ip", "bits"),
    [
        ("192.0.2.7", 33),
        ("2001:db8::7", 129),
        ("192.0.2.7", -1),
        ("192.0.2.7", "-1"),
        ("192.0.2.7", "\u0661"),
        ("192.0.2.7", "9" * 5000),
        ("192.0.2.7", 24.0),
        ("192.0.2.7", None),
        (None, 24),
        ("host.example", 24),
        ("192.0.2.7" + " " * 99, 24),
        (3221225991, 24),
        (b"\xc0\x00\x02\x07", 24),
    ],
)
def test_what_has_no_subnet_gives_null(ip: object, bits: object) -> None:
    assert subnet(ip, bits) is None


@given(st.lists(st.ip_addresses(), max_size=20))
def test_keys_sort_as_addresses_do(
    addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address],
) -> None:
    plain = [
        ip
        for ip in addresses
        if isinstance(ip, ipaddress.IPv4Address) or ip.ipv4_mapped is None
    ]
    shuffled = random.Random(7).sample(plain, len(plain))

    assert sorted(map(str, shuffled), key=lambda text: ip_key(text) or "") == [
        str(ip) for ip in sorted(plain, key=lambda ip: (ip.version, int(ip)))
    ]


def test_a_network_sorts_behind_its_first_address() -> None:
    told = ["192.0.2.1", "192.0.2.0/24", "192.0.2.0", "2001:db8::/32", "192.0.2.0/9"]

    assert sorted(told, key=lambda text: ip_key(text) or "") == [
        "192.0.2.0/9",
        "192.0.2.0",
        "192.0.2.0/24",
        "192.0.2.1",
        "2001:db8::/32",
    ]


@given(first=VALUES, second=VALUES)
@example(first="0.0.0.0/0", second=0)
@example(first="1" * 5000, second=1)
def test_nothing_makes_them_fail(first: object, second: object) -> None:
    for found in (flag(first), country_name(first), ip_key(first)):
        assert found is None or isinstance(found, str)
    found = subnet(first, second)
    if found is not None:
        assert str(ipaddress.ip_network(found)) == found


@given(first=VALUES, second=VALUES)
def test_sql_gets_the_same_answers(first: object, second: object) -> None:
    connection = sqlite3.connect(":memory:")
    sql_functions.prepare_connection(connection)
    with contextlib.closing(connection):
        try:
            row = connection.execute(
                "select flag(:a), country_name(:a), ip_key(:a), subnet(:a, :b)",
                {"a": first, "b": second},
            ).fetchone()
        except UnicodeEncodeError:  # a lone surrogate: no text of SQLite
            return

    a, b = (_as_sql_has_it(value) for value in (first, second))
    assert row == (flag(a), country_name(a), ip_key(a), subnet(a, b))


def _as_sql_has_it(value: object) -> object:
    """Give NULL for what is not a number, as SQLite does."""
    return None if isinstance(value, float) and math.isnan(value) else value
