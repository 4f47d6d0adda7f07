"""What can be said of alerts and digests, and what is refused with a reason."""

from __future__ import annotations

from datetime import time, timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from f2b_enrich.alerts.brake import Limits
from f2b_enrich.alerts.policy import Policy, QuietHours, Rule
from f2b_enrich.config import Settings


def read(**sections: object) -> Settings:
    return Settings.model_validate(sections)


def test_by_default_every_ban_is_mailed_with_the_brake_on() -> None:
    settings = read()
    assert settings.alerts.chosen() == Policy()
    assert settings.alerts.limits() == Limits()
    assert (settings.digest.daily, settings.digest.hourly) == ("07:00", False)


def test_rules_are_applied_in_the_order_of_the_file() -> None:
    rules = {
        "shop": {"policy": "none", "jails": ["my-shop"], "countries": ["nl"]},
        "mail": {"services": ["mail"], "networks": ["192.0.2.0/24"]},
    }
    chosen = read(
        alerts={"policy": "first", "min_ban_count": 2, "rules": rules}
    ).alerts.chosen()
    assert chosen.rules == (
        Rule(
            policy="none",
            jails=frozenset({"my-shop"}),
            countries=frozenset({"NL"}),
        ),
        Rule(
            policy="digest",
            services=frozenset({"mail"}),
            networks=(ip_network("192.0.2.0/24"),),
        ),
    )
    assert chosen.otherwise == Rule(policy="first", min_ban_count=2)


def test_quiet_hours_and_limits_are_read() -> None:
    alerts = read(
        alerts={"quiet_hours": "22:30-06:05", "burst": 5, "burst_minutes": 60}
    ).alerts
    assert alerts.chosen().quiet == QuietHours(begin=time(22, 30), end=time(6, 5))
    assert alerts.limits() == Limits(burst=5, window=timedelta(hours=1))


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        ("alerts", "policy", "some", "'all', 'first', 'digest' or 'none'"),
        ("alerts", "quiet_hours", "22-7", "no span like 22:00-07:00"),
        ("alerts", "quiet_hours", "24:00-07:00", "no time of day like 07:00"),
        ("alerts", "quiet_hours", "07:00-07:00", "a span of no time"),
        ("alerts", "burst", True, "valid integer"),
        ("alerts", "per_day", 1, "greater than or equal to 2"),
        ("digest", "daily", "7:00", "no time of day like 07:00"),
        ("digest", "daily", "07:60", "no time of day like 07:00"),
        ("digest", "weekly", "monday 07:00", "no day and time like mon 07:00"),
        ("digest", "weekly", "mon 25:00", "no time of day like 07:00"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    section: str, key: str, value: object, words: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        read(**{section: {key: value}})
    assert words in str(refused.value)


def test_a_country_has_two_letters() -> None:
    with pytest.raises(ValidationError, match="no country code of two letters"):
        read(alerts={"rules": {"one": {"countries": ["Holland"]}}})


@given(st.text(max_size=12))
def test_any_text_is_a_span_or_refused(text: str) -> None:
    try:
        alerts = read(alerts={"quiet_hours": text}).alerts
    except ValidationError:
        return
    quiet = alerts.chosen().quiet
    assert (quiet is None) is (text == "")
