"""Policy, brake and floods in the running daemon, across outages and restarts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.daemons import TIME, living

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.daemons import Daemon


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        yield daemon


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Give a port where nobody listens, nor can begin to."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


async def test_a_burst_is_held_and_a_flood_begins_and_ends(daemon: Daemon) -> None:
    daemon.configure(alerts={"burst": 3})
    await daemon.start()
    for last in range(1, 6):
        await daemon.ban(f"192.0.2.{last}")
    await daemon.until_states(*["sent"] * 3, *["held"] * 2, "sent")
    began = await daemon.until_logged("flood of bans began, they wait for a digest")
    assert began["to"] == "noc@alerts.example"

    await daemon.restart()
    daemon.clock.move(minutes=10, seconds=1)
    await daemon.nudge()
    await daemon.until(lambda: flood(daemon)["held_in_window"] == 0)
    assert flood(daemon)["ended_at"] is None
    digest = await daemon.until_logged("digest queued", kind="flood")
    assert digest["bans"] == 2
    daemon.clock.move(minutes=10)
    await daemon.nudge()

    await daemon.until_logged("flood of bans ended", to="noc@alerts.example")
    assert flood(daemon)["held"] == 2
    await daemon.ban("192.0.2.9", TIME=f"{daemon.clock().timestamp()}")
    await daemon.until_states(*["sent"] * 3, *["folded"] * 2, *["sent"] * 4)
    kinds = [" flood" in mail["Subject"] for mail in await daemon.mails(7)]
    assert kinds == [False, False, False, True, True, True, False]


def flood(daemon: Daemon) -> dict[str, Any]:
    (row,) = daemon.rows("SELECT * FROM floods")
    return row


async def test_a_spool_of_a_week_makes_no_alert(daemon: Daemon) -> None:
    daemon.configure()
    for number in range(30):
        assert await daemon.client(f"192.0.2.{number}", TIME=f"{TIME - 86_400}") == 0
    await daemon.start()
    await daemon.until_states(*["held"] * 30)
    await daemon.ban("198.51.100.1")
    await daemon.until_states(*["held"] * 30, "sent")
    reasons = {row["last_error"] for row in daemon.outbox()}
    assert reasons == {"told of more than 15 minutes late", None}


async def test_a_new_policy_holds_from_the_reload_on(daemon: Daemon) -> None:
    daemon.configure(alerts={"policy": "none"})
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await daemon.until_states("skipped")

    daemon.configure(alerts={"policy": "first"})
    await daemon.reload()
    await daemon.ban("192.0.2.1", TIME=f"{TIME + 1}")
    await daemon.ban("192.0.2.2")

    await daemon.until_states("skipped", "held", "sent")


async def test_recidive_is_no_mail_beside_the_ban_that_it_repeats(
    daemon: Daemon,
) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban()
    await daemon.until_sent(1)
    await daemon.ban(JAIL="recidive", TIME=f"{TIME + 1}")
    await daemon.ban("192.0.2.8")
    await daemon.until_states("sent", "folded", "sent")
    assert daemon.outbox()[1]["folded_into"] == daemon.outbox()[0]["id"]


async def test_more_are_sorted_than_at_once_while_nothing_can_be_sent(
    daemon: Daemon,
) -> None:
    with closed_port() as port:
        daemon.configure(mail__smtp={"port": port}, alerts={"burst": 1})
        await daemon.start()
        await daemon.ban("198.51.100.1")
        await daemon.until_logged("mail not sent")
        await asyncio.gather(*(daemon.ban(f"192.0.2.{last}") for last in range(250)))
        held = "SELECT count(*) AS held FROM outbox WHERE state = 'held'"
        await daemon.until(lambda: daemon.rows(held) == [{"held": 250}])
        await daemon.stop()
