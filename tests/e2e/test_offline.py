"""Without a token and without DNS, nobody is asked anything about an attacker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fake_ipinfo import FakeIpinfo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.site import Site

WATCHED = """
import sys
def watch(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        print("connects to", *arguments[1], file=sys.stderr, flush=True)
    if event == "socket.getaddrinfo":
        print("asks for", arguments[0], file=sys.stderr, flush=True)
    if event == "socket.sendto" and isinstance(arguments[1], tuple):
        print("sends to", *arguments[1], file=sys.stderr, flush=True)
sys.addaudithook(watch)
"""


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have every Python below tell whom it speaks to."""
    (tmp_path / "sitecustomize.py").write_text(WATCHED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("watched")
def test_what_is_switched_off_asks_nobody(site: Site) -> None:
    with FakeIpinfo() as ipinfo:
        site.start_daemon(ipinfo={"base_url": ipinfo.url}, dns={"reverse": False})
        site.start_fail2ban()
        for ip in ("192.0.2.7", "203.0.113.7", "2001:db8::7"):
            site.lab.fail2ban("set", "sshd", "banip", ip)
        site.mails(3)

        assert ipinfo.requests == []
    told = {
        line
        for line in site.lab.daemon_log().splitlines()
        if line.startswith(("connects to ", "asks for ", "sends to "))
    }
    assert told <= {f"connects to 127.0.0.1 {site.smtp.port}", "asks for 127.0.0.1"}
    assert f"connects to 127.0.0.1 {site.smtp.port}" in told


@pytest.mark.usefixtures("watched")
def test_what_is_switched_on_does(site: Site) -> None:
    with FakeIpinfo() as ipinfo:
        site.start_daemon(ipinfo={"base_url": ipinfo.url, "keyless": True})
        site.start_fail2ban()
        site.lab.fail2ban("set", "sshd", "banip", "192.0.2.1")
        site.mails(1)

        assert ipinfo.paths() == ["/192.0.2.1"]
        port = ipinfo.url.rpartition(":")[2]
    assert f"connects to 127.0.0.1 {port}\n" in site.lab.daemon_log()
