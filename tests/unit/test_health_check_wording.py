"""What each look makes of what it found, where no real program is needed for it."""

from __future__ import annotations

import shlex
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from f2b_enrich.health import (
    check_banned,
    check_clock,
    check_daemon,
    check_fail2ban,
    check_jails,
    check_spool,
    check_store,
)
from f2b_enrich.health.check_daemon import Answer, SocketFacts
from f2b_enrich.health.check_fail2ban import Fail2BanFacts
from f2b_enrich.health.check_spool import SpoolFacts
from f2b_enrich.health.check_store import StoreFacts
from f2b_enrich.health.fail2ban import (
    DeniedError,
    DownError,
    Fail2BanError,
    MissingError,
    RefusedError,
    SilentError,
)
from f2b_enrich.health.handing import STOCK
from f2b_enrich.health.links import Level
from f2b_enrich.health.sizes import size_text
from f2b_enrich.model import Relation
from f2b_enrich.store.soundness import BannedAddress

SOCKET, SPOOL = Path("/run/x.sock"), Path("/var/spool/x")
STORE = Path("/var/lib/x/bans.db")


@pytest.mark.parametrize(
    ("trouble", "level", "cure"),
    [
        (MissingError("fail2ban-client: there is no such program"), "CRIT", "install"),
        (DownError("fail2ban does not run"), "CRIT", "systemctl start fail2ban"),
        (SilentError("fail2ban does not answer"), "CRIT", "systemctl restart"),
        (DeniedError("fail2ban answers nobody but root"), "?", ""),
        (RefusedError("status", "odd"), "CRIT", "fail2ban-client -t"),
    ],
)
def test_why_fail2ban_is_silent_is_told_apart(
    trouble: Fail2BanError, level: str, cure: str
) -> None:
    (link,) = check_fail2ban.links(Fail2BanFacts(trouble=trouble))

    assert link.level == level
    assert cure in link.cure


def test_a_mistake_that_is_not_a_missing_log_is_told_as_it_is() -> None:
    facts = Fail2BanFacts(version="1.0.2", mistake="No section: 'x'")

    (link,) = check_fail2ban.links(facts)

    assert link.level is Level.WARN
    assert "would not start again: No section: 'x'" in link.text
    assert "fail2ban-client -t" in link.cure


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (Answer.DENIED, Level.UNKNOWN),
        (Answer.NOT_THIS_USER, Level.UNKNOWN),
        (Answer.ODD, Level.CRIT),
        (Answer.HUNG_UP, Level.OK),
    ],
)
def test_what_a_user_may_not_see_of_the_daemon_is_not_known(
    answer: Answer, level: Level
) -> None:
    facts = SocketFacts(path=SOCKET, answer=answer, said="hello")

    (link,) = check_daemon.links(facts, owners=frozenset({0}), is_outdated=None)

    assert link.level is level


def test_a_daemon_that_is_busy_is_no_stranger(short_folder: Path) -> None:
    path = short_folder / "x.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        refusal = threading.Thread(target=_refuse, args=(listener,))
        refusal.start()
        facts = check_daemon.look(path, seconds=5)
        refusal.join()

    (link,) = check_daemon.links(facts, owners=frozenset({0}), is_outdated=None)

    assert link.level is Level.WARN
    assert link.text == "it answers: error over 256 connections at once"


def _refuse(listener: socket.socket) -> None:
    peer, _ = listener.accept()
    with peer:
        peer.sendall(b"error over 256 connections at once\n")


@pytest.mark.parametrize(
    ("state", "level", "cure"),
    [
        ("inactive", Level.WARN, "systemctl reset-failed"),
        ("failed", Level.CRIT, "systemctl reset-failed"),
        ("activating", Level.WARN, "journalctl"),
    ],
)
def test_a_daemon_that_sleeps_is_not_woken(
    short_folder: Path, state: str, level: Level, cure: str
) -> None:
    path = short_folder / "x.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(0)

        facts = check_daemon.look(path, seconds=5, waiting=lambda _: state)

        with pytest.raises(BlockingIOError):
            listener.accept()
    (link,) = check_daemon.links(facts, owners=frozenset({0}), is_outdated=None)

    assert link.level is level
    assert link.cure.startswith(cure)


