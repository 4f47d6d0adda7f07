"""Tests of the figures: what is told of parts is together what is told of all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.address import read_address
from tests.report_events import (
    ReportStore,
    figures,
)
from tests.report_seen import (
    ATTACKS,
    COUNTRIES,
    HOSTS,
    JAILS,
    NETWORKS,
    SEEN,
    SLOW_STORE,
    Seen,
    counted,
    stored,
)

if TYPE_CHECKING:
    from f2b_enrich.report.figures import Figures


@SLOW_STORE
@given(SEEN)
def test_filters_share_the_bans_among_them(seen: Seen) -> None:
    """Reports of each country, service, class, jail and host make up the whole."""
    kinds: dict[str, tuple[str, ...]] = {
        "countries": (*(code for code, _ in COUNTRIES), "unknown"),
        "services": ("web", "mail", "ssh", "other"),
        "attacks": tuple(attack or "" for attack in ATTACKS),
        "jails": JAILS,
        "hosts": HOSTS,
    }
    with stored(seen) as store:
        whole = figures(store)
        for kind, values in kinds.items():
            parts = [_only(store, kind, value) for value in values]
            bans = sum(part.totals.measure.bans for part in parts)
            assert bans == whole.totals.measure.bans, kind
            attempts = sum(part.totals.measure.attempts for part in parts)
            assert attempts == whole.totals.measure.attempts, kind
            repeats = sum(part.totals.repeats for part in parts)
            assert repeats == whole.totals.repeats, kind
            if kind == "countries":
                addresses = sum(part.totals.measure.addresses for part in parts)
                assert addresses == whole.totals.measure.addresses
            every = _only(store, kind, *values)
            assert every.totals.measure == whole.totals.measure, kind


def _only(store: ReportStore, kind: str, *values: str) -> Figures:
    chosen: dict[str, Any] = {kind: values}
    return figures(store, **chosen)


@SLOW_STORE
@given(SEEN)
def test_networks_share_the_addresses_among_them(seen: Seen) -> None:
    """Halves of all addresses make up those that are addresses."""
    halves = ("0.0.0.0/1", "128.0.0.0/1", "::/0")
    with stored(seen) as store:
        whole = figures(store)
        parts = [figures(store, networks=(half,)) for half in halves]
        numbers = [figures(store, networks=(f"AS{asn}",)) for asn, _ in NETWORKS[:3]]
    names = [each for each in counted(seen) if read_address(each.ip).version is None]

    bans = sum(part.totals.measure.bans for part in parts)
    assert bans + len(names) == whole.totals.measure.bans
    addresses = sum(part.totals.measure.addresses for part in parts)
    assert addresses + bool(names) == whole.totals.measure.addresses
    known = whole.everything.organisations
    nameless = sum(
        share.addresses for share in known.shares if not share.key.startswith("AS")
    )
    assert sum(part.totals.measure.addresses for part in numbers) == (
        known.base - known.unknown - nameless
    )


@SLOW_STORE
@given(SEEN, st.sets(st.sampled_from(JAILS)))
def test_jails_that_are_left_out_are_counted(seen: Seen, left_out: set[str]) -> None:
    """What a report leaves out and what it is about are together all there is."""
    with stored(seen) as store:
        whole = figures(store)
        made = figures(store, without_jails=tuple(left_out))

    out = sum(each.bans for each in made.jails.left_out)
    assert made.totals.measure.bans + out == whole.totals.measure.bans
    assert made.totals.repeats == whole.totals.repeats
    assert not {each.jail for each in made.jails.jails} & left_out
    assert {*made.jails.jails, *made.jails.left_out} == {*whole.jails.jails}


@SLOW_STORE
@given(SEEN)
def test_scanners_and_others_are_all(seen: Seen) -> None:
    """Both totals are the same, whether scanners are left out or not."""
    with stored(seen) as store:
        made, without = figures(store), figures(store, without_scanners=True)

    assert made.scanners.everything == made.totals.measure
    assert without.scanners.without == without.totals.measure
    assert replace(made.scanners, left_out=True) == without.scanners
    listed = sum(each.bans for each in made.scanners.scanners)
    assert made.totals.measure.bans - without.totals.measure.bans == listed
