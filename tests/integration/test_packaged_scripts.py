"""The shell scripts of packaging/: they speak when Python cannot."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGING = PROJECT / "packaging"
ENVIRONMENT = Path("opt/f2b-enrich")


def run(*words: str | Path, **environ: str) -> str:
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environ},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder that stands for /, with an environment and the program in it."""
    environment = tmp_path / ENVIRONMENT
    command = ("/usr/bin/python3", "-m", "venv", "--without-pip", environment)
    run(*command)
    (packages,) = environment.glob("lib/python3.*/site-packages")
    (packages / "f2b_enrich").mkdir()
    (packages / "f2b_enrich" / "__init__.py").touch()
    (environment / "bin" / "f2b-enrich").write_text(
        "import os, sys\n"
        "print(sys.prefix, sys.argv[1:], os.environ.get('CREDENTIALS_DIRECTORY'))\n"
    )
    return tmp_path


def script(place: Path, name: str) -> Path:
    """Copy a script of packaging/ that looks below `place`."""
    text = (PACKAGING / name).read_text("utf-8")
    text = re.sub(
        r"^(\w+=)(/(?:opt|etc|var|usr)/)",
        rf"\1{place}\2",
        text,
        flags=re.MULTILINE,
    )
    copy = place / name
    copy.write_text(text, "utf-8")
    return copy


def test_the_wrapper_runs_the_program_in_its_environment(place: Path) -> None:
    said = run("sh", script(place, "f2b-enrich"), "show", "two words", "*")
    prefix, _, rest = said.partition(" ")
    assert prefix == str(place / ENVIRONMENT)
    secrets = place / "etc" / "f2b-enrich" if os.geteuid() == 0 else None
    assert rest == f"['show', 'two words', '*'] {secrets}\n"


def test_the_wrapper_leaves_the_credentials_of_systemd(place: Path) -> None:
    wrapper = script(place, "f2b-enrich")
    said = run("sh", wrapper, CREDENTIALS_DIRECTORY="/run/credentials/x")
    assert said.endswith("[] /run/credentials/x\n")


def gone(environment: Path) -> None:
    (environment / "bin" / "python3").unlink()
    (environment / "bin" / "python3").symlink_to("/usr/bin/python3.0")


def another_version(environment: Path) -> None:
    (packages,) = environment.glob("lib/python3.*")
    packages.rename(packages.with_name("python3.0"))


def broken(environment: Path) -> None:
    (environment / "bin" / "python3").unlink()
    (environment / "bin" / "python3").write_text("#!/nowhere/python3\n")
    (environment / "bin" / "python3").chmod(0o755)


def not_whole(environment: Path) -> None:
    (environment / "bin" / "f2b-enrich").unlink()


