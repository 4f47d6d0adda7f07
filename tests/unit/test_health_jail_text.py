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


@pytest.mark.parametrize(
    "text",
    [b"[\xff]\nx = \xff\n[own]\naction = a\n", b"action = a\n", b"[own]\naction\n"],
)
def test_a_file_that_fail2ban_does_not_read_has_no_place(
    etc: Path, text: bytes
) -> None:
    (etc / "jail.local").write_bytes(text)

    assert action_of(etc, "own") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[own]\n  enabled = true\n  action = a\n", 3),
        ("[own]\nAction = a\n", 2),
        ("[own]\naction: a\n   b\n", 2),
        ("  [own]\naction = a\n", 2),
        ("[own] ; mine\naction = a ; b\n", 2),
        ("[x]\ny = 1\n [own]\n[own]\n\naction = a\n", 6),
        ("[own]\naction = a\n[DEFAULT]\naction = b\n[own]\nx = 1\n", 2),
    ],
)
def test_an_option_is_found_in_whatever_form_fail2ban_takes(
    etc: Path, text: str, line: int
) -> None:
    (etc / "jail.local").write_text(text)

    assert str(action_of(etc, "own")) == f"{etc}/jail.local:{line} [own]"


def test_files_that_are_included_are_read_in_their_order(etc: Path) -> None:
    for name, text in {
        "jail.local": "[INCLUDES]\nbefore = a.inc\n  jail.local\nafter = b.inc\n"
        "[own]\naction = local\n[other]\naction = local\n",
        "a.inc": "[own]\naction = a\n[third]\naction = a\n",
        "b.inc": "[INCLUDES]\nbefore = jail.local\n[own]\naction = b\n",
        "b.local": "[fourth]\naction = b\n",
    }.items():
        (etc / name).write_text(text)

    assert {
        jail: str(action_of(etc, jail)) for jail in ("own", "other", "third", "fourth")
    } == {
        "own": f"{etc}/b.inc:4 [own]",
        "other": f"{etc}/jail.local:8 [other]",
        "third": f"{etc}/a.inc:4 [third]",
        "fourth": f"{etc}/b.local:2 [fourth]",
    }


def test_a_file_that_cannot_be_opened_is_passed_over(etc: Path) -> None:
    (etc / "jail.local").symlink_to(etc / "jail.local")

    assert action_of(etc, "own") is None


def test_options_that_call_us_are_found_in_files_of_others(etc: Path) -> None:
    (etc / "jail.local").write_text(
        "[own]\naction = x\n    %(action_f2b_enrich)s\n# f2b-enrich\n"
        "[off]\nlogpath = /var/log/f2b-enrich.log\naction = f2b-enriched\n"
    )
    (etc / "jail.d" / "f2b-enrich.conf").write_text("[a]\naction = f2b-enrich\n")
    (etc / "jail.d" / "y.local").write_text(
        "[INCLUDES]\nbefore = ../z.inc\n[a]\naction = f2b-enrich.py[x=y]\n"
    )
    (etc / "z.inc").write_text("[b]\naction = x\n    f2b-enrich\n")

    assert [str(place) for place in naming_us(etc)] == [
        f"{etc}/jail.local:2 [own]",
        f"{etc}/jail.d/../z.inc:2 [b]",
        f"{etc}/jail.d/y.local:4 [a]",
    ]
