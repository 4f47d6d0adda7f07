"""A daemon's configuration, folders and socket, as `status` finds them."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from f2b_enrich.cli import status_facts
from f2b_enrich.cli.status import rows
from f2b_enrich.config_files import load
from tests.stores import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BERLIN = ZoneInfo("Europe/Berlin")


class Place:
    """A configuration and what it names, all in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.db = folder / "bans.db"
        self.socket = folder / "run" / "daemon.sock"
        self.spool = folder / "spool"
        self.geo = folder / "lite.mmdb"
        self.socket.parent.mkdir()
        self.configure()

    def configure(self, more: str = "") -> None:
        self.config.write_text(
            f'host = "web1"\nstore.path = "{self.db}"\n'
            f'daemon.socket = "{self.socket}"\ndaemon.spool = "{self.spool}"\n'
            f'geo.database = "{self.geo}"\nmail.recipient = "noc@admins.net"\n{more}'
        )

    def told(self, environ: Mapping[str, str] | None = None) -> dict[str, str]:
        """Give the rows by their label; rows without one belong to that above."""
        found = status_facts.gather(
            load(self.config), self.config, now=NOW, zone=BERLIN, environ=environ or {}
        )
        by_label: dict[str, str] = {}
        label = ""
        for name, text in rows(found, now=NOW, zone=BERLIN):
            by_label[name or label] = text if name else f"{by_label[label]}\n{text}"
            label = name or label
        return by_label


class _HangUp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(1)


@contextmanager
def answering(path: Path) -> Iterator[None]:
    """Serve as the daemon does: wait for the end of the request, then hang up."""
    with socketserver.ThreadingUnixStreamServer(str(path), _HangUp) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
