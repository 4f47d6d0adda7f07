"""The lines of jail files that an administrator is sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from f2b_enrich.health.jail_text import Place, action_of, naming_us

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "jail.d").mkdir()
    return tmp_path


def test_the_last_file_wins_and_the_own_section_before_all(etc: Path) -> None:
    for name, text in {
        "jail.conf": "[DEFAULT]\n\naction = a\n[own]\naction=b\n",
        "jail.d/x.conf": "[DEFAULT]\n# action = c\naction : c\n",
        "jail.local": "[DEFAULT]\nbanaction = d\n action = no option\n",
        "jail.d/f2b-enrich.conf": "[DEFAULT]\naction = ours\n",
        "jail.d/readme.txt": "[DEFAULT]\naction = e\n",
    }.items():
        (etc / name).write_text(text)

    found = action_of(etc, "sshd")

    assert found == Place(path=etc / "jail.d" / "x.conf", line=3, section="DEFAULT")
    assert str(action_of(etc, "own")) == f"{etc}/jail.conf:5 [own]"


def test_without_any_file_there_is_no_place(etc: Path) -> None:
    (etc / "jail.local").mkdir()

    assert action_of(etc, "sshd") is None
    assert action_of(etc / "none", "sshd") is None
    assert naming_us(etc) == ()


def test_bytes_that_are_no_text_hide_no_line(etc: Path) -> None:
    (etc / "jail.local").write_bytes(b"[\xff]\nx = \xff\xfe\n[own]\naction = a\n")

    assert str(action_of(etc, "own")).endswith("jail.local:4 [own]")


def test_a_file_that_cannot_be_opened_is_passed_over(etc: Path) -> None:
    (etc / "jail.local").symlink_to(etc / "jail.local")

    assert action_of(etc, "own") is None


def test_lines_that_name_us_are_found_in_files_of_others(etc: Path) -> None:
    (etc / "jail.local").write_text(
        "[own]\naction = x\n    %(action_f2b_enrich)s\n# f2b-enrich\n"
    )
    (etc / "jail.d" / "f2b-enrich.conf").write_text("action_f2b_enrich = f2b-enrich\n")
    (etc / "jail.d" / "y.local").write_text("[a]\naction = f2b-enrich.py[x=y]\n")

    assert [str(place) for place in naming_us(etc)] == [
        f"{etc}/jail.local:3 [own]",
        f"{etc}/jail.d/y.local:2 [a]",
    ]
