"""The administrator's command in the running daemon, whatever the mail server does."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from demo.lab import PROJECT
from f2b_enrich.config import Settings
from f2b_enrich.daemon.alerts import relations
from f2b_enrich.daemon.commits import Commits
from f2b_enrich.daemon.mailing import Desk
from f2b_enrich.daemon.notifying import Notifying
from f2b_enrich.daemon.reads import Reads
from f2b_enrich.daemon.tried_names import TriedNames
from f2b_enrich.daemon.writing import Writer
from f2b_enrich.mail.compose import Composer
from f2b_enrich.model import time_text
from f2b_enrich.store import sorting
from f2b_enrich.store.connection import open_reader, open_writer
from tests import bounces
from tests.daemons import living
from tests.digests import add_digest
from tests.stores import NOW, StoreBuilder, event, located, shipped_analysis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.daemons import Daemon


class Hook:
    """A command that keeps what it is told, as long as nothing stands in its way."""

    def __init__(self, folder: Path) -> None:
        self.told_file = folder / "told"
        self.fault = folder / "fault"
        self.program = folder / "hook"
        self.program.write_text(
            "#!/bin/sh\n"
            f"[ -e {self.fault} ] && . {self.fault}\n"
            f"cat >> {self.told_file}\n"
        )
        self.program.chmod(0o755)

    def told(self) -> list[dict[str, Any]]:
        if not self.told_file.exists():
            return []
        return [json.loads(line) for line in self.told_file.read_text().splitlines()]

    def settings(self, **more: object) -> dict[str, object]:
        return {"command": [str(self.program)], **more}


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        yield daemon


@pytest.fixture
def hook(tmp_path: Path) -> Hook:
    return Hook(tmp_path)


def notifications(daemon: Daemon) -> list[dict[str, Any]]:
    return daemon.rows("SELECT * FROM notifications ORDER BY id")


async def until_done(daemon: Daemon, count: int) -> None:
    states = ["done"] * count
    await daemon.until(lambda: [n["state"] for n in notifications(daemon)] == states)


async def test_a_ban_is_mailed_and_told(daemon: Daemon, hook: Hook) -> None:
    daemon.configure(notify=hook.settings())
    await daemon.start()
    ban = await daemon.ban("192.0.2.7", MATCHES="Failed password http://a.example/x")
    await daemon.until_sent(1)
    await until_done(daemon, 1)
    await daemon.stop()

    (told,) = hook.told()
    assert (told["version"], told["event"], told["attempt"]) == (1, "alert", 1)
    assert (told["ban"]["id"], told["ban"]["ip"]) == (ban, "192.0.2.7")
    assert told["lines"] == ["Failed password hxxp://a[.]example/x"]
    assert told["ban"]["attacks"]
    (mail,) = await daemon.mails(1)
    assert told["title"] == mail["Subject"]
    assert told["message_id"] == mail["Message-ID"]


async def test_many_recipients_make_one_event(daemon: Daemon, hook: Hook) -> None:
    recipients = "one@alerts.example, two@alerts.example"
    daemon.configure(notify=hook.settings(), mail={"recipient": recipients})
    await daemon.start()
    await daemon.ban()
    await daemon.until_sent(2)
    await until_done(daemon, 1)
    await daemon.stop()
    assert len(hook.told()) == 1


async def test_it_is_told_although_no_mail_server_is_there(
    daemon: Daemon, hook: Hook
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        daemon.configure(notify=hook.settings(), mail__smtp={"port": port})
        await daemon.start()
        for number in range(30):
            await daemon.ban(f"192.0.2.{number}")
        # Those that the brake lets through, and that a flood began.
        await daemon.until(lambda: len(hook.told()) == 21)
        (flood,) = (each for each in hook.told() if each["event"] == "flood")
        assert flood["title"].startswith("[fail2ban] flood began: ")
        assert flood["flood"]["about"] == "began"
        assert flood["flood"]["ended_at"] is None
        await until_done(daemon, 21)
        assert set(daemon.states()) <= {"due", "sending", "held"}
        await daemon.stop()


async def test_one_that_fails_is_tried_again_and_delays_no_mail(
    daemon: Daemon, hook: Hook
) -> None:
    hook.fault.write_text("echo no network; exit 7\n")
    daemon.configure(notify=hook.settings())
    await daemon.start()
    await daemon.ban()
    await daemon.until_sent(1)
    await daemon.until(lambda: [n["attempts"] for n in notifications(daemon)] == [1])
    (row,) = notifications(daemon)
    assert row["state"] == "due"
    assert row["last_error"].endswith("exit status 7: no network")

    hook.fault.unlink()
    daemon.clock.move(seconds=23)
    await daemon.nudge()
    await until_done(daemon, 1)
    await daemon.stop()
    assert [told["attempt"] for told in hook.told()] == [2]


async def test_it_is_given_up_after_a_day(daemon: Daemon, hook: Hook) -> None:
    hook.fault.write_text("exit 1\n")
    daemon.configure(notify=hook.settings())
    await daemon.start()
    await daemon.ban()
    await daemon.until(lambda: [n["attempts"] for n in notifications(daemon)] == [1])
    daemon.clock.move(days=1)
    await daemon.nudge()
    await daemon.until(lambda: notifications(daemon)[0]["state"] == "dead")
    await daemon.until_logged("command not told", next="given up")
    await daemon.stop()


async def test_one_that_hangs_delays_no_mail(daemon: Daemon, hook: Hook) -> None:
    hook.fault.write_text("exec sleep 600\n")
    daemon.configure(notify=hook.settings(timeout_seconds=30, at_once=1))
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await daemon.ban("192.0.2.2")
    await daemon.until_sent(2)
    running = [n["state"] for n in notifications(daemon)]
    assert "done" not in running
    await daemon.stop()


async def test_what_was_under_way_is_told_by_the_next_daemon(
    daemon: Daemon, hook: Hook
) -> None:
    hook.fault.write_text("exec sleep 600\n")
    daemon.configure(notify=hook.settings())
    await daemon.start()
    await daemon.ban()
    await daemon.until(
        lambda: [n["state"] for n in notifications(daemon)] == ["running"]
    )
    await daemon.stop()
    hook.fault.unlink()
    await daemon.start()
    await until_done(daemon, 1)
    await daemon.stop()
    assert len(hook.told()) == 1


async def test_without_a_command_nothing_is_kept(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban()
    await daemon.until_sent(1)
    await daemon.stop()
    assert notifications(daemon) == []


async def test_kinds_that_are_not_wanted_are_left_out(
    daemon: Daemon, hook: Hook
) -> None:
    daemon.configure(notify=hook.settings(events=["digest"]))
    await daemon.start()
    await daemon.ban()
    await daemon.until_sent(1)
    await daemon.stop()
    assert notifications(daemon) == []


async def test_a_bounce_is_found_by_the_running_daemon(
    daemon: Daemon, tmp_path: Path
) -> None:
    mbox = tmp_path / "mbox"
    daemon.configure(bounces={"mbox": str(mbox)})
    await daemon.start()
    await daemon.ban()
    await daemon.until_sent(1)
    (row,) = daemon.outbox()
    await daemon.stop()
    mbox.write_bytes(b"From x\n" + bounces.report(row["message_id"]) + b"\n")
    # Written just now: by the daemon's clock long ago.
    daemon.clock.time = NOW + timedelta(days=36500)
    await daemon.start()
    await daemon.until(lambda: bool(daemon.rows("SELECT * FROM bounces")))
    await daemon.stop()
    (back,) = daemon.rows("SELECT * FROM bounces")
    assert back["outbox_id"] == row["id"]


async def test_a_digest_is_told_with_the_bans_in_it(daemon: Daemon, hook: Hook) -> None:
    daemon.configure(
        notify=hook.settings(events=["digest"]), alerts={"merge_seconds": 0}
    )
    await daemon.start()
    for jail, ip in (
        ("sshd", "192.0.2.1"),
        ("sshd", "192.0.2.2"),
        ("web", "192.0.2.1"),
    ):
        await daemon.ban(ip, JAIL=jail)
    await daemon.until_sent(3)
    await daemon.stop()
    store = StoreBuilder(daemon.lab.store)
    digest = add_digest(store)
    with store.writing() as connection:
        connection.execute(
            "UPDATE outbox SET state = 'folded', folded_into = ? WHERE id != ?",
            (digest, digest),
        )
        now = time_text(daemon.clock())
        connection.execute("UPDATE outbox SET due_at = ? WHERE id = ?", (now, digest))
    await daemon.start()
    await until_done(daemon, 1)
    await daemon.stop()
    (told,) = hook.told()
    assert told["event"] == "digest"
    assert told["title"].startswith("[fail2ban] daily: 3 bans of 2 addresses on ")
    assert (told["period"]["kind"], told["period"]["bans"]) == ("daily", 3)
    assert told["digest"]["bans"] == 3
    assert told["digest"]["jails"] == {"sshd": 2, "web": 1}


async def test_what_was_told_is_noted_when_the_store_is_free_again(
    daemon: Daemon, hook: Hook
) -> None:
    go = hook.fault.with_name("go")
    hook.fault.write_text(f"until [ -e {go} ]; do sleep 0.05; done\n")
    daemon.configure(notify=hook.settings(timeout_seconds=60))
    await daemon.start()
    await daemon.ban()
    await daemon.until_sent(1)
    await daemon.until(
        lambda: [n["state"] for n in notifications(daemon)] == ["running"]
    )
    other = sqlite3.connect(daemon.lab.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    go.touch()
    await daemon.until_logged("outcome of a command not yet noted")
    other.execute("ROLLBACK")
    other.close()
    await until_done(daemon, 1)
    await daemon.stop()
    assert len(hook.told()) == 1


@asynccontextmanager
async def alone(
    hook: Hook, folder: Path, **odd: Any
) -> AsyncIterator[tuple[Notifying, Desk, StoreBuilder]]:
    """Run only what tells the command, of one ban that nobody has classed."""
    store = StoreBuilder(folder / "bans.db")
    (ban,) = store.record(event())
    mail = store.mail(ban, recipient="noc@admins.net", sender="root@web1")
    with store.writing() as connection:
        sorting.release(connection, mail, now=NOW)
    settings = Settings.model_validate({"notify": hook.settings(), "host": "web1"})

    async def classify(_: str) -> None:
        """Find nothing."""

    writer = Writer(
        composer=Composer(),
        settings=settings,
        relations=relations(Settings.model_validate({"own": {"fail2ban": ""}})),
        tried=TriedNames(host="web1", accounts=folder / "none"),
        classifier=lambda: shipped_analysis().classifier,
        timezone=None,
    )
    known: dict[str, Any] = {
        "courier": None,
        "writer": writer,
        "classify": classify,
        "now": lambda: NOW,
        "jitter": lambda: 0.5,
    }
    with open_writer(store.path) as connection, open_reader(store.path) as reader:
        reads = Reads(reader)
        async with Commits(connection) as commits:
            notifying = Notifying(settings, commits, reads)
            yield notifying, Desk(**known | odd, notifying=notifying), store
        reads.close()


def row(store: StoreBuilder) -> sqlite3.Row:
    with store.reading() as connection:
        found: sqlite3.Row = connection.execute(
            "SELECT * FROM notifications"
        ).fetchone()
        return found


async def test_a_ban_that_shows_nothing_is_told_without_an_attack(
    hook: Hook, tmp_path: Path
) -> None:
    async with alone(hook, tmp_path) as (notifying, desk, _):
        await notifying.step(desk)
    (told,) = hook.told()
    assert told["ban"]["attacks"] == []
    assert told["address"] is None


async def test_what_cannot_be_classed_is_told_all_the_same(
    hook: Hook, tmp_path: Path
) -> None:
    async def classify(_: str) -> None:
        raise RuntimeError("rules are gone")

    async with alone(hook, tmp_path, classify=classify) as (notifying, desk, store):
        store.learn(located())
        await notifying.step(desk)
    (told,) = hook.told()
    assert told["ban"]["attacks"] == []
    assert told["address"]["city"] == "Amsterdam"
    assert list(told["address"]) == list(documented("alert")["address"])


async def test_an_error_that_nobody_foresaw_does_not_come_back_at_once(
    hook: Hook, tmp_path: Path
) -> None:
    async with alone(hook, tmp_path, writer=None) as (notifying, desk, store):
        with pytest.raises(AttributeError):
            await notifying.step(desk)
        found = row(store)
    assert (found["state"], found["attempts"]) == ("due", 1)
    assert found["last_error"].startswith("AttributeError: ")
    assert hook.told() == []


async def test_a_ban_that_is_gone_is_not_told(hook: Hook, tmp_path: Path) -> None:
    async with alone(hook, tmp_path) as (notifying, desk, store):
        with store.writing() as connection:
            connection.execute("DELETE FROM log_lines")
            connection.execute("DELETE FROM bans")
        await notifying.step(desk)
        found = row(store)
    assert found["last_error"] == "the store has no such ban"
    assert hook.told() == []


async def test_what_is_older_than_a_day_is_not_told_any_more(
    hook: Hook, tmp_path: Path
) -> None:
    hook.fault.write_text("exit 1\n")
    async with alone(hook, tmp_path) as (notifying, desk, store):
        await notifying.step(desk)
        hook.fault.unlink()
        late = replace(desk, now=lambda: NOW + timedelta(days=1, minutes=16))
        await notifying.step(late)
        found = row(store)
    assert hook.told() == []
    assert (found["state"], found["attempts"]) == ("dead", 1)
    assert "exit status 1" in found["last_error"]


async def test_the_last_try_may_be_a_little_late(hook: Hook, tmp_path: Path) -> None:
    hook.fault.write_text("exit 1\n")
    async with alone(hook, tmp_path) as (notifying, desk, _):
        await notifying.step(desk)
        hook.fault.unlink()
        await notifying.step(
            replace(desk, now=lambda: NOW + timedelta(days=1, minutes=1))
        )
    assert len(hook.told()) == 1


def documented(kind: str) -> dict[str, Any]:
    text = (PROJECT / "docs" / "reference" / "notify.md").read_text()
    shown = map(json.loads, re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    return next(each for each in shown if each["event"] == kind)


async def test_the_documented_alert_has_the_keys_of_a_real_one(
    daemon: Daemon, hook: Hook
) -> None:
    daemon.configure(notify=hook.settings())
    await daemon.start()
    await daemon.ban()
    await until_done(daemon, 1)
    await daemon.stop()
    (told,) = hook.told()
    shown = documented("alert")
    assert list(told) == list(shown)
    assert list(told["ban"]) == list(shown["ban"])
    if told["address"] is not None:
        assert list(told["address"]) == list(shown["address"])
