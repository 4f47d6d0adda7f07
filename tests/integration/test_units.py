"""Units that systemd accepts, and policies that compile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from demo.lab import PROJECT
from f2b_enrich.config import Settings

PACKAGING = PROJECT / "packaging"
SYSTEMD = PACKAGING / "systemd"
SERVICES = sorted(path.name for path in SYSTEMD.glob("*.service"))
HIGHEST_EXPOSURE = 1.5


def run(*words: str | Path, check: bool = True, **environ: str) -> str:
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environ},
    )
    if check and done.returncode:
        raise AssertionError(f"{words}: {done.returncode}: {done.stdout}")
    return done.stdout


def needs(program: str, package: str) -> None:
    if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
        pytest.skip(f"NOT tested: {program} of Debian's package {package} is missing")


def settings_of(unit: str, name: str) -> list[str]:
    """List the values of a setting, one an assignment, in their order."""
    text = (SYSTEMD / unit).read_text("utf-8")
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_exposed_to_little(service: str) -> None:
    needs("systemd-analyze", "systemd")
    words = ("systemd-analyze", "security", "--offline=yes", "--no-pager")
    said = run(*words, SYSTEMD / service)
    (level,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert float(level) <= HIGHEST_EXPOSURE, said


def test_systemd_accepts_every_unit_without_a_word(tmp_path: Path) -> None:
    needs("systemd-analyze", "systemd")
    # The programs are not installed here; the real ones are started in
    # test_confinement.py.
    for unit in SYSTEMD.iterdir():
        text = unit.read_text("utf-8")
        text = re.sub(
            r"^(ExecStart=)/opt/\S+", r"\1/bin/true", text, flags=re.MULTILINE
        )
        (tmp_path / unit.name).write_text(text, "utf-8")
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    assert run("systemd-analyze", "verify", "--man=no", *units) == ""


def test_a_unit_with_a_mistake_is_not_accepted_so(tmp_path: Path) -> None:
    needs("systemd-analyze", "systemd")
    unit = tmp_path / "f2b-enrich-geo.timer"
    text = (SYSTEMD / unit.name).read_text("utf-8")
    unit.write_text(text.replace("OnCalendar=weekly", "OnCalendar=wekly"), "utf-8")
    said = run("systemd-analyze", "verify", "--man=no", unit, check=False)
    assert "Failed to parse calendar" in said


@pytest.mark.parametrize("service", SERVICES)
def test_every_hardening_line_stands_below_its_reason(service: str) -> None:
    text = (SYSTEMD / service).read_text("utf-8")
    hardening = text[text.index("UMask=") :].partition("\n[")[0]
    blocks = [block.split("\n") for block in re.split(r"\n+(?=#)", hardening)]
    settings = [[line for line in block if "=" in line[:30]] for block in blocks]
    assert len(blocks) >= 10
    for lines in blocks[1:]:
        assert lines[0].startswith("# "), lines
    assert max(map(len, settings)) <= 8


def test_the_units_and_the_configuration_name_the_same_places() -> None:
    settings = Settings()
    assert settings_of("f2b-enrich.socket", "ListenStream") == [
        str(settings.daemon.socket)
    ]
    (written,) = settings_of("f2b-enrich.service", "ReadWritePaths")
    folders = [
        settings.store.path.parent,
        settings.daemon.spool,
        settings.daemon.socket.parent,
    ]
    assert written.split() == [f"-{folder}" for folder in folders]
    assert settings.geo.database is not None
    assert settings_of("f2b-enrich-geo.service", "ReadWritePaths") == [
        f"-{settings.geo.database.parent}"
    ]
    made = (PACKAGING / "tmpfiles.d" / "f2b-enrich.conf").read_text("utf-8")
    run_folder = settings.daemon.socket.parent
    assert re.findall(r"^d (\S+) +2770 root f2b-enrich -$", made, re.MULTILINE) == [
        str(run_folder),
        str(run_folder / "spool"),
    ]


def test_a_download_of_a_gigabyte_is_not_kept_in_memory() -> None:
    variables = settings_of("f2b-enrich-geo.service", "Environment")
    assert "TMPDIR=/var/tmp" in " ".join(variables).split()


def test_the_selinux_module_lets_the_daemon_make_its_folders() -> None:
    text = (PACKAGING / "selinux" / "f2b_enrich.te").read_text("utf-8")
    for name in ("var_lib", "spool", "run"):
        rule = rf"^allow f2b_enrich_t f2b_enrich_{name}_t:dir {{ (.*) }};$"
        ((rights),) = re.findall(rule, text, re.MULTILINE)
        assert {"create", "setattr", "rename"} <= set(rights.split())


def test_every_secret_has_an_empty_stand_in() -> None:
    secrets = ["ipinfo-token", "smtp-password"]
    for service in ("f2b-enrich.service", "f2b-enrich-geo.service"):
        assert settings_of(service, "LoadCredential") == [
            f"{name}:/etc/f2b-enrich/{name}" for name in secrets
        ]
        # systemd 252 refuses one that is altogether empty.
        assert settings_of(service, "SetCredential") == [
            f"{name}:\\n" for name in secrets
        ]


def test_the_selinux_module_compiles(tmp_path: Path) -> None:
    needs("checkmodule", "checkpolicy")
    needs("semodule_package", "semodule-utils")
    source = PACKAGING / "selinux" / "f2b_enrich"
    module, package = tmp_path / "f2b_enrich.mod", tmp_path / "f2b_enrich.pp"
    run("checkmodule", "-M", "-m", "-o", module, source.with_suffix(".te"))
    contexts = source.with_suffix(".fc")
    run("semodule_package", "-o", package, "-m", module, "-f", contexts)
    assert b"f2b_enrich_spool_t" in package.read_bytes()


def test_every_label_of_a_path_is_a_type_of_the_module() -> None:
    folder = PACKAGING / "selinux"
    declared = set(
        re.findall(
            r"^type (\w+),", (folder / "f2b_enrich.te").read_text(), re.MULTILINE
        )
    )
    contexts = (folder / "f2b_enrich.fc").read_text()
    used = set(re.findall(r":object_r:(\w+):s0$", contexts, re.MULTILINE))
    assert used == declared - {"f2b_enrich_t"}
    for path in (SYSTEMD / "f2b-enrich.service").read_text().split("-/")[1:4]:
        assert f"/{path.split()[0]}(/.*)?" in contexts


def test_the_apparmor_profile_parses_and_is_the_one_of_the_unit() -> None:
    needs("apparmor_parser", "apparmor")
    profile = PACKAGING / "apparmor" / "f2b-enrich"
    parser = shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin")
    assert parser is not None
    names = run(parser, "--names", profile).splitlines()
    (wanted,) = settings_of("f2b-enrich.service", "AppArmorProfile")
    assert wanted.removeprefix("-") in names
    run(parser, "--skip-kernel-load", "--skip-cache", profile)
