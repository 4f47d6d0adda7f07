"""An alert's subject, as its reader sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from f2b_enrich.mail.sample import repeating
from f2b_enrich.mail.subject import subject
from tests.alerts import CITY, COUNTRY, an_alert
from tests.reading import sent


def test_a_subject_leaves_out_what_is_not_known() -> None:
    assert subject(an_alert(enrichment=None, nth=0)) == (
        "[fail2ban] web1 sshd: banned 192.0.2.7"
    )
    assert subject(an_alert(enrichment=COUNTRY)).endswith("192.0.2.7 (BR), 7th ban")
    only_name = replace(COUNTRY, country_code=None, as_name="Example")
    assert subject(an_alert(enrichment=only_name)).endswith("(Example), 7th ban")
    only_number = replace(COUNTRY, country_code=None, asn=64500)
    assert subject(an_alert(enrichment=only_number)).endswith("(AS64500), 7th ban")


@pytest.mark.parametrize("nth", [0, 7])
def test_a_ban_that_repeats_another_is_not_counted_among_the_others(nth: int) -> None:
    assert subject(replace(repeating(), nth=nth)) == (
        "[fail2ban] web1 recidive: banned 192.0.2.7, repeat offender"
    )


def test_a_long_subject_is_cut_at_a_word() -> None:
    found = replace(CITY, as_name="Example Telecommunications and Internet, Limited")
    alert = an_alert(enrichment=found, ban={"host": "h" * 60, "jail": "j" * 60})

    said = subject(alert)

    assert "AS64500 Example Telecommunications and..." in said
    assert len(said) < 200
    assert sent(alert, "text")["Subject"] == said


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", ".", "web1"])
def test_a_host_without_a_domain_is_named_whole(host: str) -> None:
    assert f"] {host} sshd:" in subject(an_alert(ban={"host": host}))


@pytest.mark.parametrize(
    "jail",
    [
        "=?utf-8?q?=41?=",
        "a =?utf-8?b?QQ==?= b",
        "=?",
        "\u00e9\u4e2d" * 15,
        "s\r\nBcc: a@b",
        "a\u2028b",
        "x" * 40,
    ],
)
def test_a_reader_sees_the_subject_letter_for_letter(jail: str) -> None:
    alert = an_alert(ban={"jail": jail})

    assert sent(alert, "text")["Subject"] == subject(alert)
