"""An update as tests begin it, and what it may leave behind."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr

from f2b_enrich.enrich import update
from tests.mmdb import GERMAN, write_lite

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.enrich.placing import Placed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OLD = 1790000000
NEW = 1793001823
NEWER = 1795000000
TOKEN = SecretStr("tok-legacy")


def database(
    folder: Path, built_at: int, record: dict[str, object] | None = None
) -> bytes:
    path = folder / f"made-{built_at}.mmdb"
    write_lite(path, {"192.0.2.0/24": record or GERMAN}, built_at=built_at)
    content = path.read_bytes()
    path.unlink()
    return content


def from_ipinfo(target: Path, url: str, token: SecretStr = TOKEN) -> Placed:
    return update.from_ipinfo(
        target, token=token, base_url=url, now=NOW, elapsed=lambda: 0.0
    )


def assert_replaced(target: Path, content: bytes) -> None:
    assert target.read_bytes() == content
    assert sorted(path.name for path in target.parent.iterdir()) == [
        "ipinfo_lite.mmdb",
        "ipinfo_lite.mmdb.ATTRIBUTION",
    ]
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


class Untouched:
    """A context that leaves the old file, and nothing else, where it was."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._before = target.read_bytes(), target.stat().st_ino

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        target = self._target
        assert (target.read_bytes(), target.stat().st_ino) == self._before
        assert [path.name for path in target.parent.iterdir()] == [target.name]
