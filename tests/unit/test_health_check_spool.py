"""A spool that takes no more, and one that will not for long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from f2b_enrich import handover
from f2b_enrich.health import check_spool
from f2b_enrich.health.check_process import Account
from f2b_enrich.health.check_spool import SpoolFacts

FIRST = SpoolFacts(folder=Path("/var/spool/x"))
SECOND = SpoolFacts(folder=Path("/run/x/spool"))


def told(first: SpoolFacts, second: SpoolFacts = SECOND, lost: int = 0) -> list[str]:
    found = check_spool.links(first, second, lost=lost)
    return [f"{link.level}  {link}" for link in found]


def test_the_limits_are_those_of_the_clients() -> None:
    limits = (check_spool.MOST_FILES, check_spool.MOST_BYTES)
    assert limits == (handover.MAX_FILES, handover.MAX_BYTES)


def test_a_spool_is_full_when_clients_find_it_so(tmp_path: Path) -> None:
    size = check_spool.MOST_BYTES - 1
    (tmp_path / f"1-1-{size}.ban").touch()
    (tmp_path / "odd").touch()
    almost = check_spool.look(tmp_path, now=0)
    (tmp_path / "2-1-1.tmp").touch()
    full = check_spool.look(tmp_path, now=0)

    assert told(almost) == ["ok  1 waiting"]
    (line,) = told(full)
    assert line.startswith(f"CRIT  {tmp_path} is full, with 3 files of 268 MB (limits ")
    with pytest.raises(OSError, match="spool is full"):
        handover.leave(  # type: ignore[no-untyped-call]
            str(tmp_path), b"x", check_spool.MOST_FILES, check_spool.MOST_BYTES
        )


def test_too_many_files_are_as_bad() -> None:
    (line,) = told(replace(FIRST, names=50_000))
    (second,) = told(FIRST, replace(SECOND, names=6_250))

    assert "is full, with 50,000 files of 0 B (limits 50,000 and 268 MB)" in line
    assert second.startswith("CRIT  /run/x/spool is full")


def test_lost_bans_are_critical_until_somebody_has_seen_it() -> None:
    (line,) = told(FIRST, lost=2)

    assert line.startswith("CRIT  2 events found neither daemon nor spool")
    assert line.endswith("; then rm /run/x/lost")


def test_a_disk_that_fills_up_is_told_before_bans_get_lost() -> None:
    (little,) = told(replace(FIRST, free_bytes=200_000_000))
    (none,) = told(replace(FIRST, free_bytes=1_000_000))

    assert little.startswith("WARN  200 MB free on the disk of /var/spool/x, a full")
    assert "ReadWritePaths=" in little
    assert none.startswith("CRIT  1 MB free")


def test_the_second_spool_may_be_missing_and_nothing_else() -> None:
    missing = replace(SECOND, trouble="is not there")

    assert told(FIRST, missing) == ["ok  empty, writable"]
    assert told(FIRST, replace(SECOND, trouble="is no folder"))[0].startswith("CRIT")


def test_a_disk_that_is_read_only_is_no_matter_of_modes() -> None:
    trouble = "is on a disk that is mounted read-only"
    (line,) = told(replace(FIRST, trouble=trouble))

    assert line.endswith("(dmesg)")


def test_what_the_daemon_reads_of_its_own_folder_is_enough(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    found = tmp_path.stat()
    member = Account(user=4711, groups=frozenset({found.st_gid}))
    stranger = Account(user=4711, groups=frozenset({4711}))
    root = Account(user=0, groups=frozenset({0}))

    def trouble(account: Account) -> str | None:
        return check_spool.look(tmp_path, now=0, account=account).trouble

    assert trouble(member) is None
    assert trouble(root) is None
    assert trouble(stranger) == "cannot be emptied by user 4711, the daemon's"
    tmp_path.chmod(0o777)
    assert trouble(root) is None
    assert "of a group that user 4711" in (trouble(stranger) or "")
