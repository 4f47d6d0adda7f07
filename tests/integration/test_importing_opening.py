"""Files as they lie there: packed, cut off, damaged, made to fill a disk, or pipes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import subprocess
import threading
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f2b_enrich.importing.opening import Source, _modified_at, opened, opened_stream
from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOG = b"".join(b"2026-11-21 20:39:55,%03d a line\n" % number for number in range(9_000))
MIB = 1024 * 1024


def zstd(data: bytes) -> bytes:
    if shutil.which("zstd") is None:
        pytest.skip("NOT tested: the program zstd is not installed")
    return subprocess.run(
        ("zstd", "-qc"), input=data, stdout=subprocess.PIPE, check=True
    ).stdout


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}
PACKED = [name for name in PACKERS if name != "plain"]


def all_of(source: Source, size: int = 65_536) -> bytes:
    return b"".join(iter(lambda: source.read(size), b""))


@pytest.mark.parametrize("form", PACKERS)
def test_every_form_is_told_by_its_first_bytes_and_unpacked(
    form: str, tmp_path: Path
) -> None:
    path = tmp_path / "no ending"
    path.write_bytes(PACKERS[form](LOG))
    os.utime(path, (0, 1_700_000_000))

    with opened(path) as source:
        assert all_of(source) == LOG
        assert source.size == source.position == path.stat().st_size
        assert source.modified_at == datetime.fromtimestamp(1_700_000_000, UTC)


@pytest.mark.parametrize("form", PACKERS)
@pytest.mark.parametrize("start", [0, 1, 70_000, len(LOG)])
def test_a_reading_goes_on_where_one_stopped(
    form: str, start: int, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    path.write_bytes(PACKERS[form](LOG))

    with opened(path, start=start) as source:
        assert all_of(source) == LOG[start:]


def test_a_file_that_became_shorter_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"short")

    with (
        pytest.raises(UnreadableError, match="has 5 bytes, 6 were read before"),
        opened(path, start=6),
    ):
        pass


@pytest.mark.parametrize("form", PACKED)
def test_files_packed_one_behind_the_other_are_one(form: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(PACKERS[form](LOG) + PACKERS[form](b"the end\n"))

    with opened(path) as source:
        assert all_of(source) == LOG + b"the end\n"


def test_xz_may_be_padded(tmp_path: Path) -> None:
    path = tmp_path / "log"
    packed = lzma.compress(LOG)
    path.write_bytes(packed + b"\0" * 40_000 + packed + b"\0" * 8)

    with opened(path) as source:
        assert all_of(source) == LOG * 2


@pytest.mark.parametrize("form", PACKED)
def test_of_a_file_that_is_cut_off_the_beginning_is_read(
    form: str, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    packed = PACKERS[form](os.urandom(2_000_000) + LOG)
    path.write_bytes(packed[:-30])
    pieces: list[bytes] = []

    with (
        opened(path) as source,
        pytest.raises(UnreadableError, match=str(path)) as caught,
    ):
        pieces.extend(iter(lambda: source.read(10_000), b""))

    assert sum(map(len, pieces)) > 800_000
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", PACKED)
def test_a_damaged_file_is_said_to_be(form: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    packed = bytearray(PACKERS[form](os.urandom(200_000)))
    packed[50_000:50_100] = b"x" * 100
    path.write_bytes(packed)

    with opened(path) as source, pytest.raises(UnreadableError, match=str(path)):
        all_of(source)


@pytest.mark.parametrize("form", ["gz", "xz", "zst", "bz2"])
def test_what_is_made_to_fill_a_disk_is_refused(form: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(PACKERS[form](bytes(16 * MIB)))
    lengths: list[int] = []
    tracemalloc.start()

    with (
        opened(path, always_allowed=MIB // 4) as source,
        pytest.raises(UnreadableError, match="times as large unpacked as it is"),
    ):
        lengths.extend(iter(lambda: len(source.read(65_536)), 0))

    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(lengths) < 12 * MIB
    assert most < 12 * MIB


def test_what_is_small_may_be_packed_as_well_as_it_likes(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(bytes(2 * MIB)))

    with opened(path) as source:
        assert len(all_of(source)) == 2 * MIB


def test_xz_gets_no_more_memory_than_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "log"
    filters = [
        {
            "id": lzma.FILTER_LZMA2,
            "dict_size": 192 * MIB,
            "mode": lzma.MODE_FAST,
            "mf": lzma.MF_HC3,
            "nice_len": 8,
        }
    ]
    path.write_bytes(lzma.compress(LOG, filters=filters))

    with opened(path) as source, pytest.raises(UnreadableError, match="damaged"):
        all_of(source)


def test_without_the_program_zstd_its_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"\x28\xb5\x2f\xfd")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UnreadableError, match="zstd, which is not installed"):
        opened(path).__enter__()


def test_leaving_early_ends_the_program(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(zstd(os.urandom(4 * MIB)))

    with opened(path) as source:
        assert len(source.read(10)) == 10


@pytest.mark.parametrize("form", ["plain", "gz", "xz", "bz2"])
def test_standard_input_is_read_alike(form: str) -> None:
    packed = PACKERS[form](LOG)
    read_end, write_end = os.pipe()
    writer = threading.Thread(target=_send, args=(write_end, packed))
    writer.start()

    with (
        io.FileIO(read_end) as pipe,
        opened_stream(pipe, name="standard input", start=32) as source,
    ):
        assert all_of(source) == LOG[32:]
        assert source.position == len(packed)
        assert source.size is None
        assert source.modified_at is None
    writer.join()


def _send(write_end: int, data: bytes) -> None:
    with os.fdopen(write_end, "wb") as pipe:
        pipe.write(data)


def test_zstd_in_standard_input_is_left_to_its_own_program() -> None:
    read_end, write_end = os.pipe()
    _send(write_end, zstd(LOG))

    with (
        io.FileIO(read_end) as pipe,
        pytest.raises(UnreadableError, match="send it through zstdcat"),
        opened_stream(pipe, name="standard input"),
    ):
        pass


def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(LOG,))
    writer.start()

    with opened(path) as source:
        assert all_of(source) == LOG
    writer.join()


@pytest.mark.parametrize("name", ["missing", ".", "on\ntwo lines"])
def test_what_cannot_be_opened_is_named_on_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=str(tmp_path)) as caught:
        opened(tmp_path / name).__enter__()

    assert "\n" not in str(caught.value)


def test_a_disk_that_cannot_be_read_is_named() -> None:
    with (
        io.FileIO("/proc/self/mem") as file,
        pytest.raises(UnreadableError, match="memory: Input/output error"),
        opened_stream(file, name="memory"),
    ):
        pass


def test_a_time_that_no_calendar_holds_is_none() -> None:
    about = os.stat_result((0o100644, 0, 0, 1, 0, 0, 0, 0, 300_000_000_000, 0))

    assert _modified_at(about) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([b"", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0"]),
    st.binary(max_size=200),
)
def test_any_bytes_are_read_or_refused(
    tmp_path: Path, mark: bytes, rest: bytes
) -> None:
    path = tmp_path / "log"
    path.write_bytes(mark + rest)

    said = refused = None

    try:
        with opened(path) as source:
            said = all_of(source)
    except UnreadableError as exc:
        refused = str(exc)

    assert refused is None or refused.startswith(str(path))
    assert refused is None or "\n" not in refused
    assert refused or said in {mark + rest, b""}
