"""Debian's Dovecot in a folder of its own, on ports of 127.0.0.1.

with Dovecot(certificate=authority.issue_cert("localhost")) as server:
    server.deliver(b"Subject: ...", folder="reports")
    server.url("reports")  # imaps://watcher%40mail.example@localhost:PORT/reports
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

if TYPE_CHECKING:
    import trustme

USER, PASSWORD = "watcher@mail.example", "päss wörd"
OWNER = 64325
"""Whose the mails are; a number that no system gives to anybody."""

_PROGRAM = shutil.which("dovecot", path="/usr/sbin:/usr/bin")

CAN_RUN = _PROGRAM is not None and os.geteuid() == 0
"""Whether there is a Dovecot, and somebody who may start it."""

# Nothing of the system's instance: own configuration, sockets, mails, log and ports.
_CONFIG = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:{root}/mail
mailbox_list_index = no
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {root}/users
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={root}/home
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service imap-login {{
  process_min_avail = 0
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {encrypted}
  }}
}}
"""


@dataclass
class Dovecot:
    """Serves one mailbox while its `with` block lasts."""

    certificate: trustme.LeafCert
    plain_port: int = 0
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _delivered: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        # Below pytest's folders nobody but root gets.
        self.root = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.root.chmod(0o755)
        self._lay_out()
        assert _PROGRAM is not None
        self._process = subprocess.Popen(
            [_PROGRAM, "-F", "-c", str(self.root / "dovecot.conf")]
        )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self.root)

    def url(self, folder: str, *, scheme: str = "imaps") -> str:
        """Give the URL of a folder; `folder` is as it stands in a URL."""
        port = self.port if scheme == "imaps" else self.plain_port
        return f"{scheme}://{quote(USER, '')}@localhost:{port}/{folder}"

    def deliver(self, content: bytes, *, folder: str) -> None:
        """Put a mail into a folder, by its name on the disk, as a mail server does."""
        maildir = self.root / "mail" / f".{folder}"
        for part in ("tmp", "new", "cur"):
            (maildir / part).mkdir(parents=True, exist_ok=True)
            os.chown(maildir / part, OWNER, OWNER)
        os.chown(maildir, OWNER, OWNER)
        self._delivered += 1
        name = f"1700000000.M{self._delivered:06}.mx"
        path = maildir / "tmp" / name
        path.write_bytes(content)
        os.chown(path, OWNER, OWNER)
        path.rename(maildir / "new" / name)

    def files(self, folder: str) -> list[str]:
        """List the mails of a folder as they lie on the disk, with their flags."""
        maildir = self.root / "mail" / f".{folder}"
        return sorted(
            f"{file.parent.name}/{file.name}" for file in maildir.glob("[nc]*/*")
        )

    def log(self) -> str:
        return (self.root / "log").read_text()

    def _lay_out(self) -> None:
        for name in ("run", "state", "home", "mail"):
            (self.root / name).mkdir(mode=0o755)
        for name in ("home", "mail"):
            os.chown(self.root / name, OWNER, OWNER)
        self.certificate.private_key_pem.write_to_path(str(self.root / "key.pem"))
        for blob in self.certificate.cert_chain_pems:
            blob.write_to_path(str(self.root / "cert.pem"), append=True)
        users = self.root / "users"
        users.write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        self.plain_port, self.port = _free_port(), _free_port()
        config = _CONFIG.format(
            root=self.root,
            owner=OWNER,
            plain=self.plain_port,
            encrypted=self.port,
        )
        (self.root / "dovecot.conf").write_text(config)

    def _wait(self) -> None:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
            except OSError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(self.log()) from None
                time.sleep(0.02)
            else:
                return


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
