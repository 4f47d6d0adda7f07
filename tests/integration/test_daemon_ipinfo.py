"""What the running daemon asks of IPinfo, and what it does not ask again."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.lab import Lab
from tests.daemons import CLIENT, QUICK, TIME, living
from tests.e2e.site import Site
from tests.fake_ipinfo import BERLIN, FakeIpinfo
from tests.mmdb import write_lite
from tests.smtp_server import SmtpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.daemons import Daemon

TOKEN = "tok-plus"


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        daemon.environ["F2B_ENRICH_IPINFO_TOKEN"] = TOKEN
        yield daemon


@pytest.fixture
def ipinfo() -> Iterator[FakeIpinfo]:
    with FakeIpinfo() as server:
        yield server


def ask_ipinfo(daemon: Daemon, ipinfo: FakeIpinfo, *, plan: str = "auto") -> None:
    daemon.configure(
        ipinfo={"base_url": ipinfo.url, "plan": plan},
        alerts={"burst": 100, "per_day": 101},
    )


def nth_time(number: int) -> str:
    """Give a ban's time of its own, so that it is a ban of its own."""
    return f"{TIME + number:.2f}"


async def all_known(daemon: Daemon, count: int) -> None:
    waiting = "SELECT count(enrichment_id) AS known FROM bans"
    await daemon.until(lambda: daemon.rows(waiting)[0]["known"] == count)


