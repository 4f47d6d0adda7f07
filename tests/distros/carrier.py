"""The runtime packages as wheels, made of what runs the tests.

pip installs them, and checks their hashes, as it does with the real ones, without a
network.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from importlib.metadata import distribution
from pathlib import Path

_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)", re.MULTILINE)
_WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_WRITTEN_ANEW = frozenset(("WHEEL", "RECORD", "INSTALLER", "REQUESTED"))


def write_wheels(requirements: Path, folder: Path) -> str:
    """Write the wheels into a folder; give the lines that require them, with hashes."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, version in _PINNED.findall(requirements.read_text()):
        if name != "pip":  # a new environment has one
            wheel = _write_wheel(name, version, folder)
            checksum = hashlib.sha256(wheel.read_bytes()).hexdigest()
            lines.append(f"{name}=={version} --hash=sha256:{checksum}\n")
    return "".join(lines)


def _write_wheel(name: str, version: str, folder: Path) -> Path:
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    if path.exists():  # for another set; made anew it would have another hash
        return path
    about = ""
    with zipfile.ZipFile(path, "w") as wheel:
        for file in distribution(name).files or ():
            if file.parts[0] == ".." or "__pycache__" in file.parts:
                continue
            if file.parts[0].endswith(".dist-info"):
                about = file.parts[0]
                if file.name in _WRITTEN_ANEW:
                    continue
            wheel.write(Path(str(file.locate())), str(file))
        wheel.writestr(f"{about}/WHEEL", _WHEEL)
        wheel.writestr(f"{about}/RECORD", "")
    return path
