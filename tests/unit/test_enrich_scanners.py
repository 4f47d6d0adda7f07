"""Known scanners are told by what they cannot forge, from lists that are checked."""

from __future__ import annotations

import ipaddress
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.config import EnrichSettings
from f2b_enrich.enrich.scanners import Scanner, Scanners, network_of
from f2b_enrich.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = Scanners.load()

OWN_LIST = """
as_of = 2026-11-01

[[scanners]]
name = "Probe"
home = "https://probe.example/"
hostnames = ["probe.example"]
networks = ["192.0.2.0/24", "192.0.2.128/25", "2001:db8:1::/48"]
asns = [64500]
organisations = ["Probe-Labs Ltd."]

[[scanners]]
name = "Narrow"
home = "https://narrow.example/"
networks = ["192.0.2.240/28"]
"""


@pytest.fixture
def scanners(tmp_path: Path) -> Scanners:
    return Scanners.load([write(tmp_path, OWN_LIST)])


def write(folder: Path, text: str, name: str = "own.toml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def problems(*files: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Scanners.load(files)
    return caught.value.problems


def test_a_confirmed_host_name_names_the_scanner(scanners: Scanners) -> None:
    found = scanners.identify(
        "198.51.100.1", hostname="S1.Probe.Example.", hostname_confirmed=True
    )

    assert found == Scanner(
        name="Probe",
        home="https://probe.example/",
        matched="host name in probe.example",
        confirmed=True,
        as_of=date(2026, 11, 1),
    )


@pytest.mark.parametrize("verdict", [False, None])
def test_a_host_name_alone_is_marked_unconfirmed(
    scanners: Scanners, *, verdict: bool | None
) -> None:
    found = scanners.identify(
        "198.51.100.1", hostname="s1.probe.example", hostname_confirmed=verdict
    )

    assert found is not None
    assert not found.confirmed


def test_what_cannot_be_forged_goes_before_an_unconfirmed_name(
    scanners: Scanners,
) -> None:
    found = scanners.identify("192.0.2.241", hostname="s1.probe.example")

    assert found is not None
    assert (found.name, found.confirmed) == ("Narrow", True)


@pytest.mark.parametrize("name", ["notprobe.example", "probe.example.net", "example"])
def test_a_name_that_only_looks_alike_is_nobody(scanners: Scanners, name: str) -> None:
    assert (
        scanners.identify("198.51.100.1", hostname=name, hostname_confirmed=True)
        is None
    )


@pytest.mark.parametrize(
    ("ip", "matched"),
    [
        ("192.0.2.1", "network 192.0.2.0/24"),
        ("192.0.2.129", "network 192.0.2.128/25"),
        ("192.0.2.250", "network 192.0.2.240/28"),
        ("::ffff:192.0.2.1", "network 192.0.2.0/24"),
        ("192.0.2.64/26", "network 192.0.2.0/24"),
        ("2001:db8:1::5", "network 2001:db8:1::/48"),
    ],
)
def test_the_narrowest_network_that_holds_it_counts(
    scanners: Scanners, ip: str, matched: str
) -> None:
    found = scanners.identify(ip)

    assert found is not None
    assert (found.matched, found.confirmed) == (matched, True)


@pytest.mark.parametrize("ip", ["192.0.0.0/16", "198.51.100.1", "2001:db8:2::1", "x"])
def test_a_network_wider_than_the_scanners_is_nobody(
    scanners: Scanners, ip: str
) -> None:
    assert scanners.identify(ip) is None


def test_an_as_number_or_its_name_counts(scanners: Scanners) -> None:
    by_number = scanners.identify("198.51.100.1", asn=64500)
    by_name = scanners.identify("198.51.100.1", asn=64501, as_name="PROBE LABS, LTD")

    assert by_number is not None
    assert by_number.matched == "AS64500"
    assert by_name is not None
    assert by_name.matched == "AS name that begins with 'probe labs ltd'"


@pytest.mark.parametrize(
    "as_name", ["AProbe Labs Ltd", "Not Probe Labs Ltd", "Anti-Probe-Labs Ltd", "the"]
)
def test_a_name_with_another_beginning_is_no_as_name(
    scanners: Scanners, as_name: str
) -> None:
    assert scanners.identify("198.51.100.1", as_name=as_name) is None


def test_the_before_an_as_name_is_passed_over() -> None:
    found = SHIPPED.identify("198.51.100.1", as_name="The Shadowserver Foundation")

    assert found is not None
    assert found.name == "Shadowserver"


def test_the_shipped_list_knows_its_own_networks() -> None:
    seen = set()
    for (version, length), table in SHIPPED._networks.items():
        for prefix in table:
            bits = {4: 32, 6: 128}[version]
            network = network_of(f"{_text(prefix << bits - length, version)}/{length}")
            assert network is not None
            found = SHIPPED.identify(str(network[-1]))
            assert found is not None
            seen.add(found.name)

    assert {"Censys", "Rapid7 Project Sonar", "Palo Alto Cortex Xpanse"} <= seen


def _text(number: int, version: int) -> str:
    kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    return str(kind(number))


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("a.censys-scanner.com", "Censys"),
        ("a.census.shodan.io", "Shodan"),
        ("scan-00.shadowserver.org", "Shadowserver"),
        ("a.stretchoid.com", "Stretchoid"),
        ("a.monitoring.internet-measurement.com", "Internet-Measurement (driftnet)"),
        ("a.probe.onyphe.net", "ONYPHE"),
        ("security.criminalip.com", "Criminal IP"),
        ("a.internet-census.org", "Bitsight (Internet Census Group)"),
    ],
)
def test_the_shipped_list_knows_host_names(hostname: str, name: str) -> None:
    found = SHIPPED.identify("192.0.2.1", hostname=hostname, hostname_confirmed=True)

    assert found is not None
    assert found.name == name
    assert found.home.startswith("http")


