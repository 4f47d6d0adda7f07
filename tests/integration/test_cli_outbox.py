"""`outbox`: looking at mails, sending them again, giving them up."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.alerts.floods import Flood
from f2b_enrich.cli.outbox_rows import table
from f2b_enrich.figures import Period
from f2b_enrich.model import OutboxState, start_of_day
from f2b_enrich.store import floods, lists
from f2b_enrich.store import outbox as store_outbox
from tests.cli import Ran, run
from tests.digests import add_digest, fold, many
from tests.stores import NOW, StoreBuilder, event, filled

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.model import OutboxRow

BERLIN = ZoneInfo("Europe/Berlin")
DUE, DEAD, SENT = 4, 3, 2


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return filled(tmp_path / "bans.db")


def outbox(store: StoreBuilder, *words: str) -> Ran:
    return run("outbox", *words, "--db", store.path)


def row(store: StoreBuilder, row_id: int) -> OutboxRow:
    with store.reading() as connection:
        found = store_outbox.row(connection, row_id)
    assert found is not None
    return found


def test_the_list_says_what_hinders_each_mail(store: StoreBuilder) -> None:
    with store.reading() as connection:
        mails = tuple(lists.mails(connection, lists.MailQuery()))

    assert list(table(mails, zone=BERLIN, width=None)) == [
        "id  queued (CET)      state  next or sent  tries  to              "
        "about             reason",
        " 4  2026-11-21 21:15  due    21:15:03          0  noc@admins.net  "
        "sshd 2001:db8::7  -",
        " 3  2026-11-20 15:14  dead   -                 1  noc@admins.net  "
        "sshd 192.0.2.9    550 5.1.1 no such user",
        " 2  2026-11-21 21:10  sent   21:10:03          1  noc@admins.net  "
        "sshd 192.0.2.7    -",
        " 1  2026-11-19 21:14  sent   21:14:05          1  noc@admins.net  "
        "sshd 192.0.2.7    -",
    ]


def test_a_mail_about_no_ban_is_named_by_its_kind(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.mail(None)

    assert outbox(store, "list").out.split()[-2:] == ["noc@admins.net", "alert"]


def rows_of(store: StoreBuilder, *states: str) -> list[list[str]]:
    """Give the cells of the list, from the state on."""
    with store.reading() as connection:
        found = lists.mails(connection, lists.MailQuery(states=states))
        lines = table(lists.followed(connection, found), zone=BERLIN, width=None)
        return [re.split("  +", line.strip())[2:] for line in lines][1:]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("sent", "in mail 1, digest 2026-11-20, sent 21:14:03"),
        ("due", "in mail 1, digest 2026-11-20, due 21:14:03"),
        ("held", "in mail 1, digest 2026-11-20, is being filled"),
    ],
)
def test_the_list_names_digests_and_what_is_told_of_there(
    tmp_path: Path, state: str, words: str
) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    midnight = start_of_day(NOW, BERLIN)
    day = Period(kind="daily", since=midnight - timedelta(days=1), until=midnight)
    digest = add_digest(store, day)
    fold(store, store.record(event()), digest)
    at = "2026-11-21T20:14:03Z" if state == "sent" else None
    with store.writing() as connection:
        connection.execute(
            "UPDATE outbox SET state = ?, sent_at = ? WHERE id = ?", (state, at, digest)
        )

    (of_ban,), (of_digest,) = rows_of(store, "folded"), rows_of(store, state)
    assert of_ban[-1] == words
    assert "digest 2026-11-20" in of_digest
    shown = outbox(store, "show", "2").out
    assert "\ntold of     in mail 1, digest " in shown
    assert "\nnames       1 ban\n" in outbox(store, "show", "1").out


def test_the_list_names_the_alert_that_tells_of_another_ban(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    one, two = store.record(event(), event(jail="recidive"))
    fold(store, [two], store.mail(one))

    assert rows_of(store, "folded")[0][-1] == "in mail 1, due 21:14:03"
    shown = outbox(store, "show", "1").out
    assert "\nnames       1 other ban\n" in shown
    assert "\nabout " not in shown


def test_the_list_says_why_alerts_wait_or_are_left_out(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    (ban,) = store.record(event())
    why = "brake: 20 mails in 10 minutes"
    store.mail(ban, state=OutboxState.HELD, error=why)
    store.mail(ban, state=OutboxState.SKIPPED, error="policy none")

    assert rows_of(store, "held")[0][-2:] == ["sshd 192.0.2.7", why]
    assert rows_of(store, "skipped")[0][-1] == "policy none"


def test_a_mail_about_a_flood_says_which(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.mail(None)
    store.mail(None)
    with store.writing() as connection:
        connection.execute("UPDATE outbox SET kind = 'flood'")
        connection.execute("UPDATE outbox SET about = 'began' WHERE id = 1")

    assert [row[-1] for row in rows_of(store)] == ["flood", "flood began"]
    assert outbox(store, "show", "1").out.startswith("mail        1, flood began\n")


def test_mails_are_chosen_by_state_and_time(store: StoreBuilder) -> None:
    dead = outbox(store, "list", "--state", "dead", "--state", "held")
    old = outbox(store, "list", "--until", "2026-11-20", "--json")
    none = outbox(store, "list", "--state", "unsure")

    assert len(dead.out.splitlines()) == 2
    assert [mail["id"] for mail in json.loads(old.out)] == [1]
    assert (none.code, none.out, none.err) == (0, "", "no mails\n")


def test_programs_get_every_column(store: StoreBuilder) -> None:
    first, *_ = json.loads(outbox(store, "list", "--json").out)
    header, *rows = csv.reader(io.StringIO(outbox(store, "list", "--csv").out))

    assert (first["state"], first["ip"], first["sent_at"]) == (
        "due",
        "2001:db8::7",
        None,
    )
    assert list(first) == header
    assert len(rows) == 4


def test_a_mail_is_shown_as_it_would_go_now(store: StoreBuilder) -> None:
    ran = outbox(store, "show", str(DEAD))

    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert lines[:4] == [
        "mail        3, alert",
        "state       dead, 1 attempt",
        "from        root@web1",
        "to          noc@admins.net",
    ]
    assert "reason      550 5.1.1 no such user" in lines
    assert "Subject: [fail2ban] web1 sshd: banned 192.0.2.9, 1st ban" in lines
    assert "192.0.2.9 was banned on web1 by jail sshd after 5 failures." in ran.out


def test_due_and_sent_are_told(store: StoreBuilder) -> None:
    due, sent = outbox(store, "show", str(DUE)), outbox(store, "show", str(SENT))

    assert "\ndue         2026-" in due.out
    assert "\nsent        2026-" in sent.out


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        ("you@mail.com", "a sample address that belongs to nobody here, set a real"),
        ("", "empty, not an address"),
    ],
)
def test_a_mail_that_cannot_be_written_says_why(
    store: StoreBuilder, recipient: str, reason: str
) -> None:
    row_id = store.mail(store.ids[0], recipient=recipient)

    ran = outbox(store, "show", str(row_id))

    assert ran.code == 0
    assert f"\ncannot be written: {reason}" in ran.out


def test_a_mail_without_its_ban_cannot_be_written(store: StoreBuilder) -> None:
    row_id = store.mail(None)

    ran = outbox(store, "show", str(row_id))

    assert ran.out.endswith("\ncannot be written: the store has no such ban\n")


def test_one_mail_is_sent_again(store: StoreBuilder) -> None:
    ran = outbox(store, "retry", str(DEAD))

    assert (ran.code, ran.out) == (0, "1 mail due again\n")
    again = row(store, DEAD)
    assert (again.state, again.attempts) == (OutboxState.DUE, 0)


def test_one_that_is_held_is_sent_singly(store: StoreBuilder) -> None:
    held = store.mail(store.ids[0], state=OutboxState.HELD, error="quiet hours")

    ran = outbox(store, "retry", str(held))

    assert ran.out == "1 mail due again\n"
    found = row(store, held)
    assert (found.state, found.last_error) == (OutboxState.DUE, None)
    assert found.released_at is not None


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_a_digest_that_is_being_filled_is_left_alone(
    store: StoreBuilder, command: str
) -> None:
    digest = add_digest(store)
    with store.writing() as connection:
        connection.execute("UPDATE outbox SET state = 'held' WHERE id = ?", (digest,))

    ran = outbox(store, command, str(digest))

    assert ran.code == 1
    words = f"outbox: digest {digest} is still being filled: wait a moment"
    assert ran.err == f"f2b-enrich: {words}\n"
    assert row(store, digest).state is OutboxState.HELD


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_of_one_that_is_folded_the_mail_that_tells_of_it_is_named(
    store: StoreBuilder, command: str
) -> None:
    digest = add_digest(store)
    fold(store, store.ids[:1], digest)

    ran = outbox(store, command, str(digest + 1))

    assert ran.code == 1
    words = f"mail {digest + 1} is told of by mail {digest}: name that"
    assert ran.err == f"f2b-enrich: outbox: {words}\n"


def test_all_dead_mails_are_sent_again(store: StoreBuilder) -> None:
    store.mail(store.ids[0], state=OutboxState.DEAD)

    assert outbox(store, "retry", "--all-dead").out == "2 mails due again\n"
    ran = outbox(store, "retry", "--all-dead")
    assert (ran.code, ran.out) == (0, "0 mails due again\n")
    assert row(store, SENT).state is OutboxState.SENT


def test_a_mail_is_given_up(store: StoreBuilder) -> None:
    ran = outbox(store, "drop", str(DUE))

    assert (ran.code, ran.out) == (0, f"mail {DUE} is not sent\n")
    assert row(store, DUE).state is OutboxState.SKIPPED


@pytest.mark.parametrize("words", [("retry", "2"), ("drop", "2")])
def test_a_sent_mail_is_left_alone(store: StoreBuilder, words: tuple[str, ...]) -> None:
    before = row(store, SENT)

    ran = outbox(store, *words)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "f2b-enrich: outbox: mail 2 is sent, nothing to do\n"
    assert row(store, SENT) == before


def test_a_mail_to_nobody_is_not_sent_again(store: StoreBuilder) -> None:
    row_id = store.mail(
        store.ids[0], state=OutboxState.DEAD, recipient="", error="a@b: refused"
    )

    ran = outbox(store, "retry", str(row_id))

    assert ran.code == 1
    assert ran.err == (
        f"f2b-enrich: outbox: mail {row_id} has no usable address: a@b: refused\n"
    )


@pytest.mark.parametrize("command", ["show", "retry", "drop"])
def test_a_mail_that_is_not_there_is_said_so(store: StoreBuilder, command: str) -> None:
    ran = outbox(store, command, "99")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "f2b-enrich: outbox: there is no mail 99\n"


@pytest.mark.parametrize(
    "words",
    [
        ("retry",),
        ("retry", "3", "--all-dead"),
        ("retry", "first"),
        ("drop",),
        ("drop", "0"),
        ("show", "9" * 30),
        ("list", "--state", "lost"),
    ],
)
def test_wrong_usage_is_two(store: StoreBuilder, words: tuple[str, ...]) -> None:
    ran = outbox(store, *words)

    assert (ran.code, ran.out) == (2, "")
    assert "; f2b-enrich outbox" in ran.err


@pytest.mark.parametrize("words", [("retry", "--all-dead"), ("drop", "1")])
def test_no_command_makes_a_store(tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = run("outbox", *words, "--db", tmp_path / "bans.db")

    assert ran.code == 1
    assert "there is none yet" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_lines_of_a_mail_move_no_cursor(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    [ban] = store.record(event(jail="a\x1b[2J", lines=("b\x9b31m\rc",)))
    row_id = store.mail(ban)

    ran = outbox(store, "show", str(row_id))

    assert all(line.isprintable() for line in ran.out.split("\n"))


def test_a_digest_is_shown_as_it_would_go_now_with_what_it_brings(
    tmp_path: Path,
) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    digest = add_digest(store)
    fold(store, store.record(*many(60)), digest)
    shown = outbox(store, "show", str(digest)).out
    assert "\nSubject: [fail2ban] daily: 60 bans of 60 addresses on web1" in shown
    assert "\nBANS    This digest stands for 60 bans" in shown
    assert re.search(r"\n\[bans\.csv: [\d,]+ bytes\]\n", shown)


def test_a_mail_about_a_flood_is_shown_as_it_would_go_now(
    store: StoreBuilder,
) -> None:
    flood = Flood(began_at=NOW, held=40, window_at=NOW, held_in_window=40)
    with store.writing() as connection:
        mail = store_outbox.NewMail(
            kind="flood",
            ban_id=None,
            recipient="noc@admins.net",
            sender="root@web1",
            message_id="<flood-began.0.1@web1>",
            due_at=NOW,
            about="began",
        )
        row_id = store_outbox.add(connection, mail, now=NOW)
        row = floods.begin(connection, "noc@admins.net", "root@web1", flood)
        floods.told(connection, row.id, about="began", mail=row_id)
    shown = outbox(store, "show", str(row_id)).out
    assert "\nSubject: [fail2ban] flood began: " in shown
    assert "cannot be written" not in shown
