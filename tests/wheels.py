"""Wheels for tests, and pip told to look nowhere else."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

from f2b_enrich.enrich.wheel import Pin

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

PACKAGE = "geo-carrier"
MEMBER = "geo_carrier/data/ipinfo_lite.mmdb"


def write_wheel(
    folder: Path, members: dict[str, bytes], *, version: str = "1.0"
) -> Path:
    """Write a wheel that pip accepts, with these files in it."""
    folder.mkdir(exist_ok=True)
    path = folder / f"geo_carrier-{version}-py3-none-any.whl"
    about = f"geo_carrier-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)
        wheel.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n",
        )
        wheel.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{about}/RECORD", "")
    return path


def pin_of(wheel: Path, database: bytes, *, built_at: datetime) -> Pin:
    """Pin a wheel as a release pins the real one."""
    return Pin(
        package=PACKAGE,
        version="1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member=MEMBER,
        member_sha256=hashlib.sha256(database).hexdigest(),
        built_at=built_at,
    )
