"""A mailbox imported in pieces, and again when mails were added or taken out."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.intake.bringing import Bringing, processes_for
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.planning import Plan
from f2b_enrich.intake.remembering import reached
from f2b_enrich.intake.tallies import Tally
from tests.imports import a_writer
from tests.old_mails import report

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POSTMARK = "From a@b.example Thu Jul  1 10:11:10 2010\n"
PIECE = 2000


def mail(number: int) -> str:
    ip = f"192.0.2.{number}"
    body = (
        f"Hi,\n\nThe IP {ip} has just been banned by Fail2Ban after\n"
        "6 attempts against ssh.\n"
    )
    subject = f"[Fail2Ban] ssh: banned {ip}"
    return f"{POSTMARK}{report(subject, body)}\n"


def bring(store: sqlite3.Connection, box: Path, *, seed: int | None = None) -> Tally:
    """Import it; with a seed the pieces are read in another order."""
    plan = Plan(names=Names(host="web1"), now=NOW, piece=PIECE)
    plan.places = reached(store, "mailbox", "web1")
    jobs = list(plan.mails([str(box)]))
    if seed is not None:
        Random(seed).shuffle(jobs)
    with a_writer(store, now=NOW, is_daemon_there=lambda: False) as (writer, stop):
        tally = Tally()
        run = Bringing(stop=stop, writer=writer, processes=0, moved=lambda _: None)
        run.run(jobs, tally)
    assert not plan.problems
    assert not tally.problems
    return tally


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_pieces_in_any_order_are_the_whole(
    store: sqlite3.Connection, tmp_path: Path, seed: int | None
) -> None:
    box = tmp_path / "a.mbox"
    box.write_text("".join(map(mail, range(40))))

    tally = bring(store, box, seed=seed)

    assert tally.counts["mails-bans"] == tally.counts["new"] == 40
    assert tally.counts["files"] == 1
    assert tally.taken == box.stat().st_size

    # The last one may not have been there whole.
    with box.open("a") as file:
        file.write(mail(100))
    tally = bring(store, box, seed=seed)
    assert (tally.counts["mails-bans"], tally.counts["new"]) == (2, 1)


def test_a_mailbox_from_which_a_mail_was_taken_is_read_anew(
    store: sqlite3.Connection, tmp_path: Path
) -> None:
    box = tmp_path / "a.mbox"
    box.write_text("".join(map(mail, range(30))))
    bring(store, box)

    box.write_text("".join(mail(number) for number in range(31) if number != 20))
    tally = bring(store, box)

    assert (tally.counts["mails-bans"], tally.counts["new"]) == (30, 1)


def test_a_process_is_for_what_is_worth_one() -> None:
    assert processes_for(1000, jobs_side_by_side=True) == 0
    assert processes_for(None, jobs_side_by_side=False) == 1
    assert processes_for(10**9, jobs_side_by_side=True) >= 2
