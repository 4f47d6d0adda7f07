"""Real mails and bounces give the counts that others made of them."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.importing.mail_boxes import files_in, mails
from f2b_enrich.importing.mail_copies import copy_in, is_from_a_server
from f2b_enrich.importing.mail_thorough import thorough
from f2b_enrich.importing.opening import opened
from tests.old_mails import read_both

if TYPE_CHECKING:
    from f2b_enrich.importing.mail_reading import Reading


def folder(name: str) -> Path:
    found = Path(os.environ.get("F2B_ENRICH_EXTRA_DATA", ""), name)
    if not found.is_dir():
        pytest.skip(f"NOT tested: F2B_ENRICH_EXTRA_DATA has no folder {name}")
    return found


def readings(path: Path) -> list[Reading]:
    with opened(path) as source:
        return [read_both(mail.content) for mail in mails(source.read)]


@pytest.mark.parametrize(
    ("name", "has_lines"),
    [("alerts-v0.8.4-plain.mbox", False), ("alerts-v1.0-whois-lines.mbox", True)],
)
def test_alerts_of_two_releases_give_their_bans(name: str, *, has_lines: bool) -> None:
    found = readings(folder("fail2ban-mails") / name)
    assert Counter(one.what for one in found) == {"bans": 32, "start": 2, "stop": 2}
    bans = [ban for one in found for ban in one.bans]
    assert Counter(ban.jail for ban in bans) == {"dovecot": 27, "apache-botsearch": 5}
    assert len({ban.ip for ban in bans}) == 32
    assert sum(ban.failures or 0 for ban in bans) == 32
    assert {ban.host for ban in bans} == {"web1.example.org"}
    assert len({ban.message_id for ban in bans}) == 32
    assert all(ban.at is not None and ban.at.year == 2026 for ban in bans)
    assert all(bool(ban.lines) == has_lines for ban in bans)
    for ban in bans:
        assert all(ban.ip.encode() in line for line in ban.lines)


def test_no_bounce_of_other_mail_becomes_a_ban() -> None:
    found = {
        path.name: readings(path)
        for path in files_in(folder("bounces"))
        if path.suffix in {".eml", ".txt"}
    }
    assert len(found) == 77
    assert {one.what for each in found.values() for one in each} == {"other"}


# Whoever published them took away what stood below the line.
EMPTIED = {
    *("flufl-qmail_02.txt", "flufl-qmail_04.txt", "flufl-qmail_06.txt"),
    "sisimai-lhost-qmail-08.eml",
}


def test_what_a_bounce_returns_is_found_where_others_found_it() -> None:
    where = folder("bounces")
    with (where / "expected.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 77
    for row in rows:
        data = (where / row["file"]).read_bytes().replace(b"\r\n", b"\n")
        letter = thorough(data)
        assert (letter.enclosed is not None) == (row["original_part"] == "1")
        if row["copy_below_line"] == "1":
            has_copy = row["file"] not in EMPTIED
            assert (copy_in(letter.text) is not None) == has_copy, row["file"]
            assert is_from_a_server(letter)
