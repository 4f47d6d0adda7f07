"""The daemon finds its mails in the mailboxes that they came back to."""

from __future__ import annotations

import errno
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from f2b_enrich.config_channels import BounceSettings
from f2b_enrich.daemon.bouncing import FIRST_LOOK, Bouncing, returned
from f2b_enrich.daemon.commits import Commits
from f2b_enrich.daemon.reads import Reads
from f2b_enrich.mail import mailboxes
from f2b_enrich.model import OutboxState
from f2b_enrich.store import bounces as store_bounces
from f2b_enrich.store.connection import open_reader, open_writer
from tests import bounces
from tests.stores import StoreBuilder, event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Server:
    """A store with mails that were sent, and the mailboxes of their sender."""

    def __init__(self, folder: Path) -> None:
        self.store = StoreBuilder(folder / "bans.db")
        self.mbox = folder / "mbox"
        self.maildir = folder / "Maildir"
        # Files carry the machine's time.
        self.now = datetime.now(UTC) + timedelta(minutes=1)
        self.waits: list[float] = []
        (ban,) = self.store.record(event())
        for _ in range(3):
            self.store.mail(ban, state=OutboxState.SENT)
        with self.store.reading() as connection:
            rows = connection.execute("SELECT message_id FROM outbox ORDER BY id")
            self.ids = [row["message_id"] for row in rows]

    def make_maildir(self) -> None:
        for part in ("new", "cur"):
            (self.maildir / part).mkdir(parents=True)

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    @asynccontextmanager
    async def looking(
        self, settings: BounceSettings | None = None
    ) -> AsyncIterator[Bouncing]:
        """Run the looks of one daemon's life."""
        if settings is None:
            settings = BounceSettings(maildir=self.maildir, mbox=self.mbox)
        with (
            open_writer(self.store.path) as writer,
            open_reader(self.store.path) as reader,
        ):
            reads = Reads(reader)
            async with Commits(writer) as commits:
                yield Bouncing(
                    settings, commits, reads, now=lambda: self.now, wait=self.wait
                )
            reads.close()

    async def look(self) -> None:
        async with self.looking() as bouncing:
            await bouncing.step()

    def back(self) -> list[int]:
        with self.store.reading() as connection:
            since = self.now - timedelta(days=99)
            found = store_bounces.bounced(connection, since=since)
        return sorted(each.outbox_id for each in found)

    def problem(self, path: Path) -> str | None:
        with self.store.reading() as connection:
            box = store_bounces.mailbox(connection, str(path))
        return None if box is None else box.problem

    def add(self, mail: bytes) -> None:
        with self.mbox.open("ab") as file:
            file.write(b"From MAILER-DAEMON Sat Nov 21 20:15:00 2026\n" + mail + b"\n")


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


async def test_bounces_are_found_in_both_kinds_of_mailbox(server: Server) -> None:
    server.make_maildir()
    (server.maildir / "new" / "1").write_bytes(bounces.report(server.ids[0]))
    (server.maildir / "cur" / "2:2,S").write_bytes(bounces.reply(server.ids[1]))
    server.add(bounces.qmail(server.ids[2]))
    server.add(bounces.late(server.ids[1]))
    await server.look()
    assert server.back() == [1, 3]
    assert server.waits == [60.0]


async def test_the_next_daemon_reads_on_where_the_last_one_stopped(
    server: Server,
) -> None:
    server.make_maildir()
    server.add(bounces.report(server.ids[0]))
    (server.maildir / "new" / "1").write_bytes(bounces.report(server.ids[1]))
    with capture_logs() as logs:
        await server.look()
        await server.look()
        server.add(bounces.report(server.ids[2]))
        await server.look()
    told = [each["id"] for each in logs if each["event"] == "mail came back"]
    assert sorted(told) == [1, 2, 3]
    assert server.back() == [1, 2, 3]


