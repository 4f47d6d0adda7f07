"""Generated bounces are read as they were written, whoever returned them."""

from __future__ import annotations

import io
from random import Random

from bench.bounce_forms import FORMS
from bench.bounced_reports import HOSTS, Report, hosts, reports, write_mbox
from bench.report_texts import ERAS
from f2b_enrich.importing.mail_boxes import mails
from f2b_enrich.importing.mail_reading import read
from tests.old_mails import NOW, read_both


def test_all_that_was_written_is_read() -> None:
    for made in reports(1500, seed=5):
        found = read_both(made.mail)
        assert found.is_bounce
        (ban,) = found.bans
        assert made == Report(
            mail=made.mail,
            ip=ban.ip,
            jail=ban.jail or "",
            host=ban.host or "",
            at=ban.at or NOW,
            failures=ban.failures or 0,
            lines=ban.lines,
            message_id=ban.message_id,
        )


def test_the_same_seed_gives_the_same_mails() -> None:
    first = [made.mail for made in reports(50, seed=1)]
    assert [made.mail for made in reports(50, seed=1)] == first
    assert [made.mail for made in reports(50, seed=2)] != first


def test_one_report_in_ten_has_five_lines() -> None:
    lengths = [len(made.lines) for made in reports(200, seed=1)]
    assert (lengths.count(5), lengths.count(0)) == (20, 180)


def test_the_servers_are_many_and_of_all_kinds() -> None:
    known = hosts(Random(1))
    assert len({host.name for host in known}) == HOSTS
    assert {host.form for host in known} == set(FORMS)
    assert {host.era for host in known} == set(ERAS)


def test_an_mbox_of_them_gives_them_all() -> None:
    box = io.BytesIO()
    write_mbox(box, 400, seed=9)
    box.seek(0)
    found = [read(mail.content, now=NOW) for mail in mails(box.read)]
    made = list(reports(400, seed=9))
    assert [one.bans[0].at for one in found] == [one.at for one in made]
    assert [one.bans[0].lines for one in found] == [one.lines for one in made]