def test_a_daemon_older_than_its_program_is_to_be_restarted() -> None:
    facts = SocketFacts(path=SOCKET, answer=Answer.HUNG_UP, owner=0)

    (old,) = check_daemon.links(facts, owners=frozenset({0}), is_outdated=True)
    (new,) = check_daemon.links(facts, owners=frozenset({0}), is_outdated=False)

    assert (old.level, old.cure) == (Level.WARN, "systemctl restart f2b-enrich")
    assert new.text == "of this version; answers on /run/x.sock"


@pytest.mark.parametrize(
    ("synchronised", "level"),
    [(True, Level.OK), (False, Level.WARN), (None, Level.UNKNOWN)],
)
def test_the_clock_is_as_the_kernel_says(
    *, synchronised: bool | None, level: Level
) -> None:
    (link,) = check_clock.links(synchronised=synchronised)

    assert link.level is level


def test_the_kernel_can_be_asked_for_its_clock() -> None:
    assert check_clock.is_synchronised() in {True, False, None}


def test_a_store_on_a_disk_that_fills_up_is_told_before_it_is_full() -> None:
    facts = StoreFacts(path=STORE, free_bytes=400_000_000)

    well, little = check_store.links(facts)
    _, none = check_store.links(replace(facts, free_bytes=1_000_000))

    assert well.text == "writable, quick_check ok, 400 MB free"
    assert (little.level, none.level) == (Level.WARN, Level.CRIT)
    assert "1 MB free on the disk of /var/lib/x, the limit is 50 MB" in none.text
    assert "store.path" in none.cure


def test_a_store_that_this_user_may_not_open_is_not_known() -> None:
    denied = StoreFacts(path=STORE, is_denied=True, problem="Permission denied")
    reader = StoreFacts(path=STORE, writes_known=False, unchecked=True)

    (closed,) = check_store.links(denied)
    (read,) = check_store.links(reader)

    assert closed.level is Level.UNKNOWN
    assert read.text == (
        "whether the daemon can write is not known to this user, "
        "too large to check whole now"
    )


def test_what_is_wrong_inside_the_store_is_told() -> None:
    (damaged,) = check_store.links(StoreFacts(path=STORE, fault="row 7 missing"))
    (locked,) = check_store.links(StoreFacts(path=STORE, refusal="database is locked"))
    (odd,) = check_store.links(StoreFacts(path=STORE, problem="no idea"))

    assert "is damaged: row 7 missing" in damaged.text
    assert "takes no writes: database is locked" in locked.text
    assert "fuser" in locked.cure
    assert "journalctl" in odd.cure


def test_a_spool_that_this_user_may_not_see_is_not_known() -> None:
    hidden = SpoolFacts(folder=SPOOL, trouble="Permission denied", denied=True)

    (link,) = check_spool.links(hidden, SpoolFacts(folder=SPOOL), lost=0)

    assert link.level is Level.UNKNOWN


def test_files_that_wait_for_a_moment_are_no_trouble() -> None:
    first = SpoolFacts(folder=SPOOL, files=3, oldest_seconds=2.0)

    (link,) = check_spool.links(first, SpoolFacts(folder=SPOOL), lost=0)

    assert (link.level, link.text) == (Level.OK, "3 waiting")


def jail_links(facts: Fail2BanFacts, folder: Path) -> list[str]:
    found = check_jails.links(facts, folder=folder, socket=SOCKET, spool=SPOOL)
    return [f"{link.level}  {link}" for link in found]


def test_a_server_without_jails_is_told(tmp_path: Path) -> None:
    (told,) = jail_links(Fail2BanFacts(version="1.0.2"), tmp_path)

    assert told.startswith("WARN  no jail runs")


def test_fail2bans_own_file_is_not_to_be_changed(tmp_path: Path) -> None:
    (tmp_path / "jail.conf").write_text("[pass]\naction = x\n")
    facts = Fail2BanFacts(
        version="1.0.2",
        running={"pass": ("x",), "sshd": ("f2b-enrich",)},
        configured=frozenset({"sshd"}),
    )

    _, told = jail_links(facts, tmp_path)

    assert f"pass lacks our action: own 'action =' in {tmp_path}/jail.conf:2" in told
    assert 'copy it to [pass] of jail.local and append "%(action_f2b' in told


