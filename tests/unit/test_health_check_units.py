"""What systemd says of the daemon is read; a real one is asked in test_cures.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from f2b_enrich.health import check_units

SOCKET = Path("/run/f2b-enrich/f2b-enrich.sock")


def said(folder: Path, service: str, socket: str, path: Path = SOCKET) -> str | None:
    program = folder / "systemctl"
    program.write_text(
        "#!/bin/sh\ncat <<X\n"
        f"Id=f2b-enrich.service\nActiveState={service}\n\n"
        f"Listen={SOCKET} (Stream)\nId=f2b-enrich.socket\nActiveState={socket}\nX\n"
    )
    program.chmod(0o755)
    return check_units.waiting(path, program=str(program), booted=folder)


@pytest.mark.parametrize(
    ("service", "socket", "state"),
    [
        ("inactive", "active", "inactive"),
        ("failed", "active", "failed"),
        ("activating", "active", "activating"),
        ("active", "active", None),
        ("reloading", "active", None),
        ("inactive", "inactive", None),
        ("failed", "failed", None),
    ],
)
def test_only_a_daemon_that_would_be_started_is_asleep(
    tmp_path: Path, service: str, socket: str, state: str | None
) -> None:
    assert said(tmp_path, service, socket) == state


def test_another_socket_is_none_of_systemd(tmp_path: Path) -> None:
    assert said(tmp_path, "inactive", "active", tmp_path / "x.sock") is None


def test_without_systemd_nothing_is_asked(tmp_path: Path) -> None:
    none = str(tmp_path / "none")
    assert check_units.waiting(SOCKET, booted=tmp_path / "none") is None
    assert check_units.waiting(SOCKET, program=none, booted=tmp_path) is None
    (tmp_path / "odd").write_text("#!/bin/sh\necho odd\n")
    (tmp_path / "odd").chmod(0o755)
    odd = str(tmp_path / "odd")
    assert check_units.waiting(SOCKET, program=odd, booted=tmp_path) is None


def test_properties_are_told_by_unit(tmp_path: Path) -> None:
    program = tmp_path / "systemctl"
    program.write_text(
        '#!/bin/sh\nprintf \'Id=%s\\nActiveState=failed\\n\\n\' "$3" "$4"\n'
    )
    program.chmod(0o755)

    found = check_units.shown(
        "ActiveState", "x.timer", "y.service", program=str(program), booted=tmp_path
    )

    assert {unit: each["ActiveState"] for unit, each in found.items() if unit} == {
        "x.timer": "failed",
        "y.service": "failed",
    }
    assert check_units.shown("ActiveState", "x.timer", booted=tmp_path / "none") == {}
