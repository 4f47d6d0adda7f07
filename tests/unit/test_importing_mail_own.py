"""Alerts that this program sent, read back from a mailbox or a bounce."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.importing.mail_reading import read
from f2b_enrich.importing.mail_thorough import thorough
from f2b_enrich.mail.digest_sample import known as digest
from f2b_enrich.mail.flood_sample import began
from tests import digest_mail
from tests.alerts import KNOWN
from tests.old_mails import NOTICE, STATUS, in_parts
from tests.reading import COMPOSER, WRITING

if TYPE_CHECKING:
    from f2b_enrich.importing.mail_reading import Reading
    from f2b_enrich.mail.alert import Alert
    from f2b_enrich.mail.compose import Form

BAN = KNOWN.ban
SENT_AT = BAN.banned_at + WRITING


def read_back(alert: Alert, form: Form = "text") -> Reading:
    data = COMPOSER.compose(alert, now=SENT_AT, form=form).as_bytes()
    found = read(data, now=SENT_AT)
    assert read(data, now=SENT_AT, parse=thorough) == found
    return found


@pytest.mark.parametrize("form", ["both", "text"])
def test_an_alert_tells_its_ban_by_its_fields(form: Form) -> None:
    found = read_back(KNOWN, form)
    assert found.ban_id == BAN.id
    (only,) = found.bans
    assert (only.ip, only.jail, only.host) == (BAN.ip, BAN.jail, BAN.host)
    assert (only.at, only.failures) == (SENT_AT, BAN.failures)
    assert only.message_id == KNOWN.message_id


def test_log_lines_of_an_alert_were_changed_and_are_not_taken() -> None:
    assert KNOWN.lines
    assert read_back(KNOWN).bans[0].lines == ()


@pytest.mark.parametrize("failures", [0, 1, 1284])
def test_attempts_are_those_that_the_alert_names(failures: int) -> None:
    alert = replace(KNOWN, ban=replace(BAN, failures=failures))
    assert read_back(alert).bans[0].failures == (failures or None)


def test_names_in_any_script_come_back() -> None:
    alert = replace(KNOWN, ban=replace(BAN, jail="sshd-b\u00fcro", host="web1"))
    (only,) = read_back(alert).bans
    assert (only.jail, only.host) == ("sshd-b\u00fcro", "web1")


def test_a_jail_that_was_cut_is_not_known() -> None:
    alert = replace(KNOWN, ban=replace(BAN, jail="j" * 200))
    assert read_back(alert).bans[0].jail is None


def test_a_ban_of_a_name_is_unparsed() -> None:
    alert = replace(KNOWN, ban=replace(BAN, ip="somebody"))
    assert read_back(alert).what == "unparsed"


def test_an_alert_that_came_back_is_known_by_the_same_fields() -> None:
    alert = COMPOSER.compose(KNOWN, now=SENT_AT).as_string().replace("\r\n", "\n")
    for part in (("message/rfc822", alert), ("text/rfc822-headers", alert)):
        found = read(in_parts(NOTICE, STATUS, part).encode(), now=SENT_AT)
        assert found.is_bounce
        assert found.ban_id == BAN.id
        assert found.bans[0].host == BAN.host


def test_an_id_that_is_none_is_left_out() -> None:
    mail = COMPOSER.compose(KNOWN, now=SENT_AT).as_string()
    for odd in ("x", "b\u00e4n"):
        found = read(mail.replace(BAN.id, odd).encode(), now=SENT_AT)
        assert found.ban_id is None
        assert found.bans


def test_digests_and_mails_about_floods_are_other_mail() -> None:
    for told in (digest(), began()):
        message = digest_mail.sent(told)
        assert read(message.as_bytes(), now=SENT_AT).what == "other"
