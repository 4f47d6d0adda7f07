"""A mail server that takes everything and writes each mail into a folder.

Plain standard library: it runs on the Python of the throw-away machine.

    python3 sink.py FOLDER
"""

from __future__ import annotations

import socketserver
import sys
from pathlib import Path

_ANSWERS = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


class Sink(socketserver.StreamRequestHandler):
    """One connection of a client that speaks SMTP correctly."""

    def handle(self) -> None:
        self.wfile.write(b"220 sink.example\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            self.wfile.write(_ANSWERS.get(verb, b"250 ok\r\n"))
            if verb == b"QUIT":
                return
            if verb == b"DATA":
                self._take()

    def _take(self) -> None:
        folder = Path(sys.argv[1])
        part = folder / "part"
        with part.open("wb") as mail:
            for line in self.rfile:
                if line == b".\r\n":
                    break
                mail.write(line)
        part.rename(folder / f"{len(list(folder.glob('*.eml')))}.eml")
        self.wfile.write(b"250 taken\r\n")


if __name__ == "__main__":
    with socketserver.TCPServer(("127.0.0.1", 25), Sink) as server:
        server.serve_forever()
