"""A Maildir whose owner moves and exchanges mails while they are read."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.intake import portions
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.reading_mailboxes import MaildirJob, read_maildir
from tests.old_mails import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from f2b_enrich.intake.portions import Portion


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for part in ("new", "cur"):
        (tmp_path / part).mkdir()
    for number in (1, 2, 3):
        body = f"The IP 192.0.2.{number} has just been banned after\n6 attempts\n"
        text = report(f"[Fail2Ban] ssh: banned 192.0.2.{number}", body)
        (tmp_path / "new" / str(number)).write_text(text)
    return tmp_path


@pytest.fixture(autouse=True)
def _one_mail_a_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "MOST_READ", 1)


def reading(
    maildir: Path, reached: Mapping[str, Any] | None = None
) -> Iterator[Portion]:
    (maildir / "clock").touch()
    now = datetime.fromtimestamp((maildir / "clock").stat().st_ctime + 1, tz=UTC)
    names = Names(host="hub.example")
    return read_maildir(MaildirJob(path=maildir, names=names, now=now, reached=reached))


def told(found: Iterable[Portion]) -> tuple[Counter[str], list[str], Mapping[str, Any]]:
    """Give what was counted, what was wrong, and where it ended."""
    counts: Counter[str] = Counter()
    problems: list[str] = []
    place: Mapping[str, Any] = {}
    for portion in found:
        counts += portion.counts
        problems += portion.problems.lines()
        for step in portion.steps:
            place = step.place
    return counts, problems, place


def test_what_its_reader_has_seen_meanwhile_is_read_the_next_time(
    maildir: Path,
) -> None:
    found = reading(maildir)
    first = next(found)
    for number in (1, 2, 3):
        (maildir / "new" / str(number)).rename(maildir / "cur" / f"{number}:2,S")

    rest, problems, place = told(found)
    later, _, place = told(reading(maildir, place))
    last, _, _ = told(reading(maildir, place))

    assert (first.counts["records-ban"], problems) == (1, [])
    assert [each["records-ban"] for each in (rest, later, last)] == [0, 2, 0]


def test_what_was_deleted_meanwhile_is_passed_over(maildir: Path) -> None:
    found = reading(maildir)
    next(found)
    for path in (maildir / "new").iterdir():
        path.unlink()

    _, problems, place = told(found)

    assert problems == []
    assert told(reading(maildir, place))[0]["records-ban"] == 0


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_takes_the_place_of_a_mail_is_neither_waited_for_nor_followed(
    maildir: Path, kind: str
) -> None:
    found = reading(maildir)
    first = next(found)
    mail = maildir / "new" / "3"
    other = mail.rename(maildir / "elsewhere")
    if kind == "pipe":
        os.mkfifo(mail)
    elif kind == "link":
        mail.symlink_to(other)
    else:
        mail.mkdir()

    rest, problems, _ = told(found)

    assert (first.counts + rest)["records-ban"] == 2
    assert problems == [f"{mail}: is no file"]
