"""What `check` says of a mailbox that is watched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.health.check_mailbox import HOMES, SERVICE, TIMER, links
from f2b_enrich.health.check_process import Account
from f2b_enrich.health.links import Level

if TYPE_CHECKING:
    from f2b_enrich.health.links import Link

STRANGER = Account(user=64321, groups=frozenset({64321}))


@pytest.fixture
def maildir(short_folder: Path) -> Path:
    short_folder.chmod(0o755)
    maildir = short_folder / "Maildir"
    for part in ("new", "cur"):
        (maildir / part).mkdir(parents=True)
    return maildir


def look(
    path: Path | None,
    *,
    account: Account | None = None,
    timer: str | None = "active",
    result: str = "success",
    protected: str = "yes",
    homes: tuple[Path, ...] = HOMES,
) -> Link:
    units: dict[str, dict[str, str]] = {}
    if timer is not None:
        units = {
            TIMER: {"ActiveState": timer},
            SERVICE: {"Result": result, "ProtectHome": protected},
        }
    (link,) = links(path, account=account, shown=lambda *_: units, homes=homes)
    return link


def test_without_a_mailbox_nothing_is_said() -> None:
    assert list(links(None, account=None)) == []


def test_one_that_is_read_is_well(maildir: Path) -> None:
    link = look(maildir, account=STRANGER)

    assert (link.level, link.text) == (
        Level.OK,
        f"{maildir} is read every five minutes",
    )
    assert look(maildir, timer=None).text.endswith("without systemd cron has it read")


def test_a_timer_that_does_not_run_is_told(maildir: Path) -> None:
    link = look(maildir, timer="inactive")

    assert link.level == Level.WARN
    assert str(link) == (
        f"{maildir} is set, and no timer has it read; systemctl enable --now {TIMER}"
    )


def test_a_failed_reading_is_told(maildir: Path) -> None:
    link = look(maildir, result="exit-code")

    assert link.level == Level.WARN
    assert f"the last reading of {maildir} failed (exit-code)" in str(link)


@pytest.mark.parametrize("closed", ["", "new", "cur"])
def test_what_keeps_the_user_out_is_named(maildir: Path, closed: str) -> None:
    (maildir / closed).chmod(0o700)

    link = look(maildir, account=STRANGER)

    assert link.level == Level.WARN
    folder = maildir / closed if closed else maildir
    assert link.text == f"{folder} cannot be read by 64321"
    # Who owns it may.
    owner = Account(user=os.geteuid(), groups=frozenset())
    assert look(maildir, account=owner).level == Level.OK


def test_what_is_no_maildir_is_told(maildir: Path) -> None:
    (maildir / "cur").rmdir()
    assert look(maildir).text == f"{maildir} is no Maildir: it has no folder cur"
    assert "No such file" in look(maildir / "nowhere").text


@pytest.mark.parametrize(
    ("protected", "level"),
    [("yes", Level.WARN), ("tmpfs", Level.WARN), ("read-only", Level.OK)],
)
def test_a_home_is_hidden_from_the_unit(
    maildir: Path, protected: str, level: Level
) -> None:
    link = look(maildir, protected=protected, homes=(maildir.parent,))

    assert link.level == level
    is_told = f"{maildir} is hidden from {SERVICE} (ProtectHome=)" in str(link)
    assert is_told == (level == Level.WARN)
