from __future__ import annotations

import pytest

from f2b_enrich.cli.report_filters import Filters, read


@pytest.mark.parametrize(
    ("typed", "code"),
    [("NL", "NL"), ("nl", "NL"), ("Netherlands", "NL"), ("Unknown", "unknown")],
)
def test_a_country_is_its_code(typed: str, code: str) -> None:
    assert read(Filters(countries=(typed,))).countries == (code,)


@pytest.mark.parametrize(
    ("typed", "network"),
    [
        ("as64500", "AS64500"),
        ("AS064500", "AS64500"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
    ],
)
def test_a_network_is_a_number_or_addresses(typed: str, network: str) -> None:
    assert read(Filters(networks=(typed,))).networks == (network,)


def test_what_is_named_twice_counts_once() -> None:
    found = read(Filters(countries=("NL", "nl"), jails=("sshd", "sshd")))

    assert (found.countries, found.jails) == (("NL",), ("sshd",))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Filters(countries=("XX",)), "no country XX, expected a code such as NL"),
        (Filters(countries=("Netherland",)), r"perhaps NL \(Netherlands\)"),
        (Filters(networks=("64500",)), "no network 64500"),
        (Filters(networks=("AS0",)), "no network AS0"),
        (Filters(networks=("AS4294967296",)), "no network AS4294967296"),
        (Filters(networks=("example.org",)), "expected AS64500"),
        (Filters(attacks=("phpunit",)), "perhaps phpunit-probe"),
        (Filters(attacks=("\x1b[2J",)), "no class of attack"),
    ],
)
def test_what_cannot_be_is_refused(given: Filters, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as told:
        read(given)

    assert str(told.value).isprintable()
