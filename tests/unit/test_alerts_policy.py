"""The first rule that applies decides; what is not known meets no condition."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.alerts.policy import Choice, Policy, QuietHours, Rule, Subject

BAN = Subject(
    jail="sshd",
    service="ssh",
    ip="192.0.2.7",
    country_code="NL",
    ban_count=1,
    is_first=True,
    at=time(12),
)
NIGHT = QuietHours(begin=time(22), end=time(7))
MINUTES = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@pytest.mark.parametrize(
    ("otherwise", "changes", "choice", "reason"),
    [
        (Rule(policy="all"), {}, Choice.MAIL, "policy all"),
        (Rule(policy="none"), {}, Choice.SKIP, "policy none"),
        (Rule(policy="digest"), {}, Choice.HOLD, "policy digest"),
        (Rule(policy="first"), {}, Choice.MAIL, "policy first"),
        (
            *(Rule(policy="first"), {"is_first": False}),
            *(Choice.HOLD, "not the first of the address"),
        ),
        (
            *(Rule(policy="all", min_ban_count=3), {"ban_count": 2}),
            *(Choice.HOLD, "ban 2 of 3 that it takes"),
        ),
        (
            *(Rule(policy="all", min_ban_count=3), {"ban_count": 3}),
            *(Choice.MAIL, "policy all"),
        ),
        (Rule(policy="none", min_ban_count=3), {}, Choice.SKIP, "policy none"),
    ],
)
def test_what_holds_for_every_ban(
    otherwise: Rule, changes: dict[str, Any], choice: Choice, reason: str
) -> None:
    decided = Policy(otherwise=otherwise).decide(replace(BAN, **changes))
    assert (decided.choice, decided.reason) == (choice, reason)


@pytest.mark.parametrize(
    ("rule", "applies"),
    [
        (Rule(policy="none"), True),
        (Rule(policy="none", jails=frozenset({"sshd", "dovecot"})), True),
        (Rule(policy="none", jails=frozenset({"dovecot"})), False),
        (Rule(policy="none", services=frozenset({"ssh"})), True),
        (Rule(policy="none", services=frozenset({"web"})), False),
        (Rule(policy="none", countries=frozenset({"NL", "DE"})), True),
        (Rule(policy="none", countries=frozenset({"DE"})), False),
        (Rule(policy="none", networks=(ip_network("192.0.2.0/24"),)), True),
        (Rule(policy="none", networks=(ip_network("2001:db8::/32"),)), False),
        (
            Rule(
                policy="none",
                jails=frozenset({"sshd"}),
                countries=frozenset({"DE"}),
            ),
            False,
        ),
    ],
)
def test_all_conditions_of_a_rule_have_to_be_met(rule: Rule, *, applies: bool) -> None:
    assert rule.applies(BAN) is applies
    decided = Policy(rules=(rule,)).decide(BAN)
    assert decided.choice is (Choice.SKIP if applies else Choice.MAIL)


def test_what_is_not_known_meets_no_condition() -> None:
    unknown = replace(BAN, country_code=None, ip="host.example")
    assert not Rule(policy="none", countries=frozenset({"NL"})).applies(unknown)
    everywhere = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    assert not Rule(policy="none", networks=everywhere).applies(unknown)


def test_the_first_rule_that_applies_decides() -> None:
    one = Rule(policy="digest", jails=frozenset({"sshd"}))
    two = Rule(policy="none", services=frozenset({"ssh"}))
    assert Policy(rules=(one, two)).decide(BAN).reason == "policy digest"
    assert Policy(rules=(two, one)).decide(BAN).reason == "policy none"


def test_quiet_hours_hold_what_would_be_mailed_and_nothing_else() -> None:
    late = replace(BAN, at=time(23))
    assert Policy(quiet=NIGHT).decide(late).reason == "quiet hours"
    assert Policy(quiet=NIGHT).decide(BAN).choice is Choice.MAIL
    nobody = Policy(otherwise=Rule(policy="none"), quiet=NIGHT)
    assert nobody.decide(late).choice is Choice.SKIP


@given(MINUTES, MINUTES, MINUTES)
def test_any_time_is_in_a_span_or_in_the_rest_of_the_day(
    begin: time, end: time, at: time
) -> None:
    span, rest = QuietHours(begin=begin, end=end), QuietHours(begin=end, end=begin)
    if begin == end:
        assert at not in span
    else:
        assert (at in span) is not (at in rest)
        assert begin in span
        assert end not in span