async def test_a_bogon_is_a_row_and_not_asked_again(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ask_ipinfo(daemon, ipinfo)
    ipinfo.script("bogon")
    await daemon.start()

    for number in range(3):
        await daemon.ban("192.0.2.1", TIME=nth_time(number))
        await all_known(daemon, number + 1)

    assert ipinfo.paths() == ["/lookup/192.0.2.1"]
    (row,) = daemon.rows("SELECT complete, country_code, raw FROM enrichments")
    assert (row["complete"], row["country_code"]) == (1, None)
    assert '"bogon": true' in row["raw"]


async def test_what_was_refused_is_asked_again_after_a_reload_only(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ask_ipinfo(daemon, ipinfo, plan="plus")
    ipinfo.script("403")
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await daemon.until_sent(1)
    ipinfo.behave()
    daemon.clock.move(hours=100)
    await daemon.ban("192.0.2.2")
    await daemon.until_logged("look-up failed", ip="192.0.2.2")
    assert len(ipinfo.paths()) == 1

    await daemon.reload()

    await all_known(daemon, 2)
    assert sorted(ipinfo.paths()[1:]) == ["/lookup/192.0.2.1", "/lookup/192.0.2.2"]


async def test_an_answer_that_changed_is_known_to_later_bans_only(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ask_ipinfo(daemon, ipinfo)
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await all_known(daemon, 1)
    ipinfo.records["192.0.2.1"] = {**BERLIN, "city": "Utrecht", "country": "NL"}

    daemon.clock.move(days=31)
    await daemon.ban("192.0.2.1", TIME=nth_time(1))
    await all_known(daemon, 2)

    found = [(ban["city"], ban["country_code"]) for ban in daemon.bans()]
    assert found == [("Berlin", "DE"), ("Utrecht", "NL")]


@pytest.mark.parametrize(
    "spellings",
    [
        ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201", "::FFFF:C000:0201"),
        (
            *("2001:db8::1", "2001:DB8::1", "2001:db8:0::0:1"),
            "2001:0db8:0000:0000:0000:0000:0000:0001",
        ),
    ],
    ids=["IPv4", "IPv6"],
)
async def test_an_address_is_one_however_it_is_written(
    daemon: Daemon, ipinfo: FakeIpinfo, spellings: tuple[str, ...]
) -> None:
    ask_ipinfo(daemon, ipinfo, plan="plus")
    await daemon.start()

    for number, ip in enumerate(spellings):
        await daemon.ban(ip, TIME=nth_time(number))

    await all_known(daemon, len(spellings))
    assert ipinfo.paths() == [f"/lookup/{spellings[0]}"]
    assert len(daemon.rows("SELECT id FROM enrichments")) == 1


@pytest.mark.parametrize(("plan", "most"), [("auto", 1), ("plus", 8)])
async def test_a_used_up_quota_is_not_stormed_by_many_bans(
    daemon: Daemon, ipinfo: FakeIpinfo, plan: str, most: int
) -> None:
    """With a plan that is known, those under way at once all meet the limit."""
    ask_ipinfo(daemon, ipinfo, plan=plan)
    ipinfo.script("429-token")
    await daemon.start()

    await asyncio.gather(*(daemon.ban(f"192.0.2.{last}") for last in range(1, 101)))

    await daemon.until_sent(100)
    assert 1 <= len(ipinfo.paths()) <= most


def test_a_token_is_in_no_log_and_no_list_of_processes(
    short_folder: Path, ipinfo: FakeIpinfo
) -> None:
    kept = short_folder / "token"
    kept.write_text(TOKEN)
    kept.chmod(0o600)
    with SmtpServer() as smtp, Lab(short_folder) as lab:
        site = Site(lab, smtp)
        site.start_daemon(
            ipinfo={"base_url": ipinfo.url, "token_file": str(kept)},
            geo={"database": ""},
        )
        assert lab.daemon is not None
        for last, fault in enumerate((None, "wrong-ip", "403"), start=1):
            if fault is not None:
                ipinfo.script(fault, times=1)
            ban(lab, f"192.0.2.{last}")
            site.mails(last)
        process = Path(f"/proc/{lab.daemon.pid}")
        shown = process.joinpath("cmdline").read_bytes()
        shown += process.joinpath("environ").read_bytes()
        lab.stop_daemon()

    assert b"f2b_enrich" in shown
    assert TOKEN.encode() not in shown
    assert "IPinfo refuses the token (HTTP 403)" in lab.daemon_log()
    assert TOKEN not in lab.daemon_log()
    assert all(TOKEN.encode() not in mail.content for mail in smtp.received)
    assert [seen.auth for seen in ipinfo.requests] == ["bearer"] * 3


def ban(lab: Lab, ip: str) -> None:
    spool = lab.root / "spool"
    words = (str(lab.socket), str(spool), "EVENT=ban", "JAIL=sshd", f"IP={ip}")
    subprocess.run((*CLIENT, *words, f"TIME={time.time()}"), check=True)


@pytest.mark.parametrize("name", ["a" * 300, "missing.toml", "folder"])
async def test_a_list_of_scanners_that_cannot_be_read_keeps_the_old_configuration(
    daemon: Daemon, ipinfo: FakeIpinfo, name: str
) -> None:
    ask_ipinfo(daemon, ipinfo)
    await daemon.start()
    (daemon.lab.root / "folder").mkdir()
    own = str(daemon.lab.root / name)
    daemon.configure(ipinfo={"base_url": "http://192.0.2.9"}, enrich={"scanners": own})

    await daemon.reload()

    kept = await daemon.until_logged("configuration kept as it was")
    assert kept["problem"].startswith(f"enrich.scanners: {own}: ")
    await daemon.ban("192.0.2.1")
    await all_known(daemon, 1)
    assert daemon.bans()[0]["city"] == "Berlin"


async def test_a_damaged_database_costs_no_ban(daemon: Daemon) -> None:
    daemon.environ.clear()
    daemon.spans = QUICK
    path = write_lite(daemon.lab.root / "geo.mmdb")
    content = path.read_bytes()
    # Its tree leads back into itself.
    path.write_bytes(content[:300] + b"\0\0\1" + content[303:])
    daemon.configure(geo={"database": str(path)})
    await daemon.start()

    await daemon.ban("192.0.2.1")

    await daemon.until_sent(1)
    reason = (await daemon.until_logged("look-up failed"))["reason"]
    assert reason.startswith(f"{path}: damaged database: ")
