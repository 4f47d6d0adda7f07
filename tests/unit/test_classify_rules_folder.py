"""An administrator's rules come from a folder, and what is wrong is said at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.classify.classifier import Classifier
from f2b_enrich.classify.rules import RuleError, shipped
from f2b_enrich.classify.rules_folder import MOST_BYTES, load_folder

if TYPE_CHECKING:
    from pathlib import Path

RULE = """
[[rule]]
name = "{}"
attack = "port-scan"
pattern = 'sshd'
example = 'sshd'
"""


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, "utf-8")


def problems(folder: Path) -> tuple[str, ...]:
    with pytest.raises(RuleError) as caught:
        load_folder(folder)
    assert "\n" not in str(caught.value)
    return caught.value.problems


def test_a_folder_that_is_not_there_has_no_rules(tmp_path: Path) -> None:
    assert load_folder(tmp_path / "rules.d") == ()
    assert load_folder(tmp_path) == ()


def test_files_are_read_in_order_and_others_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "20-b.toml", RULE.format("b"))
    write(tmp_path, "10-a.toml", RULE.format("z") + RULE.format("a"))
    write(tmp_path, ".hidden.toml", "[")
    write(tmp_path, "notes.txt", "[")

    assert [rule.name for rule in load_folder(tmp_path)] == ["z", "a", "b"]


def test_own_rules_go_before_the_shipped_ones(tmp_path: Path) -> None:
    write(tmp_path, "own.toml", RULE.format("own"))
    line = "Nov 21 20:13:22 host sshd[7]: Invalid user a from 192.0.2.7 port 9"

    reader = Classifier((*load_folder(tmp_path), *shipped()))

    assert reader.classify([line], jail="sshd")[0].rules == ("own",)


def test_all_problems_of_all_files_are_said(tmp_path: Path) -> None:
    write(tmp_path, "1.toml", RULE.format("a"))
    write(tmp_path, "2.toml", RULE.format("a").replace("port-scan", "scan"))
    write(tmp_path, "3.toml", RULE.format("a"))
    write(tmp_path, "4.toml", "[")
    (tmp_path / "5.toml").write_bytes(b"\xff")
    (tmp_path / "6.toml").mkdir()
    (tmp_path / "7.toml").write_bytes(b"#" * (MOST_BYTES + 1))
    os.mkfifo(tmp_path / "8.toml")
    (tmp_path / "9.toml").symlink_to("/dev/zero")

    found = problems(tmp_path)

    assert found[:2] == (
        f"{tmp_path}/2.toml: rule 'a': attack: "
        "'scan' is no class of attack, such as 'other'",
        f"{tmp_path}/3.toml: rule 'a': the name is taken",
    )
    assert found[2].startswith(f"{tmp_path}/4.toml: ")
    assert found[3].startswith(f"{tmp_path}/5.toml: 'utf-8' codec can't decode")
    assert found[4:] == (
        f"{tmp_path}/6.toml: Is a directory",
        f"{tmp_path}/7.toml: it has more than 1 MiB",
        f"{tmp_path}/8.toml: it is no regular file",
        f"{tmp_path}/9.toml: it is no regular file",
    )


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "rules.d", "")

    assert problems(tmp_path / "rules.d") == (f"{tmp_path}/rules.d: Not a directory",)
