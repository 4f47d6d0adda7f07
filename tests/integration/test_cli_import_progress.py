"""How much an import has to read, as its bar and its processes are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli.import_progress import logs_in, size_of
from f2b_enrich.importing.mail_boxes import files_in

if TYPE_CHECKING:
    from pathlib import Path


def test_of_a_folder_only_what_is_read_counts(tmp_path: Path) -> None:
    (tmp_path / "fail2ban.log").write_bytes(bytes(10))
    (tmp_path / "fail2ban.log.1").write_bytes(bytes(20))
    (tmp_path / "syslog").write_bytes(bytes(1000))

    assert size_of([tmp_path, tmp_path / "gone"], files=logs_in) == 30
    assert size_of([tmp_path], files=files_in) == 1030
    assert size_of([tmp_path / "gone"], files=files_in) is None
