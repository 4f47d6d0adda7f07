"""The jail of a test, when fail2ban refuses or is not there any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from f2b_enrich.health.configured import Action
from f2b_enrich.health.fail2ban import (
    DownError,
    Fail2Ban,
    Fail2BanError,
    RefusedError,
)
from f2b_enrich.health.test_ban_jail import ADDRESSES, JAIL, OwnJail
from f2b_enrich.health.test_ban_traces import Course, alone
from tests.fail2ban_clients import asked, client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOGGED = "!2026-11-22 09:04:49,337 fail2ban [28749]: ERROR   "
DOWN = f"{LOGGED}Unable to contact server. Is it running?"
NO = f"{LOGGED}NOK: ('No space left',)"
NONE = "Status\n|- Number of jail:\t0\n`- Jail list:\t"
ONE = f"Status\n|- Number of jail:\t1\n`- Jail list:\t{JAIL}"
ADD, STOP, UNBAN = f"add {JAIL} polling", f"stop {JAIL}", f"set {JAIL} unbanip"
IP = "192.0.2.1"
LAST = [STOP, ADD, f"{UNBAN} {IP}", STOP]


def own_jail(folder: Path, answers: Mapping[str, str | tuple[str, ...]]) -> OwnJail:
    program = client(folder, answers)
    # Whatever is not told to the contrary is done.
    text = program.read_text().replace("set -- '!not known'", "set -- done")
    program.write_text(text)
    action = Action(name="f2b-enrich", settings=(("actionban", "x"),))
    return OwnJail(
        Fail2Ban((str(program),)), "sshd", action, folder=folder, now=lambda: 0.0
    )


def test_the_address_is_forgotten_after_the_jail_has_stopped(tmp_path: Path) -> None:
    """A ban that comes behind an unban would be made again in the next test."""
    with own_jail(tmp_path, {"status": NONE}).prepared(IP):
        pass

    assert asked(tmp_path)[-4:] == LAST


def test_a_jail_that_could_not_be_made_is_none_to_stop(tmp_path: Path) -> None:
    own = own_jail(tmp_path, {"status": NONE, ADD: NO, STOP: NO})

    with pytest.raises(RefusedError, match="No space left"), own.prepared(IP):
        pass

    assert asked(tmp_path)[-4:] != LAST


def test_a_jail_that_does_not_stop_is_told(tmp_path: Path) -> None:
    own = own_jail(tmp_path, {"status": (NONE, ONE), STOP: NO})

    with (
        pytest.raises(RefusedError, match=r"stop .*No space left"),
        own.prepared(IP),
    ):
        pass

    assert f"{UNBAN} {IP}" not in asked(tmp_path)


def test_a_server_that_went_away_is_told(tmp_path: Path) -> None:
    own = own_jail(tmp_path, {"status": NONE, STOP: DOWN})

    with pytest.raises(DownError), own.prepared(IP):
        pass


def test_what_a_killed_test_had_banned_is_forgotten_before_the_start(
    tmp_path: Path,
) -> None:
    old = tmp_path / f"{JAIL}-old.log"
    old.touch()
    with own_jail(tmp_path, {"status": ONE}).prepared(IP):
        said = asked(tmp_path)
        assert not old.exists()

    assert said.index(STOP) < said.index(ADD)
    assert said[-2:] == [f"{UNBAN} {' '.join(ADDRESSES)}", f"start {JAIL}"]


def test_a_store_without_a_folder_has_no_tests(tmp_path: Path) -> None:
    course = Course(
        ip=IP,
        jail=JAIL,
        jail_is_new=True,
        store=tmp_path / "none" / "bans.db",
        spools=(),
        seconds=1.0,
    )

    with pytest.raises(Fail2BanError, match="none: No such file"), alone(course):
        pass
