"""Whether a jail is in the middle of a ban, read from /proc."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from f2b_enrich.health.quiet import LIMIT_SECONDS, wait_until_quiet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PID = 7


class Proc:
    """A /proc that changes at each pause, and a clock that goes on by a second."""

    def __init__(self, folder: Path, looks: list[dict[str, str]]) -> None:
        self.folder = folder
        self.seconds = 0
        self._looks = looks
        self.lay_out()

    def lay_out(self) -> None:
        threads = self._looks[min(self.seconds, len(self._looks) - 1)]
        for number, (name, children) in enumerate(threads.items()):
            task = self.folder / str(PID) / "task" / str(number)
            task.mkdir(parents=True, exist_ok=True)
            (task / "comm").write_bytes(name.encode("utf-8", "surrogateescape") + b"\n")
            (task / "children").write_text(children)

    def pause(self) -> None:
        self.seconds += 1
        self.lay_out()

    def wait(self, jail: str) -> bool:
        return wait_until_quiet(
            PID,
            jail,
            elapsed=lambda: float(self.seconds),
            pause=self.pause,
            proc=self.folder,
        )


@pytest.fixture
def proc(tmp_path: Path) -> Callable[[list[dict[str, str]]], Proc]:
    return lambda looks: Proc(tmp_path, looks)


BUSY = {"fail2ban-server": "", "f2b/a.sshd": "812 "}
CALM = {"fail2ban-server": "", "f2b/a.sshd": ""}


@pytest.mark.parametrize(
    ("looks", "seconds"),
    [
        ([CALM], 3),
        ([BUSY, BUSY, CALM], 5),
        ([BUSY, CALM, CALM, BUSY, CALM], 7),
        ([{**CALM, "f2b/a.other": "9 "}], 3),
    ],
)
def test_a_jail_is_quiet_after_some_looks_without_a_process(
    proc: Callable[[list[dict[str, str]]], Proc],
    looks: list[dict[str, str]],
    seconds: int,
) -> None:
    found = proc(looks)

    assert found.wait("sshd")
    assert found.seconds == seconds


def test_the_wait_has_an_end(
    proc: Callable[[list[dict[str, str]]], Proc],
) -> None:
    found = proc([BUSY])

    assert not found.wait("sshd")
    assert found.seconds == LIMIT_SECONDS


def test_a_long_name_is_cut_as_linux_does(
    proc: Callable[[list[dict[str, str]]], Proc],
) -> None:
    assert not proc([{"f2b/a.nginx-htt": "1"}]).wait("nginx-http-auth")


def test_a_name_is_cut_in_the_middle_of_a_letter(
    proc: Callable[[list[dict[str, str]]], Proc],
) -> None:
    cut = "f2b/a.apache-bö".encode()[:15].decode("utf-8", "surrogateescape")

    assert not proc([{cut: "1"}]).wait("apache-böse")
    assert proc([{cut: "1", "f2b/a.sshd": ""}]).wait("sshd")


def test_threads_without_names_count_all(
    proc: Callable[[list[dict[str, str]]], Proc],
) -> None:
    assert not proc([{"fail2ban-server": "1"}]).wait("sshd")


def test_a_server_that_is_gone_is_quiet(tmp_path: Path) -> None:
    (tmp_path / str(PID) / "task" / "9").mkdir(parents=True)
    assert Proc(tmp_path, [{}]).wait("sshd")
    assert Proc(tmp_path / "none", [{}]).wait("sshd")
    (tmp_path / "file" / str(PID)).mkdir(parents=True)
    (tmp_path / "file" / str(PID) / "task").touch()
    assert wait_until_quiet(
        PID, "sshd", elapsed=lambda: 0.0, pause=lambda: None, proc=tmp_path / "file"
    )
