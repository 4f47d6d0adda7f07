"""Debian's Postfix takes an alert that it cannot deliver, and gives it back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

from demo.lab import until
from tests.daemons import living
from tests.e2e.test_postfix import postfix  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemons import Daemon
    from tests.e2e.test_postfix import Postfix


def configure(daemon: Daemon, postfix: Postfix, **more: dict[str, object]) -> None:  # noqa: F811
    daemon.configure(
        mail={"recipient": "noc@elsewhere.example.org", "sender": "root@localhost"},
        mail__smtp={"port": postfix.port},
        **more,
    )


async def back(daemon: Daemon, postfix: Postfix) -> None:  # noqa: F811
    """Have an alert taken by Postfix, and come back."""
    # Else it is refused at once, which is no bounce.
    with (postfix.root / "etc" / "main.cf").open("a") as main:
        main.write("smtpd_reject_unlisted_recipient = no\n")
    reload = ("postfix", "-c", str(postfix.root / "etc"), "reload")
    await asyncio.to_thread(subprocess.run, reload, check=True, capture_output=True)
    await daemon.start()
    await daemon.ban()
    await daemon.until_sent(1)
    came = await asyncio.to_thread(until, lambda: bool(postfix.mails()), seconds=60)
    assert came, postfix.log()[-2000:]
    await daemon.stop()


def check(daemon: Daemon) -> None:
    (found,) = daemon.rows("SELECT * FROM bounces")
    assert found["recipient"] == "noc@elsewhere.example.org"
    assert found["status"].startswith("5.")
    assert "nothing leaves this machine" in found["diagnostic"]
    assert daemon.states() == ["sent"]


async def test_the_daemon_finds_it_in_a_maildir(
    short_folder: Path,
    postfix: Postfix,  # noqa: F811
) -> None:
    async with living(short_folder) as daemon:
        maildir = str(postfix.root / "mail" / "root")
        configure(daemon, postfix, bounces={"maildir": maildir})
        await back(daemon, postfix)
        before = sorted((postfix.root / "mail").rglob("*"))
        await daemon.start()
        await daemon.until(lambda: bool(daemon.rows("SELECT * FROM bounces")))
        await daemon.stop()
        check(daemon)
        assert sorted((postfix.root / "mail").rglob("*")) == before


async def test_a_pipe_takes_it(
    short_folder: Path,
    postfix: Postfix,  # noqa: F811
) -> None:
    async with living(short_folder) as daemon:
        configure(daemon, postfix)
        await back(daemon, postfix)
        (file,) = (postfix.root / "mail" / "root" / "new").glob("*")
        command = [sys.executable, "-m", "f2b_enrich", "outbox", "bounce", "-"]
        ran = await asyncio.to_thread(
            subprocess.run,
            [*command, "--db", str(daemon.lab.store)],
            input=file.read_bytes(),
            capture_output=True,
            check=True,
        )
        assert ran.stdout == b"mail 1 came back\n"
        check(daemon)
