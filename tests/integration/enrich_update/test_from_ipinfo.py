"""IPinfo hands a database out to a token, or says why it does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from f2b_enrich.enrich import placing, update
from f2b_enrich.enrich.download import next_hop
from f2b_enrich.errors import ConfigError, GeoError
from tests.fake_ipinfo import FakeIpinfo, refusing_url
from tests.integration.enrich_update.updating import (
    NEW,
    NOW,
    TOKEN,
    Untouched,
    assert_replaced,
    from_ipinfo,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_ipinfo_hands_out_a_database_to_a_token(
    server: FakeIpinfo, target: Path, content: bytes
) -> None:
    placed = from_ipinfo(target, server.url)

    assert_replaced(target, content)
    assert placed.changed
    assert placed.built_at == datetime.fromtimestamp(NEW, UTC)
    assert server.paths() == [
        "/data/ipinfo_lite.mmdb/checksums",
        "/data/ipinfo_lite.mmdb",
        "/cdn/lite?sig=signed",
    ]
    assert [seen.auth for seen in server.requests] == ["bearer", "bearer", "none"]


def test_a_netrc_file_does_not_take_the_tokens_place(
    server: FakeIpinfo,
    target: Path,
    content: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))

    from_ipinfo(target, server.url)

    assert_replaced(target, content)
    assert [seen.token for seen in server.requests[:2]] == ["tok-legacy"] * 2


def test_the_attribution_says_whose_data_it_is(
    server: FakeIpinfo, target: Path
) -> None:
    from_ipinfo(target, server.url)

    text = placing.attribution_path(target).read_text()
    assert text.startswith("IP address data powered by IPinfo\nhttps://ipinfo.io\n")
    assert "CC BY-SA 4.0" in text
    assert "built 2026-10-26T08:03:43Z" in text
    assert "Fetched 2026-11-21T12:00:00Z from http://127.0.0.1" in text
    assert "tok-legacy" not in text


def test_the_database_of_today_is_not_fetched_again(
    server: FakeIpinfo, target: Path
) -> None:
    from_ipinfo(target, server.url)
    server.requests.clear()

    placed = from_ipinfo(target, server.url)

    assert not placed.changed
    assert server.paths() == ["/data/ipinfo_lite.mmdb/checksums"]


def test_a_wrong_checksum_is_refused(server: FakeIpinfo, target: Path) -> None:
    server.checksum = "0" * 64

    with Untouched(target), pytest.raises(GeoError, match="checksum"):
        from_ipinfo(target, server.url)


def test_a_fourth_download_of_a_day_is_told(server: FakeIpinfo, target: Path) -> None:
    server.downloads_left = 0

    with Untouched(target), pytest.raises(GeoError, match="three times a day"):
        from_ipinfo(target, server.url)


def test_a_refused_token_is_told_but_not_shown(
    server: FakeIpinfo, target: Path
) -> None:
    with (
        Untouched(target),
        pytest.raises(GeoError, match="refuses the token") as caught,
    ):
        from_ipinfo(target, server.url, SecretStr("tok-dead"))

    assert "tok-dead" not in str(caught.value)


def test_a_token_that_cannot_be_sent_is_told(server: FakeIpinfo, target: Path) -> None:
    with Untouched(target), pytest.raises(ConfigError, match="printable ASCII"):
        from_ipinfo(target, server.url, SecretStr("tok\nen"))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("500", "HTTP 500"),
        ("502", "HTTP 502"),
        ("html-200", "no checksum"),
        ("list", "no checksum"),
        ("null", "no checksum"),
        ("nested", "is over 65536 bytes"),
        ("empty", "no checksum"),
        ("truncated-json", "no checksum"),
        ("wrong-ip", "no checksum"),
        ("huge", "is over 65536 bytes"),
        ("circle", "redirects more than 5 times"),
        ("429-token", "HTTP 429"),
        ("403-html", "refuses the token"),
        ("close", "the connection failed"),
    ],
)
def test_a_bad_answer_about_the_checksum_is_told(
    server: FakeIpinfo, target: Path, kind: str, words: str
) -> None:
    server.script(kind)

    with Untouched(target), pytest.raises(GeoError, match=words):
        from_ipinfo(target, server.url)


def test_a_checksum_of_another_kind_is_refused(
    server: FakeIpinfo, target: Path
) -> None:
    server.checksum = "md5?"

    with Untouched(target), pytest.raises(GeoError, match="no checksum"):
        from_ipinfo(target, server.url)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("html-200", "checksum"),
        ("500", "HTTP 500"),
        ("short", "the connection broke off"),
        ("reset", "the connection broke off"),
        ("close", "the connection failed"),
    ],
)
def test_a_bad_download_is_told(
    server: FakeIpinfo, target: Path, kind: str, words: str
) -> None:
    server.script(kind, ip="cdn")

    with Untouched(target), pytest.raises(GeoError, match=words):
        from_ipinfo(target, server.url)


def test_nobody_there_is_told(target: Path) -> None:
    with Untouched(target), pytest.raises(GeoError, match="the connection failed"):
        from_ipinfo(target, refusing_url())


def test_a_download_that_drips_for_ever_is_given_up(
    server: FakeIpinfo, target: Path
) -> None:
    with Untouched(target), pytest.raises(GeoError, match="took over 1800 s"):
        update.from_ipinfo(
            target, token=TOKEN, base_url=server.url, now=NOW, elapsed=lambda: 1801.0
        )


def test_a_redirect_does_not_lead_out_of_encryption() -> None:
    https = "https://ipinfo.invalid/data/x"

    assert next_hop(https, "/cdn/x") == "https://ipinfo.invalid/cdn/x"
    assert next_hop("http://ipinfo.invalid/x", "https://cdn.invalid/").endswith("/")
    with pytest.raises(GeoError, match="nothing is encrypted"):
        next_hop(https, "http://cdn.invalid/x")
