"""What clients left is taken at the start and as it arrives, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich import spool
from f2b_enrich.daemon.draining import BATCH, Drain
from f2b_enrich.daemon.intake import Taken
from f2b_enrich.daemon.loops import first_of, forever
from f2b_enrich.daemon.server import user_numbers
from f2b_enrich.errors import StoreError
from tests.clock import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from f2b_enrich.daemon.intake import Answer
    from f2b_enrich.model import Event

CLIENT = Path(__file__).parents[2] / "f2b_enrich" / "client.py"
DEADLINE = 20.0


def request(ip: str) -> bytes:
    fields = f"V=1\0EVENT=ban\0JAIL=sshd\0IP={ip}\0TIME=1.7e9\0"
    return fields.encode() + b"\0"


@dataclass
class Store:
    """Takes events, or fails with `error`, for all or for one address."""

    error: Exception | None = None
    only_for: str | None = None
    taken: list[Event] = field(default_factory=list)

    def take(self, event: Event, answer: Answer, *, alone: bool = False) -> None:
        assert not alone
        if self.error is not None and self.only_for in {None, event.ip}:
            answer(self.error)
        else:
            self.taken.append(event)
            answer(Taken(ban_id="id"))

    @property
    def ips(self) -> list[str]:
        return [event.ip for event in self.taken]


class Site:
    """Two spools, a folder of marks, and a drain over them."""

    def __init__(self, root: Path) -> None:
        self.run = root / "run"
        self.spool = root / "spool"
        self.second = self.run / "spool"
        self.run.mkdir()
        self.store = Store()
        self.clock = Clock()
        self.owners = user_numbers(())

    def put(self, ip: str, number: int = 1, *, into: Path | None = None) -> Path:
        """Leave an event as the client does: written aside, then named."""
        folder = into or self.spool
        folder.mkdir(exist_ok=True)
        unfinished = folder / f"{number:020}-1-9.tmp"
        unfinished.write_bytes(request(ip))
        return unfinished.rename(unfinished.with_suffix(".ban"))

    def left(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.spool)) for path in self.spool.rglob("*")
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def drain_of(site: Site) -> Drain:
    folders = (site.spool, site.second)
    return Drain(folders, site.run, site.store.take, owners=site.owners, now=site.clock)


async def once(site: Site) -> None:
    """Empty the folders once; what arrives meanwhile ends the wait."""
    with drain_of(site) as drain:
        step = asyncio.create_task(drain.step())
        await until(lambda: step.done() or is_waiting(drain))
        step.cancel()
        await asyncio.wait([step])
        if not step.cancelled():
            step.result()


def is_waiting(drain: Drain) -> bool:
    """Tell whether the drain has emptied all and waits for the next file."""
    return bool(drain._arrived._waiters)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - nobody tells of a file that goes
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def draining(site: Site) -> AsyncIterator[Drain]:
    with drain_of(site) as drain:
        task = asyncio.create_task(forever("drain", drain.step))
        await until(lambda: is_waiting(drain))
        yield drain
        task.cancel()
        await asyncio.wait([task])


async def test_what_lies_there_at_the_start_is_taken_in_order(site: Site) -> None:
    for number in (3, 1, 2):
        site.put(f"192.0.2.{number}", number)
    site.put("192.0.2.9", into=site.second)
    await once(site)
    assert site.store.ips == ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.9"]
    assert site.left() == []
    assert list(site.second.iterdir()) == []


async def test_more_files_than_a_batch_are_taken_in_order(site: Site) -> None:
    count = BATCH * 2 + 1
    for number in range(count):
        site.put(f"192.0.2.{number}", number)
    await once(site)
    assert site.store.ips == [f"192.0.2.{number}" for number in range(count)]
    assert site.left() == []


async def test_files_are_taken_as_they_arrive(site: Site) -> None:
    async with draining(site):
        for number, folder in enumerate((site.spool, site.second, site.spool)):
            file = site.put(f"192.0.2.{number}", number, into=folder)
            await until(lambda: not file.exists())  # noqa: B023 - awaited here
    assert site.store.ips == ["192.0.2.0", "192.0.2.1", "192.0.2.2"]


async def test_what_the_client_leaves_is_taken(site: Site) -> None:
    async with draining(site):
        command = ("/usr/bin/python3", "-I", "-S", CLIENT, site.run / "x.sock")
        fields = ("EVENT=ban", "JAIL=sshd", "IP=192.0.2.7", "TIME=1.7e9")
        client = await asyncio.create_subprocess_exec(*command, site.spool, *fields)
        assert await client.wait() == 0
        await until(lambda: site.store.ips == ["192.0.2.7"] and not site.left())


async def test_a_client_that_writes_is_not_disturbed(site: Site) -> None:
    site.spool.mkdir()
    unfinished = site.spool / "1-1-9.tmp"
    unfinished.write_bytes(request("192.0.2.7")[:-9])
    now = site.clock().timestamp()
    os.utime(unfinished, (now - 60, now - 60))
    await once(site)
    assert site.left() == ["1-1-9.tmp"]
    assert site.store.taken == []


async def test_what_a_killed_client_finished_writing_is_taken(site: Site) -> None:
    site.spool.mkdir()
    for name, content in (
        ("1-1-9.tmp", request("192.0.2.7")),
        ("2-1-9.tmp", request("192.0.2.8")[:-9]),
    ):
        (site.spool / name).write_bytes(content)
        now = site.clock().timestamp()
        os.utime(site.spool / name, (now, now))
    await once(site)
    assert site.store.taken == []
    site.clock.move(seconds=61)
    await once(site)
    assert site.store.ips == ["192.0.2.7"]
    assert site.left() == ["bad", "bad/2-1-9.tmp"]


async def test_what_cannot_be_read_is_set_aside_and_the_rest_taken(site: Site) -> None:
    site.put("192.0.2.1", 1)
    (site.spool / "2.ban").write_bytes(b"garbage")
    (site.spool / "3.ban").symlink_to(site.run / "secret")
    (site.run / "secret").write_bytes(request("192.0.2.6"))
    os.mkfifo(site.spool / "4.ban")
    (site.spool / "5.ban").mkdir()
    (site.spool / "6.ban").write_bytes(request("192.0.2.2"))
    (site.spool / "notes.txt").touch()
    await once(site)
    assert site.store.ips == ["192.0.2.1", "192.0.2.2"]
    bad = [f"bad/{number}.ban" for number in (2, 3, 4, 5)]
    assert site.left() == ["bad", *bad, "notes.txt"]
    assert spool.backlog(site.spool) == spool.Backlog(files=0, unreadable=4)


async def test_what_a_stranger_left_is_set_aside(site: Site) -> None:
    site.put("192.0.2.1", 1)
    site.owners = frozenset({os.geteuid() + 1})
    await once(site)
    assert site.store.ips == []
    assert site.left() == ["bad", f"bad/{1:020}-1-9.ban"]


async def test_a_file_that_cannot_be_set_aside_holds_up_no_other(site: Site) -> None:
    site.spool.mkdir()
    (site.spool / spool.BAD).touch()  # as on a full disk: no folder can be made
    (site.spool / "0.ban").write_bytes(b"garbage")
    site.put("192.0.2.1", 1)
    await once(site)
    assert site.store.ips == ["192.0.2.1"]
    assert site.left() == ["0.ban", "bad"]


async def test_an_error_of_the_store_keeps_the_file(site: Site) -> None:
    site.put("192.0.2.1", 1)
    site.put("192.0.2.2", 2)
    site.store.error = StoreError("store: database is locked")
    with pytest.raises(StoreError, match="locked"):
        await once(site)
    assert len(site.left()) == 2
    site.store.error = None
    await once(site)
    assert site.store.ips == ["192.0.2.1", "192.0.2.2"]
    assert site.left() == []


async def test_of_a_batch_what_is_stored_goes_and_what_is_not_stays(
    site: Site,
) -> None:
    for number in range(3):
        site.put(f"192.0.2.{number}", number)
    site.store.error = StoreError("store: database is locked")
    site.store.only_for = "192.0.2.1"
    with pytest.raises(StoreError, match="locked"):
        await once(site)
    assert site.store.ips == ["192.0.2.0", "192.0.2.2"]
    assert site.left() == [f"{1:020}-1-9.ban"]


async def test_an_event_that_the_store_will_never_take_is_set_aside(site: Site) -> None:
    for number in range(3):
        site.put(f"192.0.2.{number}", number)
    site.store.error = StoreError("store: datatype mismatch", permanent=True)
    site.store.only_for = "192.0.2.1"
    await once(site)
    assert site.store.ips == ["192.0.2.0", "192.0.2.2"]
    assert site.left() == ["bad", f"bad/{1:020}-1-9.ban"]


async def test_an_event_that_breaks_the_program_is_set_aside(site: Site) -> None:
    for number in range(3):
        site.put(f"192.0.2.{number}", number)
    site.store.error = ZeroDivisionError("a bug")
    site.store.only_for = "192.0.2.1"
    await once(site)
    assert site.store.ips == ["192.0.2.0", "192.0.2.2"]
    assert site.left() == ["bad", f"bad/{1:020}-1-9.ban"]


async def test_the_mark_of_a_slow_answer_is_removed(site: Site) -> None:
    async with draining(site):
        mark = site.run / spool.SLOW
        mark.touch()
        await until(lambda: not mark.exists())


async def test_an_old_mark_is_removed_with_the_first_file_it_caused(
    site: Site,
) -> None:
    mark = site.run / spool.SLOW
    mark.touch()
    async with draining(site):
        site.put("192.0.2.1")
        await until(lambda: site.store.ips == ["192.0.2.1"])
        assert not mark.exists()


async def test_missing_spools_are_made(site: Site) -> None:
    async with draining(site):
        assert site.spool.is_dir()
        assert site.second.is_dir()


async def test_a_spool_that_cannot_be_made_leaves_the_other(site: Site) -> None:
    site.spool = site.run / "missing" / "spool"
    async with draining(site):
        file = site.put("192.0.2.1", into=site.second)
        await until(lambda: not file.exists())
    assert site.store.ips == ["192.0.2.1"]


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), StoreError("locked")])
async def test_a_loop_that_failed_goes_on_until_it_is_told_to_stop(
    error: Exception,
) -> None:
    over = asyncio.Event()
    steps: list[str] = []

    async def step() -> None:
        steps.append("well" if not steps else "failed")
        if len(steps) == 2:
            over.set()
            raise error

    async with asyncio.timeout(DEADLINE):
        await forever("test", step, until=over)
    assert steps == ["well", "failed"]


async def test_the_first_of_several_events_ends_the_wait() -> None:
    one, other = asyncio.Event(), asyncio.Event()
    other.set()
    async with asyncio.timeout(DEADLINE):
        await first_of(one, other)
        await first_of(one, seconds=0.001)
    assert len(asyncio.all_tasks()) == 1
