"""What the tests ask of a server in a folder."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from demo.lab import Lab, until

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tests.smtp_server import SmtpServer

NETWORKS = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"]


@dataclass(frozen=True)
class Site:
    """A lab with its mail server."""

    lab: Lab
    smtp: SmtpServer

    def start(self, jails: str = "", **sections: dict[str, object]) -> None:
        """Write both configurations, start the daemon and fail2ban."""
        self.start_daemon(**sections)
        self.start_fail2ban(jails)

    def start_fail2ban(self, jails: str = "") -> None:
        self.lab.write_fail2ban(jails)
        self.lab.start_fail2ban()

    def start_daemon(self, **sections: dict[str, object]) -> None:
        self.configure(**sections)
        self.lab.start_daemon()

    def configure(self, **sections: dict[str, object]) -> None:
        """Write the daemon's configuration; a section's keys are the test's own."""
        own: dict[str, dict[str, object]] = {
            "enrich": {"reserved_networks": NETWORKS},
            "mail": {
                "format": "text",
                "recipient": "noc@alerts.example",
                "allow_domains": ["example", "example.org"],
                "prolong_wait_seconds": 11,
            },
            "mail__smtp": {"host": "127.0.0.1", "port": self.smtp.port},
        }
        for name, keys in sections.items():
            own.setdefault(name, {}).update(keys)
        self.lab.write_config(**own)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Read from the store as its owner does."""
        uri = f"{self.lab.store.as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(query, values)]

    def bans(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM ban_log ORDER BY banned_at, ip")

    def wait_for_bans(self, count: int, *, seconds: float = 30.0) -> None:
        assert until(lambda: len(self.bans()) >= count, seconds=seconds), self.told()
        assert len(self.bans()) == count

    def wait_for_row(self, query: str, *values: object) -> None:
        assert until(lambda: bool(self.rows(query, *values)), seconds=30), self.told()

    def mails(self, count: int, *, seconds: float = 30.0) -> list[EmailMessage]:
        """Wait for so many mails; give all that came, read as a mail reader does."""
        received = self.smtp.wait_for(count, seconds=seconds)
        return [
            message_from_bytes(mail.content, policy=policy.default) for mail in received
        ]

    def told(self) -> str:
        """What the programs said, for the message of a failed test."""
        log = self.lab.root / "fail2ban.log"
        said = log.read_text("utf-8", "replace")[-3000:] if log.exists() else ""
        return f"{said}\n{self.lab.daemon_log()[-3000:]}"
