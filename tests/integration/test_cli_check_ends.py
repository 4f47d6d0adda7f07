"""How `check` ends: its codes, its first line, and that it does end."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT
from f2b_enrich.health import check_client
from f2b_enrich.health.handing import Handing
from tests.cli import run

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = ("/usr/bin/python3", "-I", "-S")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text('[mail]\nrecipients = "a"\n"a | spool=0" = 1\n')
    return file


def test_a_configuration_that_no_daemon_takes_is_critical(config: Path) -> None:
    ran = run("check", "--config", config)

    *links, last = ran.out.splitlines()
    assert (ran.code, ran.err) == (2, "")
    assert [line.partition("  ")[0] for line in links] == ["CRIT", "CRIT"]
    assert "mail.recipients" in ran.out
    assert "f2b-enrich config check" in ran.out
    assert last == "0 warnings, 2 critical"


def test_a_program_reads_that_too(config: Path) -> None:
    ran = run("check", "--json", "--config", config)

    told = json.loads(ran.out)
    assert (ran.code, ran.err, told["exit_code"]) == (2, "", 2)
    assert {link["name"] for link in told["links"]} == {"config"}
    assert told["figures"]["spool"] is None


def test_a_configuration_that_is_not_for_this_user_is_not_known(
    short_folder: Path, as_nobody: tuple[str, ...]
) -> None:
    config = short_folder / "config.toml"
    config.touch(mode=0o600)

    done = subprocess.run(
        [*as_nobody, sys.executable, "-m", "f2b_enrich", "check", "--config", config],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin", "PYTHONPATH": str(PROJECT)},
    )

    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("?     config  not known: ")


def test_no_words_of_others_look_like_figures(config: Path) -> None:
    ran = run("check", "--config", config)

    assert "a \u00a6 spool=0" in ran.out
    assert "|" not in ran.out


def test_the_summary_can_come_first(config: Path, tmp_path: Path) -> None:
    broken = run("check", "--summary-first", "--config", config)
    sound = tmp_path / "sound.toml"
    sound.write_text(f'store.path = "{tmp_path}/bans.db"\n')
    words = ("check", "--offline", "--summary-first", "--config", sound)
    more = run(*words).out.splitlines()

    assert broken.out.startswith("CRITICAL config: 0 warnings, 2 critical\n")
    assert more[0].startswith("CRITICAL ")
    assert "daemon" in more[0].partition(":")[0]
    assert "geo" not in more[0].partition(":")[0]
    assert " | spool=0" in more[0]
    assert all("|" not in line for line in more[1:])


def test_a_temporary_folder_with_a_long_name_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    client = PROJECT / "f2b_enrich" / "client.py"
    handing = Handing(python=PYTHON, client=client, socket=tmp_path, spool=tmp_path)

    trial = check_client.attempt(handing, seconds=10)

    assert (trial.arrived, trial.said) == (True, "")
    assert list(folder.iterdir()) == []
