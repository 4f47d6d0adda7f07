"""`outbox bounce`: a mail system hands a bounce over; `outbox list` shows it."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.store import outbox
from tests import bounces
from tests.cli import Ran, run
from tests.stores import StoreBuilder, filled

if TYPE_CHECKING:
    from pathlib import Path

SENT = 2


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return filled(tmp_path / "bans.db")


def message_id(store: StoreBuilder) -> str:
    with store.reading() as connection:
        row = outbox.row(connection, SENT)
    assert row is not None
    return row.message_id


def hand_over(store: StoreBuilder, mail: bytes) -> Ran:
    file = store.path.with_name("mail")
    file.write_bytes(mail)
    return run("outbox", "bounce", file, "--db", store.path)


def test_a_bounce_is_noted_and_shown(store: StoreBuilder) -> None:
    mail = bounces.report(message_id(store))
    assert hand_over(store, mail) == Ran(0, "mail 2 came back\n", "")
    assert hand_over(store, mail).out == "mail 2 came back, which was known\n"

    listed = run("outbox", "list", "--bounced", "--csv", "--db", store.path).out
    (row,) = csv.DictReader(io.StringIO(listed))
    assert (row["id"], row["state"]) == ("2", "sent")
    assert row["bounce"] == "550 5.1.1 <noc@admins.example>: no such user"
    assert row["bounced_at"]
    table = run("outbox", "list", "--db", store.path).out
    assert table.count("came back: 550 5.1.1") == 1
    shown = run("outbox", "show", "2", "--db", store.path).out
    assert "\ncame back   " in shown
    assert "\nfailed at   noc@admins.example\n" in shown
    assert "\nits reason  550 5.1.1 " in shown


def test_the_standard_input_is_read_to_its_end(store: StoreBuilder) -> None:
    mail = bounces.qmail(message_id(store)) + b"line of a log\n" * 100_000
    command = [sys.executable, "-m", "f2b_enrich", "outbox", "bounce", "-"]
    ran = subprocess.run(
        [*command, "--db", str(store.path)],
        input=mail,
        capture_output=True,
        check=True,
    )
    assert ran.stdout == b"mail 2 came back\n"


@pytest.mark.parametrize("mail", [b"", bounces.reply(), bounces.late()])
def test_what_is_no_bounce_is_passed_over(store: StoreBuilder, mail: bytes) -> None:
    assert hand_over(store, mail) == Ran(0, "no mail that came back for good\n", "")


def test_a_bounce_of_another_mail_is_passed_over(store: StoreBuilder) -> None:
    mail = bounces.report("<someone@elsewhere.example>")
    assert hand_over(store, mail) == Ran(0, "of no mail in the outbox\n", "")


def test_the_mail_system_tries_again_what_could_not_be_noted(tmp_path: Path) -> None:
    ran = hand_over(StoreBuilder(tmp_path / "none.db"), bounces.report())
    assert (ran.code, ran.out) == (75, "")
    assert "there is none yet" in ran.err

    bad = tmp_path / "bad.toml"
    bad.write_text("nonsense = 1\n")
    file = tmp_path / "mail"
    assert run("outbox", "bounce", file, "--config", bad).code == 75


def test_a_file_that_is_not_there_is_wrong_usage(store: StoreBuilder) -> None:
    ran = run("outbox", "bounce", "/no/such", "--db", store.path)
    assert ran.code == 2
