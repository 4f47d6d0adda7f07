"""systemd is told what sd_notify(3) asks for, over a real datagram socket."""

from __future__ import annotations

import re
import socket
import time
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.daemon.notify import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def systemd(short_folder: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(20)
        channel.bind(str(short_folder / "notify"))
        yield channel


def test_each_change_is_one_message(systemd: socket.socket) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": systemd.getsockname()})
    notifier.ready()
    notifier.alive()
    notifier.stopping()
    received = [systemd.recv(100) for _ in range(3)]
    assert received == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_reloading_carries_the_moment_on_systemds_clock(
    systemd: socket.socket,
) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": systemd.getsockname()})
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notifier.reloading()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    told = re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=(\d+)", systemd.recv(100))
    assert told is not None
    assert before <= int(told[1]) <= after


def test_an_abstract_address_begins_with_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(20)
        channel.bind("")  # the kernel picks an abstract one
        name = channel.getsockname().decode()
        Notifier.from_environment({"NOTIFY_SOCKET": "@" + name[1:]}).ready()
        assert channel.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}])
def test_without_systemd_nothing_is_told(environ: dict[str, str]) -> None:
    notifier = Notifier.from_environment(environ)
    assert notifier == Notifier(address=None, watchdog_seconds=None)
    notifier.ready()


@pytest.mark.parametrize("address", ["/nonexistent/notify", "x" * 200, "vsock:2:1"])
def test_a_supervisor_that_is_not_there_is_no_error(address: str) -> None:
    Notifier.from_environment({"NOTIFY_SOCKET": address}).ready()


@pytest.mark.parametrize(
    ("span", "seconds"),
    [("30000000", 30.0), ("500000", 0.5), ("0", None), ("", None), ("soon", None)],
)
def test_the_watchdogs_span_is_in_microseconds(
    span: str, seconds: float | None
) -> None:
    assert Notifier.from_environment({"WATCHDOG_USEC": span}).watchdog_seconds == (
        seconds
    )