def test_a_later_list_replaces_a_rule(tmp_path: Path) -> None:
    text = """
        as_of = 2026-11-01
        [[scanners]]
        name = "Friend"
        home = "https://friend.example/"
        hostnames = ["shodan.io"]
    """

    found = Scanners.load([write(tmp_path, text)]).identify(
        "192.0.2.1", hostname="a.shodan.io"
    )

    assert found is not None
    assert found.name == "Friend"


def test_all_problems_of_all_files_are_named(tmp_path: Path) -> None:
    first = write(
        tmp_path,
        """
        as_of = 2026-11-01
        [[scanners]]
        name = "A"
        home = "https://a.example/"
        [[scanners]]
        name = "B"
        home = "https://b.example/"
        colour = "red"
        hostnames = ["com", "a b.example"]
        networks = ["0.0.0.0/0", "::/0", "192.0.2.1/24"]
        asns = [0, true]
        organisations = ["Inc"]
        """,
        "first.toml",
    )
    second = write(tmp_path, "as_of = 2026-11-01", "second.toml")
    missing = tmp_path / "missing.toml"
    broken = write(tmp_path, "as_of = ", "broken.toml")

    found = problems(first, second, missing, broken)

    assert [problem.removeprefix(str(tmp_path)) for problem in found[:10]] == [
        "/first.toml: scanners.0: no rule: hostnames, networks, asns or "
        "organisations are needed",
        "/first.toml: scanners.1.hostnames.0: 'com' is not a domain of two names "
        "or more",
        "/first.toml: scanners.1.hostnames.1: 'a b.example' is not a domain of two "
        "names or more",
        "/first.toml: scanners.1.networks.0: 0.0.0.0/0 is too wide, the limit is /8",
        "/first.toml: scanners.1.networks.1: ::/0 is too wide, the limit is /16",
        "/first.toml: scanners.1.networks.2: 192.0.2.1/24 has host bits set",
        "/first.toml: scanners.1.asns.0: input should be greater than 0",
        "/first.toml: scanners.1.asns.1: input should be a valid integer",
        "/first.toml: scanners.1.organisations.0: 'Inc' is too short, the limit is "
        "4 letters and digits",
        "/first.toml: scanners.1.colour: no such key",
    ]
    assert [problem.removeprefix(str(tmp_path)) for problem in found[10:]] == [
        "/second.toml: scanners: field required",
        "/missing.toml: No such file or directory",
        "/broken.toml: Invalid value (at end of document)",
    ]


@pytest.mark.parametrize("content", [b"\xff", b"x = " + b"[" * 10_000])
def test_a_file_that_is_no_toml_is_a_problem(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(content)

    assert len(problems(file)) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.toml", "No such file or directory"),
        ("a" * 300, "File name too long"),
        (".", "Is a directory"),
    ],
)
def test_a_list_that_was_named_has_to_be_readable(
    tmp_path: Path, name: str, words: str
) -> None:
    path = tmp_path / name
    with pytest.raises(ConfigError) as caught:
        Scanners.configured(EnrichSettings(scanners=path))

    (problem,) = caught.value.problems
    assert problem.startswith(f"enrich.scanners: {path}: ")
    assert words in problem


def test_a_list_that_was_named_adds_to_the_shipped_one(tmp_path: Path) -> None:
    settings = EnrichSettings(scanners=write(tmp_path, OWN_LIST))

    found = Scanners.configured(settings).identify("192.0.2.1")

    assert found is not None
    assert found.name == "Probe"


def test_only_the_default_list_need_not_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"

    found = Scanners.load([missing], optional=missing).identify(
        "192.0.2.1", hostname="a.shodan.io"
    )

    assert found is not None
    assert found.name == "Shodan"


@given(
    ip=st.text(),
    hostname=st.text() | st.none(),
    confirmed=st.booleans() | st.none(),
    asn=st.integers() | st.none(),
    as_name=st.text() | st.none(),
)
def test_no_text_breaks_it(
    *,
    ip: str,
    hostname: str | None,
    confirmed: bool | None,
    asn: int | None,
    as_name: str | None,
) -> None:
    SHIPPED.identify(
        ip,
        hostname=hostname,
        hostname_confirmed=confirmed,
        asn=asn,
        as_name=as_name,
    )


@given(st.ip_addresses())
def test_an_address_is_a_network_of_one(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    network = network_of(str(ip))

    assert network is not None
    assert network.num_addresses == 1


@pytest.mark.parametrize("text", ["shop.example", "192.0.2.0/33", ""])
def test_other_text_is_no_network(text: str) -> None:
    assert network_of(text) is None
