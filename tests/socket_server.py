"""A real server on a Unix socket, as rude to clients as a test wants it.

    with SocketServer(path, CLOSE) as server:
        ...  # run a client
        server.requests

Behaviour is bytes to answer every request with, or one of the constants.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

END = b"\0\0"
ACK = b"ok 5d27e5a5-1859-5e5d-aea8-563dba1f9766\n"
ERROR = b"error no\n"
HALF = b"ok 5d27"


class Rude(Enum):
    """What a server may do instead of answering."""

    SILENT = "read the request, never answer"
    DEAF = "accept, never read"
    CLOSE = "accept and close"
    DRIP = "answer one byte at a time, without an end"


@dataclass
class SocketServer:
    """Listens on `path` while its `with` block lasts."""

    path: Path
    behaviour: bytes | Rude = ACK
    requests: list[bytes] = field(default_factory=list)
    """What each connection sent, up to the empty field or its end."""

    connections: int = 0

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen(100)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()
        self.path.unlink()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return  # the block is over
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(peer,))
            thread.start()
            self._threads.append(thread)

    def _serve(self, peer: socket.socket) -> None:
        with peer, suppress(OSError):
            peer.settimeout(30)
            if self.behaviour is Rude.CLOSE:
                return
            if self.behaviour is Rude.DEAF:
                self._over.wait(30)
                return
            self.requests.append(self._read(peer))
            if isinstance(self.behaviour, bytes):
                peer.sendall(self.behaviour)
            elif self.behaviour is Rude.SILENT:
                self._over.wait(30)
            else:
                while not self._over.wait(0.02):
                    peer.sendall(b"o")

    @staticmethod
    def _read(peer: socket.socket) -> bytes:
        request = b""
        while not request.endswith(END):
            chunk = peer.recv(65536)
            if not chunk:
                break
            request += chunk
        return request