async def test_mailboxes_that_are_not_there_yet_are_waited_for(server: Server) -> None:
    await server.look()
    assert server.problem(server.mbox) is None
    server.make_maildir()
    server.add(bounces.report(server.ids[0]))
    await server.look()
    assert server.back() == [1]


async def test_a_mailbox_that_cannot_be_read_is_told_once(server: Server) -> None:
    os.mkfifo(server.mbox)
    with capture_logs() as logs:
        async with server.looking() as bouncing:
            await bouncing.step()
            await bouncing.step()
    assert server.problem(server.mbox) == "is no regular file"
    assert len([each for each in logs if each["event"] == "bounces not read"]) == 1

    server.mbox.unlink()
    server.add(bounces.report(server.ids[0]))
    await server.look()
    assert server.problem(server.mbox) is None
    assert server.back() == [1]


async def test_a_mail_that_cannot_be_read_stays_a_problem_until_it_is(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        # What a file system that is ill says: root may read all else.
        raise OSError(errno.EIO, "Input/output error", str(path))

    server.make_maildir()
    (server.maildir / "new" / "1").write_bytes(bounces.report(server.ids[0]))
    with monkeypatch.context() as patch:
        patch.setattr(mailboxes, "_opened", refuse)
        async with server.looking() as bouncing:
            for _ in range(3):
                await bouncing.step()
                assert server.problem(server.maildir) == "1: Input/output error"
                server.now += timedelta(hours=2)
    await server.look()
    assert server.problem(server.maildir) is None
    assert server.back() == [1]


async def test_a_folder_that_is_no_maildir_is_a_problem(server: Server) -> None:
    server.maildir.mkdir()
    await server.look()
    assert server.problem(server.maildir) == "new: No such file or directory"

    server.maildir.rmdir()
    server.maildir.write_bytes(b"")
    await server.look()
    assert server.problem(server.maildir) == "new: Not a directory"


async def test_what_was_put_aside_and_cannot_be_read_stops_nothing(
    server: Server,
) -> None:
    server.add(bounces.report(server.ids[0]))
    await server.look()
    os.mkfifo(server.mbox.with_name("mbox.1"))
    server.mbox.unlink()
    server.add(bounces.reply())
    server.add(bounces.report(server.ids[1]))
    await server.look()
    assert server.back() == [1, 2]
    assert server.problem(server.mbox) == "mbox.1: is no regular file"
    await server.look()
    assert server.problem(server.mbox) is None


async def test_a_folder_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.mbox = tmp_path / "no" / "such" / "mbox"
    await server.look()
    assert server.problem(server.mbox) == "No such file or directory"


async def test_old_mail_of_a_maildir_is_left_alone(server: Server) -> None:
    server.make_maildir()
    (server.maildir / "new" / "1").write_bytes(bounces.report(server.ids[0]))
    server.now += FIRST_LOOK + timedelta(hours=1)
    await server.look()
    assert server.back() == []


async def test_a_quiet_mailbox_costs_no_write(server: Server) -> None:
    server.make_maildir()
    server.add(bounces.reply())
    async with server.looking() as bouncing:
        await bouncing.step()
        with server.store.reading() as connection:
            before = connection.execute("PRAGMA data_version").fetchone()[0]
            server.now += timedelta(minutes=1)
            await bouncing.step()
            assert connection.execute("PRAGMA data_version").fetchone()[0] == before
            server.now += timedelta(hours=2)
            await bouncing.step()
            assert connection.execute("PRAGMA data_version").fetchone()[0] != before


async def test_without_a_mailbox_there_is_nothing_to_do(server: Server) -> None:
    async with server.looking(BounceSettings()) as bouncing:
        assert not bouncing.has_mailbox
        await bouncing.step()
    async with server.looking() as bouncing:
        assert bouncing.has_mailbox
    assert server.waits == [60.0]


def test_only_what_failed_for_good_counts() -> None:
    assert returned(bounces.late()) is None
    assert returned(bounces.report(action="relayed")) is None
    found = returned(bounces.report())
    assert found is not None
    assert found.message_id == bounces.OURS
