"""A small server that stands in for IPinfo, with its good and its bad days.

In a test: `with FakeIpinfo() as server: ... server.url`. For a program under test:
`python -m tests.fake_ipinfo --port 0 [--records FILE.json]` prints the address.
`GET /__log` then lists the requests, `POST /__script` takes `{"fault": "429-token",
"ip": "192.0.2.1", "route": "lookup", "times": 3, "seconds": 0.5}`.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import hashlib
import ipaddress
import json
import socket
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.ipinfo_faults import FAULTS, Fault
from tests.ipinfo_records import (
    BAD_IP,
    BERLIN,
    DAILY_CAP,
    HTML,
    JSON,
    RECORDS,
    TOKEN_QUOTA,
    UNKNOWN_TOKEN,
    WRONG_IP,
)
from tests.ipinfo_shapes import ROUTES, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BERLIN", "FakeIpinfo", "refusing_url"]

TOKENS = frozenset(ROUTES)
"""Tokens that are accepted somewhere; any other gets 403, none is keyless."""

KEYLESS = frozenset({"legacy"})
"""Routes that answer whoever has no token."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    auth: str  # "bearer", "basic", "query" or "none"
    token: str | None


class FakeIpinfo:
    """The server, in a thread of its own on a port of its own."""

    def __init__(self, *, port: int = 0) -> None:
        self.records: dict[str, Mapping[str, object]] = dict(RECORDS)
        self.database = b""
        self.checksum: str | None = None  # None: the true one
        self.quotas: dict[str | None, int] = {}
        self.downloads_left = 3
        self.elsewhere = ""  # another server, for "302-away"
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", port), Answer)
        self._http.fake = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def script(self, kind: str, **knobs: Any) -> None:
        """Make requests fail in a way that FAULTS names, from now on."""
        assert kind in FAULTS, kind
        with self._lock:
            self._faults.append(Fault(kind, **knobs))

    def behave(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def paths(self) -> list[str]:
        """List what was asked for, in order."""
        return [request.path for request in self.requests]

    def note(self, request: Request) -> None:
        with self._lock:
            self.requests.append(request)

    def fault_for(self, path: str) -> Fault | None:
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.ip is not None and fault.ip not in path.split("/"):
                    continue
                if fault.route is not None and fault.route != route_of(path):
                    continue
                if fault.times is not None:
                    left = fault.times - 1
                    self._faults[index] = dataclasses.replace(fault, times=left)
                    if left <= 0:
                        del self._faults[index]
                return fault
        return None

    def within_quota(self, token: str | None) -> bool:
        with self._lock:
            left = self.quotas.get(token)
            if left is not None:
                self.quotas[token] = max(left - 1, 0)
            return left is None or left > 0

    def may_download(self) -> bool:
        with self._lock:
            self.downloads_left -= 1
            return self.downloads_left >= 0


def route_of(path: str) -> str:
    """Tell which of IPinfo's addresses was asked."""
    first = urlsplit(path).path.strip("/").split("/")[0]
    return first if first in {"lite", "lookup"} else "legacy"


def refusing_url() -> str:
    """Give an address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class _Server(ThreadingHTTPServer):
    fake: FakeIpinfo
    request_queue_size = 128  # five by default: the sixth at once waits a second

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet: clients that leave early are what the tests are about."""


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    # Without it a kept-alive connection waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        fake = self.server.fake
        split = urlsplit(self.path)
        if split.path == "/__log":
            log = [dataclasses.asdict(request) for request in fake.requests]
            return self.say_json(log)
        auth, token = self._credentials(split.query)
        headers = {name.lower(): value for name, value in self.headers.items()}
        fake.note(Request(self.path, headers, auth, token))
        fault = fake.fault_for(split.path)
        if fault is not None:
            return FAULTS[fault.kind](self, fault)
        if split.path.startswith(("/data/", "/cdn/")):
            return self._download(split.path, token)
        return self._record(split.path, token)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        knobs = json.loads(body)
        self.server.fake.script(knobs.pop("fault"), **knobs)
        self.say_json({})

    def _credentials(self, query: str) -> tuple[str, str | None]:
        header = self.headers.get("Authorization", "")
        if header.startswith("Bearer "):
            return "bearer", header.removeprefix("Bearer ")
        if header.startswith("Basic "):
            user = base64.b64decode(header.removeprefix("Basic ")).decode()
            return "basic", user.partition(":")[0]
        if "token" in parse_qs(query):
            return "query", parse_qs(query)["token"][0]
        return "none", None

    def _record(self, path: str, token: str | None) -> None:
        fake = self.server.fake
        route = route_of(path)
        if route not in ROUTES.get(token or "", KEYLESS if token is None else ()):
            return self.say_json(UNKNOWN_TOKEN, 403)
        if not fake.within_quota(token):
            return self.say_json(DAILY_CAP if token is None else TOKEN_QUOTA, 429)
        record = self.record_of(path)
        if record is None and route == "legacy":
            return self.say_json(WRONG_IP, 404)
        if record is None:
            return self.say_json(BAD_IP, 400)
        return self.say_json(record)

    def record_of(self, path: str) -> Mapping[str, object] | None:
        """Find what is known, as the route says it to whoever asks."""
        route = route_of(path)
        text = path.strip("/").removesuffix("/json").removeprefix(f"{route}/")
        try:
            ip = str(ipaddress.ip_address(text))
        except ValueError:
            return None
        record = self.server.fake.records.get(ip, {"ip": ip, "country": "DE"})
        _, token = self._credentials(urlsplit(self.path).query)
        if token is None:
            return {**record, "readme": "https://ipinfo.io/missingauth"}
        return shape(record, route, token)

    def _download(self, path: str, token: str | None) -> None:
        fake = self.server.fake
        if path.startswith("/cdn/"):
            return self.say(fake.database, "application/octet-stream")
        if token not in TOKENS:
            return self.say_json(UNKNOWN_TOKEN, 403)
        if path.endswith("/checksums"):
            true = hashlib.sha256(fake.database).hexdigest()
            return self.say_json({"checksums": {"sha256": fake.checksum or true}})
        if not fake.may_download():
            return self.say_json(TOKEN_QUOTA, 429)
        return self.say(b"", HTML, 302, {"Location": "/cdn/lite?sig=signed"})

    def say_json(self, value: object, status: int = 200) -> None:
        self.say(json.dumps(value).encode(), JSON, status)

    def say(
        self,
        body: bytes,
        kind: str = JSON,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        """Make the bytes of the right answer, for faults that spoil them."""
        if self.path.startswith("/cdn/"):
            return self.server.fake.database
        return json.dumps(self.record_of(urlsplit(self.path).path)).encode()


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--records", type=Path, help="JSON: address to record")
    parser.add_argument("--database", type=Path, help="what /data/ hands out")
    arguments = parser.parse_args()
    with FakeIpinfo(port=arguments.port) as server:
        if arguments.records:
            server.records.update(json.loads(arguments.records.read_text("utf-8")))
        if arguments.database:
            server.database = arguments.database.read_bytes()
        print(server.url, flush=True)  # noqa: T201 - what the caller waits for
        sys.stdin.read()


if __name__ == "__main__":
    main()
