"""The commands of docs/how-to/notify.md tell a web server what they are told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import tomllib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.config import Settings
from f2b_enrich.daemon import commands
from f2b_enrich.daemon.commands import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "how-to/notify.md").read_text("utf-8")
_EVENT, *_ = re.findall(
    r"^```json\n(.*?)^```$",
    (DOCS / "reference/notify.md").read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)
EVENT = json.loads(_EVENT)
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
WEBHOOK, SECRET, NTFY, CHAT = (text for kind, text in BLOCKS if kind == "sh")


class Web:
    """A web server on loopback; `status` is what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[tuple[str, str, bytes]] = []


@contextmanager
def serving(web: Web) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers["Content-Type"]
            web.asked.append((self.path, kind, body))
            self.send_response(web.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/f2b"
        finally:
            server.shutdown()
            thread.join()


async def told(script: str, folder: Path, *words: str) -> str:
    """Run a script of the page as the daemon does."""
    file = folder / "program"
    file.write_text(script)
    file.chmod(0o755)
    given = json.dumps(EVENT).encode() + b"\n"
    return await commands.run([str(file), *words], given, seconds=20)


async def test_a_webhook_gets_the_event_as_it_is(tmp_path: Path) -> None:
    web = Web()
    with serving(web) as url:
        await told(WEBHOOK, tmp_path, url)
    ((path, kind, body),) = web.asked
    assert (path, kind) == ("/f2b", "application/json")
    assert json.loads(body) == EVENT


async def test_a_refusal_is_a_failure(tmp_path: Path) -> None:
    web = Web()
    web.status = 503
    with serving(web) as url:
        with pytest.raises(CommandError, match="503"):
            await told(WEBHOOK, tmp_path, url)
        with pytest.raises(CommandError, match="503"):
            await told(NTFY, tmp_path, url)


async def test_a_secret_url_is_read_from_a_file(tmp_path: Path) -> None:
    web = Web()
    with serving(web) as url:
        (tmp_path / "webhook.curl").write_text(f'url = "{url}"\n')
        script = SECRET.replace("/etc/f2b-enrich/", f"{tmp_path}/")
        assert script != SECRET
        await told(script, tmp_path)
    assert [path for path, _, _ in web.asked] == ["/f2b"]


async def test_ntfy_gets_the_title_and_the_first_line(tmp_path: Path) -> None:
    web = Web()
    with serving(web) as url:
        await told(NTFY, tmp_path, url)
    ((_, _, body),) = web.asked
    assert body.decode().split() == f"{EVENT['title']} {EVENT['lines'][0]}".split()


async def test_a_chat_gets_the_title(tmp_path: Path) -> None:
    web = Web()
    with serving(web) as url:
        await told(CHAT, tmp_path, url)
    ((_, _, body),) = web.asked
    assert json.loads(body) == {"text": EVENT["title"]}


def test_the_settings_are_accepted() -> None:
    (text,) = (text for kind, text in BLOCKS if kind == "toml")
    settings = Settings.model_validate(tomllib.loads(text))
    assert settings.notify.command[0] == "/usr/local/bin/f2b-webhook"


def test_the_scripts_are_sound(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("shellcheck")
    for number, script in enumerate((WEBHOOK, SECRET, NTFY, CHAT)):
        file = tmp_path / f"{number}.sh"
        file.write_text(script)
        subprocess.run([program, str(file)], check=True)
