"""A small server that stands in for IPinfo, with its good and its bad days.

In a test: `with FakeIpinfo() as server: ... server.url`. For a program under test:
`python -m tests.fake_ipinfo --port 0 [--records FILE.json]` prints the address.
`GET /__log` then lists the requests, `POST /__script` takes `{"fault": "http-429",
"ip": "192.0.2.1", "route": "lookup", "times": 3, "seconds": 0.5}`.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import gzip
import hashlib
import ipaddress
import json
import socket
import struct
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.ipinfo_shapes import ROUTES, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JSON = "application/json; charset=utf-8"  # as the real one says it, with the charset
HTML = "text/html; charset=UTF-8"

TOKENS = frozenset(ROUTES)
"""Tokens that are accepted somewhere; any other gets 403, none is keyless."""

BERLIN: dict[str, object] = {
    "ip": "192.0.2.1",
    "hostname": "host.hosting.example",
    "city": "Berlin",
    "region": "State of Berlin",
    "country": "DE",
    "loc": "52.5244,13.4105",
    "org": "AS64496 Example Hosting GmbH",
    "postal": "10178",
    "timezone": "Europe/Berlin",
}
RECORDS: Mapping[str, Mapping[str, object]] = {
    "192.0.2.1": BERLIN,
    "192.0.2.2": {"ip": "192.0.2.2", "country": "NL"},
    "192.0.2.3": {"ip": "192.0.2.3", "bogon": True},
    "192.0.2.4": {
        **BERLIN,
        "ip": "192.0.2.4",
        "city": "São Paulo",
        "region": "São Paulo",
        "country": "BR",
        "loc": "-23.5475,-46.6361",
    },
    "192.0.2.5": {**BERLIN, "ip": "192.0.2.5", "org": "AS64497 </script>|\x1b[31m x"},
    "192.0.2.6": {"ip": "192.0.2.6", "country": "XX"},
    "192.0.2.7": {"ip": "192.0.2.7", "country": None},
    "192.0.2.8": {
        "ip": "192.0.2.8",
        "country": "CZ",
        "asn": {"asn": "AS64498", "name": "Firma s.r.o.", "domain": "firma.example"},
        "privacy": {"vpn": True, "service": "HideMe"},
    },
    "2001:db8::1": {**BERLIN, "ip": "2001:db8::1"},
}

UNKNOWN_TOKEN = {
    "status": 403,
    "error": {
        "title": "Unknown token",
        "message": "Please ensure you've entered your token correctly.",
    },
}
DAILY_CAP = {
    "status": 429,
    "error": {
        "title": "Rate limit exceeded",
        "message": "You've hit the daily limit for the unauthenticated API.",
    },
}
TOKEN_QUOTA = {
    "title": "Rate limit exceeded",
    "message": "Upgrade to increase your usage limits",
}
BAD_IP = {"error": "Please provide a valid IP address"}
WRONG_IP = {
    "status": 404,
    "error": {"title": "Wrong ip", "message": "Please provide a valid IP address"},
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    auth: str  # "bearer", "basic", "query" or "none"
    token: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A bad day, so many times or always; for all, one address, or one route.

    Routes are `lite`, `lookup` and, for what has neither word in it, `legacy`.
    """

    kind: str
    ip: str | None = None
    route: str | None = None
    times: int | None = None
    seconds: float = 0.05


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
        self._http = _Server(("127.0.0.1", port), _Answer)
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


class _Answer(BaseHTTPRequestHandler):
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
        if route not in ROUTES.get(token or "", _KEYLESS if token is None else ()):
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


def _delay(answer: _Answer, fault: Fault) -> None:
    answer.server.fake.closing.wait(fault.seconds)
    answer.say(answer.body())


def _drip(answer: _Answer, fault: Fault) -> None:
    body = answer.body()
    _head(answer, len(body))
    for byte in body:
        answer.wfile.write(bytes([byte]))
        if answer.server.fake.closing.wait(fault.seconds):
            break


def _head(answer: _Answer, length: int) -> None:
    answer.send_response(200)
    answer.send_header("Content-Type", JSON)
    answer.send_header("Content-Length", str(length))
    answer.end_headers()