def removed(environment: Path) -> None:
    shutil.rmtree(environment)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (gone, "is gone"),
        (removed, "is gone"),
        (broken, "the broken one of today"),
        (another_version, "was made with another Python than the python3."),
        (not_whole, "is not whole"),
    ],
)
def test_the_wrapper_names_what_is_wrong_in_one_line(
    place: Path, harm: Callable[[Path], None], said: str
) -> None:
    harm(place / ENVIRONMENT)
    wrapper = script(place, "f2b-enrich")
    done = subprocess.run(
        ["sh", wrapper, "status"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("f2b-enrich: ")
    assert said in line
    assert line.endswith("run install.sh again")


def test_a_monitoring_system_is_told_that_this_is_critical(place: Path) -> None:
    gone(place / ENVIRONMENT)
    wrapper = script(place, "f2b-enrich")
    done = subprocess.run(
        ["sh", wrapper, "check", "--json"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "is gone" in done.stderr


class Told:
    """What the script that warns of a failure said, and to whom."""

    def __init__(self, place: Path, **environ: str) -> None:
        programs = place / "programs"
        programs.mkdir()
        sendmail = place / "usr" / "sbin" / "sendmail"
        sendmail.parent.mkdir(parents=True)
        for program, file in (
            (programs / "logger", place / "log"),
            (sendmail, place / "mail"),
        ):
            program.write_text(
                f"#!/bin/sh\nfor word; do printf '%s\\n' \"$word\"; done >>{file}\n"
                f'[ "${{0##*/}}" = logger ] || cat >>{file}\n'
            )
            program.chmod(0o755)
        path = f"{programs}:{os.environ['PATH']}"
        warning = script(place, "f2b-enrich-failed")
        self.said = run("sh", warning, **{"PATH": path, **environ})
        self.log = (place / "log").read_text()
        self.mail = (place / "mail").read_text()

    @property
    def recipient(self) -> str:
        return self.mail.splitlines()[4]


def test_a_failure_is_told_in_the_log_and_by_mail(place: Path) -> None:
    gone(place / ENVIRONMENT)
    spool = place / "var" / "spool" / "f2b-enrich"
    spool.mkdir(parents=True)
    for number in range(3):
        (spool / f"{number}-1-10.ban").touch()
    told = Told(place)
    python = place / ENVIRONMENT / "bin" / "python3"
    assert told.said == ""
    assert f"the daemon does not run: its Python, {python}, is gone" in told.log
    head, _, body = told.mail.partition("\n\n")
    host = os.uname().nodename
    assert head.splitlines()[:5] == ["-i", "-f", "root", "--", "root"]
    assert f"Subject: [f2b-enrich] {host}: the daemon does not run" in head
    assert "Auto-Submitted: auto-generated" in head
    assert f"its Python, {python}, is gone" in body
    assert "3 wait there now" in body
    assert "run install.sh again" in body


def test_a_program_that_is_not_found_is_told(place: Path) -> None:
    another_version(place / ENVIRONMENT)
    assert "does not find the program any more" in Told(place).log


def test_how_the_service_ended_is_told(place: Path) -> None:
    told = Told(
        place,
        MONITOR_SERVICE_RESULT="exit-code",
        MONITOR_EXIT_CODE="exited",
        MONITOR_EXIT_STATUS="1",
    )
    assert "it ended as systemd calls it: exit-code (exited 1)" in told.mail
    assert "0 wait there now" in told.mail


def test_without_a_log_it_speaks_on_standard_error(place: Path) -> None:
    programs = place / "programs"
    programs.mkdir()
    logger = programs / "logger"
    logger.write_text("#!/bin/sh\nexit 1\n")
    logger.chmod(0o755)
    warning = script(place, "f2b-enrich-failed")
    said = run("sh", warning, PATH=f"{programs}:{os.environ['PATH']}")
    assert "the daemon does not run" in said


@pytest.mark.parametrize(
    ("configuration", "recipient"),
    [
        ('[mail]\nrecipient = "noc@web1.org"\n', "noc@web1.org"),
        ("[ mail ]\nrecipient='noc@web1.org' # us\n", "noc@web1.org"),
        ('[mail.smtp]\nhost = "x"\n[mail]\nrecipient = "admin"\n', "admin"),
        ('[other]\nrecipient = "noc@web1.org"\n', "root"),
        ('[mail]\n[other]\nrecipient = "noc@web1.org"\n', "root"),
        ('[mail]\n# recipient = "noc@web1.org"\n', "root"),
        ('[mail]\nrecipient = "you@mail.com"\n', "root"),
        ('[mail]\nrecipient = "noc@alerts.example"\n', "root"),
        ('[mail]\nrecipient = "noc@example.org"\n', "root"),
        ('[mail]\nrecipient = "noc@mail.example.com"\n', "root"),
        ('[mail]\nrecipient = "YOU@MAIL.COM"\n', "root"),
        ('[mail]\nrecipient = "x@Example.COM"\n', "root"),
        ('[mail]\nrecipient = "Noc@web1.org"\n', "Noc@web1.org"),
        ('[mail]\nrecipient = "noc+a=b@web1.org"\n', "noc+a=b@web1.org"),
        ('[mail]\nrecipient = "-oQ/tmp@web1.org"\n', "root"),
        ('[mail]\nrecipient = "a b@web1.org"\n', "root"),
        ('[mail]\nrecipient = "a@b@web1.org"\n', "root"),
        ('[mail]\nrecipient = "$(id)@web1.org"\n', "root"),
        ("[mail]\nrecipient = 5\n", "root"),
        ("", "root"),
    ],
)
def test_the_warning_goes_to_who_was_chosen(
    place: Path, configuration: str, recipient: str
) -> None:
    folder = place / "etc" / "f2b-enrich"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(configuration)
    assert Told(place).recipient == recipient


def test_a_later_file_of_the_configuration_decides(place: Path) -> None:
    folder = place / "etc" / "f2b-enrich" / "config.d"
    folder.mkdir(parents=True)
    (folder.parent / "config.toml").write_text('[mail]\nrecipient = "a@web1.org"\n')
    (folder / "50-night.toml").write_text('[mail]\nrecipient = "b@web1.org"\n')
    assert Told(place).recipient == "b@web1.org"


def test_the_scripts_are_plain_shell() -> None:
    shellcheck = Path(sys.executable).parent / "shellcheck"
    scripts = [PACKAGING / name for name in ("f2b-enrich", "f2b-enrich-failed")]
    assert run(shellcheck, "--shell=sh", *scripts) == ""