def test_many_jails_are_counted_and_a_reason_is_told_once(tmp_path: Path) -> None:
    facts = Fail2BanFacts(
        version="1.0.2", running={f"jail{n}\x1b[31m": () for n in range(1, 9)}
    )

    (told,) = jail_links(facts, tmp_path)

    assert told.startswith("CRIT  jail1")
    assert "and 3 more lack our action: the configuration gives it none" in told
    assert "\x1b" not in told


def test_a_path_by_another_name_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "var").symlink_to(tmp_path / "run")
    there = replace(STOCK, socket=tmp_path / "var" / "x.sock", spool=SPOOL)
    facts = Fail2BanFacts(trouble=DownError("down"), handings={"sshd": there})

    found = check_jails.links(
        facts, folder=tmp_path, socket=tmp_path / "run" / "x.sock", spool=SPOOL
    )
    elsewhere = check_jails.links(facts, folder=tmp_path, socket=SOCKET, spool=SPOOL)

    assert list(found) == []
    assert [link.level for link in elsewhere] == [Level.CRIT]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (999_600, "1 MB"),
        (212_000_000, "212 MB"),
        (61_400_000_000, "61.4 GB"),
        (2_500_000_000_000, "2.5 TB"),
        (50_000_000_000_000, "50 TB"),
    ],
)
def test_sizes_have_three_digits_at_most(count: int, text: str) -> None:
    assert size_text(count) == text


def test_jails_that_report_from_inside_fail2ban_run_no_client() -> None:
    inside = Fail2BanFacts(version="1", running={"sshd": ("f2b-enrich",)})
    none = Fail2BanFacts(version="1", running={"sshd": ()})

    assert inside.inside_only
    assert not none.inside_only


@pytest.mark.parametrize("kind", ["cdn", "crawler", "own"])
def test_whose_ban_hurts_gets_a_cure_of_its_own(
    kind: Literal["cdn", "crawler", "own"],
) -> None:
    address = BannedAddress(
        ip="192.0.2.7", jail="web", hostname=None, hostname_confirmed=None
    )

    link = check_banned.hit(address, Relation(kind=kind, name="X", why="a list"))

    words = {"cdn": "visitors", "crawler": "be found", "own": "ignoreip"}
    assert link.text == "192.0.2.7, banned by web, is X (a list)"
    assert "fail2ban-client set web unbanip 192.0.2.7" in link.cure
    assert words[kind] in link.cure


def test_a_cure_runs_nothing_that_a_jails_name_says() -> None:
    address = BannedAddress(
        ip="$(id)", jail="sshd; reboot #", hostname=None, hostname_confirmed=None
    )

    link = check_banned.hit(address, Relation(kind="own", name="X", why="a list"))

    command, _, _ = link.cure.rpartition("; ")
    words = ["fail2ban-client", "set", "sshd; reboot #", "unbanip", "$(id)"]
    assert shlex.split(command) == words


def test_a_damaged_store_is_moved_with_all_that_belongs_to_it() -> None:
    (link,) = check_store.links(StoreFacts(path=STORE, fault="row 7 missing"))

    assert link.cure == (
        "systemctl stop f2b-enrich.socket f2b-enrich; "
        "move /var/lib/x/bans.db away, with bans.db-wal and bans.db-shm; "
        "restore it from a backup, chown --reference=/var/lib/x /var/lib/x/bans.db; "
        "systemctl reset-failed f2b-enrich f2b-enrich.socket; "
        "systemctl restart f2b-enrich.socket f2b-enrich"
    )


def test_a_spool_that_cannot_be_looked_into_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    too_long = tmp_path / ("x" * 300)

    facts = check_spool.look(too_long, now=0)
    below = check_spool.look(tmp_path / "file" / "spool", now=0)

    assert (facts.denied, facts.trouble) == (True, "File name too long")
    assert (below.denied, below.trouble) == (False, "is not there")