def _short(answer: _Answer, _: Fault) -> None:
    body = answer.body()
    _head(answer, len(body))
    answer.wfile.write(body[: len(body) // 2])
    answer.close_connection = True


def _reset(answer: _Answer, _: Fault) -> None:
    body = answer.body()
    _head(answer, len(body))
    answer.wfile.write(body[: len(body) // 2])
    linger = struct.pack("ii", 1, 0)
    answer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    # By descriptor: the server's own farewell would turn the reset into an end.
    socket.close(answer.connection.detach())
    answer.close_connection = True
    raise ConnectionAbortedError


def _close(answer: _Answer, _: Fault) -> None:
    answer.close_connection = True


def _hold(answer: _Answer, _: Fault) -> None:
    answer.server.fake.closing.wait()
    answer.close_connection = True


def _chunked(answer: _Answer, _: Fault) -> None:
    answer.send_response(200)
    answer.send_header("Content-Type", JSON)
    answer.send_header("Transfer-Encoding", "chunked")
    answer.end_headers()
    body = answer.body()
    for start in range(0, len(body), 7):
        part = body[start : start + 7]
        answer.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
    answer.wfile.write(b"0\r\n\r\n")


def _huge(answer: _Answer, _: Fault) -> None:
    padding = "x" * (10 * 1024 * 1024)
    answer.say(answer.body()[:-1] + f', "padding": "{padding}"}}'.encode())


def _huge_when_unpacked(answer: _Answer, _: Fault) -> None:
    padding = "x" * (10 * 1024 * 1024)
    whole = answer.body()[:-1] + f', "padding": "{padding}"}}'.encode()
    answer.say(gzip.compress(whole), headers={"Content-Encoding": "gzip"})


def _gzip(answer: _Answer, _: Fault) -> None:
    packed = gzip.compress(answer.body())
    answer.say(packed, headers={"Content-Encoding": "gzip"})


def _circle(answer: _Answer, _: Fault) -> None:
    answer.say(b"", HTML, 302, {"Location": answer.path})


def _away(answer: _Answer, _: Fault) -> None:
    answer.say(b"", HTML, 302, {"Location": answer.server.fake.elsewhere + answer.path})


def _cut_refusal(answer: _Answer, _: Fault) -> None:
    answer.send_response(403)
    answer.send_header("Content-Type", JSON)
    answer.send_header("Content-Length", "100")
    answer.end_headers()
    answer.wfile.write(b'{"status"')
    answer.close_connection = True


def _fixed(
    body: object, status: int = 200, kind: str = JSON, **headers: str
) -> Callable[[_Answer, Fault], None]:
    text = body if isinstance(body, str) else json.dumps(body)
    sent = text.encode("latin-1")

    def answer_with(answer: _Answer, _: Fault) -> None:
        answer.say(sent, kind, status, headers)

    return answer_with


_KEYLESS = frozenset({"legacy"})
_PAGE = "<!DOCTYPE html><title>{}</title>"

FAULTS: Mapping[str, Callable[[_Answer, Fault], None]] = {
    "delay": _delay,
    "drip": _drip,
    "short": _short,
    "reset": _reset,
    "close": _close,
    "hold": _hold,
    "chunked": _chunked,
    "gzip": _gzip,
    "huge": _huge,
    "huge-gzip": _huge_when_unpacked,
    "circle": _circle,
    "429-daily": _fixed(DAILY_CAP, 429),
    "429-token": _fixed(TOKEN_QUOTA, 429),
    "401": _fixed(UNKNOWN_TOKEN, 401),
    "403": _fixed(UNKNOWN_TOKEN, 403),
    "403-html": _fixed(_PAGE.format("403 Forbidden"), 403, HTML),
    "404": _fixed(WRONG_IP, 404),
    "400-bare-json": _fixed("{truncated", 400, "application/json"),
    "500": _fixed("Internal server error", 500, "text/plain"),
    "502": _fixed(_PAGE.format("502 Bad Gateway"), 502, HTML),
    "503": _fixed(_PAGE.format("503"), 503, HTML),
    "truncated-json": _fixed('{"ip": "192.0.2.1", "city": "Ber'),
    "html-200": _fixed(_PAGE.format("Log in to this hotel"), 200, HTML),
    "html-as-json": _fixed(_PAGE.format("Log in to this hotel")),
    "list": _fixed([BERLIN]),
    "null": _fixed(None),
    "empty": _fixed(""),
    "no-object": _fixed("5"),
    "nested": _fixed("[" * 100_000),
    "not-a-number": _fixed('{"ip": "192.0.2.1", "country": "DE", "x": NaN}'),
    "wrong-ip": _fixed({**BERLIN, "ip": "198.51.100.99"}),
    "no-ip": _fixed({"country": "DE"}),
    "bogon": _fixed({"ip": "192.0.2.1", "bogon": True}),
    "302-away": _away,
    "400": _fixed(BAD_IP, 400),
    "403-cut": _cut_refusal,
    "403-html-as-json": _fixed(_PAGE.format("403"), 403, "application/json"),
    "403-huge": _fixed("x" * 300_000, 403, HTML),
    "403-latin1": _fixed(_PAGE.format("Zugriff f\u00fcr Sie gesperrt"), 403, HTML),
    "503-later": _fixed(_PAGE.format("503"), 503, HTML, **{"Retry-After": "120"}),
    "504": _fixed(_PAGE.format("504 Gateway Timeout"), 504, HTML),
}


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
