"""The header fields by which alerts are sorted and threaded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.mail.compose import Composer
from f2b_enrich.mail.sample import known, repeating, unknown
from f2b_enrich.mail.sorting import LONGEST, fields, thread_root

if TYPE_CHECKING:
    from f2b_enrich.mail.alert import Alert

ALERT = known()
T = ALERT.ban.banned_at


def header(alert: Alert) -> dict[str, str]:
    return dict(fields(alert))


def test_an_alert_can_be_sorted_by_all_that_is_known() -> None:
    root = thread_root(ALERT.ban, T - timedelta(days=2))

    assert header(ALERT) == {
        "In-Reply-To": root,
        "References": root,
        "List-Id": "<f2b-alerts.web1.example.org>",
        "X-F2B-Host": "web1.example.org",
        "X-F2B-Jail": "sshd",
        "X-F2B-Address": "192.0.2.7",
        "X-F2B-Ban": ALERT.ban.id,
        "X-F2B-Attack": "ssh-password-guessing",
        "X-F2B-Country": "NL",
        "X-F2B-ASN": "AS64500",
    }


def test_what_is_not_known_has_no_field() -> None:
    assert set(header(unknown())) == {
        "List-Id",
        "X-F2B-Host",
        "X-F2B-Jail",
        "X-F2B-Address",
        "X-F2B-Ban",
    }


def test_a_ban_that_repeats_another_can_be_put_aside() -> None:
    assert header(repeating())["X-F2B-Attack"] == "repeat-offender"


def test_a_host_that_is_no_domain_still_names_a_list() -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, host="web 1\r\nBcc: a"))

    assert header(alert)["List-Id"] == "<f2b-alerts.localhost>"


def test_a_thread_is_of_one_address_one_host_and_one_period() -> None:
    other_ip = replace(ALERT.ban, ip="192.0.2.8")
    other_host = replace(ALERT.ban, host="mail1")
    later_ban = replace(ALERT.ban, id="another", jail="recidive")

    root = thread_root(ALERT.ban, T)

    assert root == thread_root(later_ban, T)
    others = {
        thread_root(other_ip, T),
        thread_root(other_host, T),
        thread_root(ALERT.ban, T + timedelta(days=31)),
    }
    assert len(others | {root}) == 4
    assert root != ALERT.message_id


def test_no_two_alerts_share_a_message_id_with_their_thread() -> None:
    message = Composer().compose(ALERT, now=T)

    assert message["References"] == message["In-Reply-To"]
    assert message["References"] != message["Message-ID"]


@pytest.mark.parametrize("jail", ["", " ", "\t", "\u2028"])
def test_a_field_is_left_out_rather_than_empty(jail: str) -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, jail=jail))

    assert "X-F2B-Jail" not in header(alert)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_one_short_line(text: str) -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, jail=text, ip=text, host=text))

    for value in header(alert).values():
        assert value.isprintable()
        assert value == value.strip() != ""
        assert len(value) <= LONGEST or value.startswith("<")
