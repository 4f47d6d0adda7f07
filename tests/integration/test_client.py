"""What fail2ban runs: the real client, against a real socket and a real disk."""

from __future__ import annotations

import ast
import configparser
import os
import re
import resource
import runpy
import shutil
import socket
import stat
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.socket_server import ACK, END, ERROR, HALF, Rude, SocketServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "f2b_enrich" / "client.py"
HANDOVER = CLIENT.with_name("handover.py")
PYTHON = ("/usr/bin/python3", "-I", "-S")
FIELDS = ("EVENT=ban", "JAIL=sshd", "IP=192.0.2.7", "TIME=1700000000.25")
GENEROUS_SECONDS = 5.0
"""What a client may take that gives up after half a second, on a busy machine."""


@dataclass
class Place:
    """The folders of one client: socket and marks in `run`, and the spool."""

    root: Path
    prefix: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})

    def __post_init__(self) -> None:
        self.run = self.root / "run"
        self.spool = self.root / "spool"
        self.second = self.run / "spool"
        for folder in (self.run, self.spool, self.second):
            folder.mkdir()

    @property
    def socket(self) -> Path:
        return self.run / "x.sock"

    @property
    def slow(self) -> Path:
        return self.run / "slow"

    @property
    def lost(self) -> Path:
        return self.run / "lost"

    @property
    def command(self) -> tuple[str, ...]:
        return (*PYTHON, str(CLIENT), str(self.socket), str(self.spool))

    def client(
        self, *fields: str | bytes, umask: int = 0o022
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self.prefix, *self.command, *(fields or FIELDS)],
            capture_output=True,
            check=False,
            timeout=60,
            env=self.env,
            umask=umask,
        )

    def spooled(self) -> list[Path]:
        return sorted(self.spool.iterdir())


@pytest.fixture
def place(short_folder: Path) -> Place:
    return Place(short_folder)


def sent(request: bytes) -> list[bytes]:
    """Give the fields of a request behind those that the client adds."""
    assert request.endswith(END)
    version, clock, *fields = request[: -len(END)].split(b"\0")
    assert version == b"V=1"
    assert re.fullmatch(rb"AT=\d{10}\.\d{3}", clock)
    return fields


def assert_quiet(done: subprocess.CompletedProcess[bytes]) -> None:
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def assert_lost(done: subprocess.CompletedProcess[bytes]) -> None:
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"f2b-enrich: no daemon, no spool: ")
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.endswith(b"\n")


def test_an_acknowledged_event_is_nowhere_else(place: Place) -> None:
    with SocketServer(place.socket, ACK) as server:
        assert_quiet(place.client())
    assert [sent(request) for request in server.requests] == [
        [field.encode() for field in FIELDS]
    ]
    assert list(place.run.iterdir()) == [place.second]
    assert place.spooled() == []


def test_empty_values_are_left_out_and_matches_stand_for_their_value(
    place: Place,
) -> None:
    with SocketServer(place.socket) as server:
        assert_quiet(place.client("JAIL=sshd", "DEST=", "MATCHES", "a=b\nc"))
        assert_quiet(place.client("JAIL=sshd", "MATCHES", ""))
        assert_quiet(place.client("JAIL=sshd", "MATCHES"))
    assert [sent(request) for request in server.requests] == [
        [b"JAIL=sshd", b"MATCHES=a=b\nc"],
        [b"JAIL=sshd"],
        [b"JAIL=sshd"],
    ]


HOSTILE = [
    b"caf\xe9 \xff\xfe",
    b"\xed\xa0\x80 \xf0\x9f\x98\x80 \xc3\xa9",
    b"\x1b[2J\x07\r\n\t\x7f",
    b"'\"`id` $(touch /tmp/x) ; & | \\ %s <ip>",
    b"=?utf-8?q?x?= V=1 MATCHES",
    bytes(range(1, 256)),
]


@pytest.fixture(scope="module")
def make_locale(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, str], dict[str, str]]:
    """Give a function that makes a locale and gives the environment of it."""
    folder = tmp_path_factory.mktemp("locales")

    def make(language: str, charset: str) -> dict[str, str]:
        if shutil.which("localedef") is None:
            pytest.skip("no localedef here")
        name = f"{language}.{charset}"
        made = subprocess.run(
            ("localedef", "-c", "-i", language, "-f", charset, str(folder / name)),
            capture_output=True,
            check=False,
        )
        if not (folder / name).exists():
            pytest.skip(f"localedef cannot make {name}: {made.stderr!r:.200}")
        env = {"LOCPATH": str(folder), "LC_ALL": name}
        if encoding_of(env) == "utf-8":
            pytest.skip(f"NOT tested: this system has no character map {charset}")
        return env

    return make


def encoding_of(env: Mapping[str, str]) -> str:
    code = "import sys; print(sys.getfilesystemencoding())"
    return subprocess.run(
        (*PYTHON, "-c", code), capture_output=True, check=True, text=True, env=env
    ).stdout.strip()


@pytest.mark.parametrize("env", [{}, {"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}], ids=str)
def test_bytes_arrive_as_they_are(place: Place, env: dict[str, str]) -> None:
    place.env = env
    with SocketServer(place.socket) as server:
        for value in HOSTILE:
            assert_quiet(place.client(b"F_USER=" + value, "MATCHES", value))
    assert [sent(raw) for raw in server.requests] == [
        [b"F_USER=" + value, b"MATCHES=" + value] for value in HOSTILE
    ]


def test_bytes_arrive_as_they_are_in_a_latin_1_locale(
    place: Place, make_locale: Callable[[str, str], dict[str, str]]
) -> None:
    env = make_locale("en_US", "ISO-8859-1")
    assert encoding_of(env) == "iso8859-1"
    test_bytes_arrive_as_they_are(place, env)


def test_bytes_that_a_locale_cannot_give_back_lose_no_event(
    place: Place, make_locale: Callable[[str, str], dict[str, str]]
) -> None:
    place.env = make_locale("ja_JP", "EUC-JP")
    assert encoding_of(place.env) == "euc_jp"
    with SocketServer(place.socket) as server:
        assert_quiet(place.client("IP=192.0.2.7", b"F_USER=\x92\xff"))
        assert_quiet(place.client("IP=192.0.2.7", b"F_USER=\xc6\xfc"))
    odd, plain = map(sent, server.requests)
    assert odd == [b"IP=192.0.2.7", "F_USER=\x92".encode() + b"\xff"]
    assert plain == [b"IP=192.0.2.7", b"F_USER=\xc6\xfc"]


@settings(max_examples=40)
@given(st.binary(min_size=1).filter(lambda raw: b"\0" not in raw))
def test_any_bytes_are_spooled_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, value: bytes
) -> None:
    place = Place(tmp_path_factory.mktemp("any"))
    assert_quiet(place.client(b"F_USER=" + value, "MATCHES", value))
    (file,) = place.spooled()
    assert sent(file.read_bytes()) == [b"F_USER=" + value, b"MATCHES=" + value]


def action_command(place: Place, name: str) -> str:
    """Give a command of our action with all tags but <matches> resolved."""
    action = configparser.RawConfigParser()
    action.read(ROOT / "action.d" / "f2b-enrich.conf")
    tags = {
        "python": " ".join(PYTHON),
        "client": CLIENT,
        "socket": place.socket,
        "spool": place.spool,
        "name": "sshd",
        "ip": "192.0.2.7",
        "time": "1.7e9",
        "bantime": "600",
        "failures": "3",
        "bancount": "1",
        "F-USER": "root",
        "dest": "",
        "sender": "",
        "matches": "$f2bV_matches",
    }
    command = action.get("Definition", name)
    for tag, value in tags.items():
        command = command.replace(f"<{tag}>", str(value))
    assert "<" not in command
    return command


@pytest.mark.parametrize(
    "matches",
    [
        b"x" * 131_071,
        b"\n".join(b"line %d $(id) `id` \"'\\ \xff" % n for n in range(5000))[:131_071],
        *HOSTILE,
    ],
    ids=len,
)
def test_lines_come_through_the_shell_as_fail2ban_passes_them(
    place: Place, matches: bytes
) -> None:
    # fail2ban 1.0.2, server/utils.py, buildShellCmd: a variable set from $0.
    script = "f2bV_matches=$0 \n" + action_command(place, "actionban")
    with SocketServer(place.socket) as server:
        done = subprocess.run(
            ("/bin/sh", "-c", script, matches), capture_output=True, check=False
        )
    assert_quiet(done)
    (request,) = server.requests
    assert sent(request)[-1] == b"MATCHES=" + matches
    assert b"JAIL=sshd" in sent(request)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "actionunban",
            [b"EVENT=unban", b"JAIL=sshd", b"IP=192.0.2.7", b"TIME=1.7e9"],
        ),
        (
            "actionprolong",
            [
                *(b"EVENT=prolong", b"JAIL=sshd", b"IP=192.0.2.7", b"TIME=1.7e9"),
                *(b"BANTIME=600", b"BANCOUNT=1"),
            ],
        ),
    ],
)
def test_the_actions_other_commands_reach_the_daemon(
    place: Place, name: str, expected: list[bytes]
) -> None:
    with SocketServer(place.socket) as server:
        done = subprocess.run(
            ("/bin/sh", "-c", action_command(place, name)),
            capture_output=True,
            check=False,
        )
    assert_quiet(done)
    assert [sent(request) for request in server.requests] == [expected]


def test_without_a_daemon_the_event_is_spooled_whole(place: Place) -> None:
    assert_quiet(place.client())
    (file,) = place.spooled()
    assert sent(file.read_bytes()) == [field.encode() for field in FIELDS]
    assert not place.slow.exists()


def test_a_spool_file_is_for_the_group_whatever_the_umask(place: Place) -> None:
    assert_quiet(place.client(umask=0o077))
    assert_quiet(place.client(umask=0))
    assert [stat.S_IMODE(file.stat().st_mode) for file in place.spooled()] == [
        *(0o640, 0o640),
    ]


def test_names_of_spool_files_sort_as_their_events_came(place: Place) -> None:
    for number in range(12):
        assert_quiet(place.client("EVENT=ban", f"IP=192.0.2.{number}"))
    files = place.spooled()
    assert [sent(file.read_bytes())[1] for file in files] == [
        b"IP=192.0.2.%d" % number for number in range(12)
    ]
    pattern = r"\d{20}-\d+-(\d+)\.ban"
    for file in files:
        named = re.fullmatch(pattern, file.name)
        assert named is not None
        assert int(named[1]) == file.stat().st_size


def test_clients_at_once_leave_a_file_each(place: Place) -> None:
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen((*place.command, f"IP=192.0.2.{number}"))
            )
            for number in range(20)
        ]
    assert [client.returncode for client in running] == [0] * 20
    assert len({file.read_bytes() for file in place.spooled()}) == 20


@pytest.mark.parametrize("reply", [ERROR, HALF, b"ok", b"\n", b"okay\n", Rude.CLOSE])
def test_what_is_no_acknowledgement_makes_the_client_spool(
    place: Place, reply: bytes | Rude
) -> None:
    with SocketServer(place.socket, reply):
        assert_quiet(place.client())
    assert len(place.spooled()) == 1
    assert not place.slow.exists()


def test_a_reply_without_an_end_is_not_read_for_ever(place: Place) -> None:
    with SocketServer(place.socket, b"ok " + b"x" * 100_000):
        assert_quiet(place.client())
    assert len(place.spooled()) == 1


@pytest.mark.parametrize("behaviour", [Rude.SILENT, Rude.DRIP])
def test_a_daemon_that_does_not_answer_costs_half_a_second(
    place: Place, behaviour: Rude
) -> None:
    with SocketServer(place.socket, behaviour):
        before = time.monotonic()
        assert_quiet(place.client())
        assert time.monotonic() - before < GENEROUS_SECONDS
    assert len(place.spooled()) == 1
    assert stat.S_IMODE(place.slow.stat().st_mode) == 0o640


def test_a_daemon_that_does_not_read_costs_half_a_second(place: Place) -> None:
    many = [f"F_{number}={'x' * 120_000}" for number in range(8)]
    with SocketServer(place.socket, Rude.DEAF):
        before = time.monotonic()
        assert_quiet(place.client(*many))
        assert time.monotonic() - before < GENEROUS_SECONDS
    (file,) = place.spooled()
    assert len(file.read_bytes()) > 8 * 120_000
    assert place.slow.exists()


def test_a_daemon_whose_queue_is_full_costs_no_wait(place: Place) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(place.socket))
        listener.listen(0)
        waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
        waiting.connect(str(place.socket))
        assert_quiet(place.client())
    assert len(place.spooled()) == 1


def test_after_a_slow_answer_clients_spool_without_connecting(place: Place) -> None:
    with SocketServer(place.socket, Rude.SILENT) as server:
        assert_quiet(place.client())
        assert place.slow.exists()
        assert_quiet(place.client())
    assert server.connections == 1
    assert len(place.spooled()) == 2


@pytest.mark.parametrize(
    ("age", "connections"), [(0.0, 0), (5.0, 0), (11.0, 1), (-3600.0, 1)]
)
def test_the_mark_holds_for_ten_seconds_and_not_from_the_future(
    place: Place, age: float, connections: int
) -> None:
    place.slow.touch()
    when = time.time() - age
    os.utime(place.slow, (when, when))
    with SocketServer(place.socket) as server:
        assert_quiet(place.client())
    assert server.connections == connections
    assert len(place.spooled()) == 1 - connections


def test_a_mark_is_freshened_by_the_next_slow_answer(place: Place) -> None:
    place.slow.touch()
    os.utime(place.slow, (1, 1))
    with SocketServer(place.socket, Rude.SILENT):
        assert_quiet(place.client())
    assert time.time() - place.slow.stat().st_mtime < 60


def test_without_a_spool_the_second_one_is_used(place: Place) -> None:
    place.spool.rmdir()
    assert_quiet(place.client())
    assert len(list(place.second.iterdir())) == 1


def test_a_spool_that_may_not_be_written_is_left_for_the_second(
    place: Place, as_nobody: tuple[str, ...]
) -> None:
    place.prefix = as_nobody
    place.second.chmod(0o777)
    assert_quiet(place.client())
    assert place.spooled() == []
    (file,) = place.second.iterdir()
    assert sent(file.read_bytes()) == [field.encode() for field in FIELDS]


@pytest.fixture
def full_disk(place: Place) -> Iterator[Place]:
    """Give a place whose spool is on a file system without room."""
    mounted = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place.spool),
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("only root, outside a container, can mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(("umount", place.spool), check=True)


def fill(folder: Path) -> None:
    (folder / "filling").write_bytes(b"x" * os.statvfs(folder).f_bavail * 4096)


def test_on_a_full_disk_nothing_is_left_and_the_second_spool_used(
    full_disk: Place,
) -> None:
    fill(full_disk.spool)
    assert_quiet(full_disk.client())
    assert full_disk.spooled() == [full_disk.spool / "filling"]
    (file,) = full_disk.second.iterdir()
    assert sent(file.read_bytes()) == [field.encode() for field in FIELDS]


def test_where_nothing_can_be_written_the_event_is_counted(place: Place) -> None:
    place.spool.rmdir()
    place.second.rmdir()
    assert_lost(place.client("EVENT=ban", b"JAIL=\x1b[2J\n\xff", "IP=192.0.2.7"))
    (line,) = place.lost.read_bytes().splitlines()
    assert line == b"EVENT=ban JAIL=\\x1b[2J\\n\\udcff IP=192.0.2.7"
    assert stat.S_IMODE(place.lost.stat().st_mode) == 0o640
    assert_lost(place.client())
    assert len(place.lost.read_bytes().splitlines()) == 2


def test_where_there_is_no_place_at_all_it_still_says_so(place: Place) -> None:
    shutil.rmtree(place.run)
    shutil.rmtree(place.spool)
    assert_lost(place.client())


def test_a_closed_standard_error_changes_nothing_else(place: Place) -> None:
    place.spool.rmdir()
    place.second.rmdir()
    closed = subprocess.run(
        ("/bin/sh", "-c", 'exec "$0" "$@" 2>&-', *place.command, *FIELDS),
        capture_output=True,
        check=False,
    )
    assert closed.returncode == 1
    assert len(place.lost.read_bytes().splitlines()) == 1


def test_the_list_of_lost_events_does_not_grow_for_ever(place: Place) -> None:
    place.spool.rmdir()
    place.second.rmdir()
    place.lost.write_bytes(b"x" * 1024 * 1024)
    assert_lost(place.client())
    assert place.lost.stat().st_size == 1024 * 1024


def test_a_spool_full_by_our_limit_is_not_carried_on_in_memory(place: Place) -> None:
    (place.spool / f"00000000000000000001-1-{256 * 1024 * 1024}.ban").touch()
    done = place.client()
    assert_lost(done)
    assert b"spool is full: 1 files, 268435456 bytes" in done.stderr
    assert list(place.second.iterdir()) == []


def client_module() -> dict[str, Any]:
    """Load the client into this process, to run its parts with smaller limits."""
    return runpy.run_path(str(HANDOVER))


@pytest.fixture
def leave() -> Callable[[Path, bytes, int, int], None]:
    function: Callable[[str, bytes, int, int], None] = client_module()["leave"]
    return lambda folder, request, files, size: function(
        str(folder), request, files, size
    )


def test_a_spool_takes_files_up_to_their_number(
    place: Place, leave: Callable[[Path, bytes, int, int], None]
) -> None:
    for _ in range(3):
        leave(place.spool, b"x", 3, 1000)
    with pytest.raises(OSError, match="spool is full: 3 files, 3 bytes") as full:
        leave(place.spool, b"x", 3, 1000)
    assert full.value.errno is None
    assert len(place.spooled()) == 3


def test_a_spool_takes_bytes_up_to_their_number(
    place: Place, leave: Callable[[Path, bytes, int, int], None]
) -> None:
    (place.spool / "bad").mkdir()
    (place.spool / "notes-of-mine.txt").touch()
    leave(place.spool, b"x" * 600, 100, 1000)
    with pytest.raises(OSError, match="spool is full"):
        leave(place.spool, b"x" * 401, 100, 1000)
    leave(place.spool, b"x" * 400, 100, 1000)
    assert len(place.spooled()) == 4


def test_the_second_spool_takes_an_eighth(place: Place) -> None:
    module = client_module()
    names = module["main"].__globals__
    names["MAX_FILES"] = 16
    place.spool.rmdir()
    arguments = ["client.py", str(place.socket), str(place.spool), *FIELDS]
    codes = [module["main"](arguments) for _ in range(3)]
    assert codes == [0, 0, 1]
    assert len(list(place.second.iterdir())) == 2


def test_limits_and_deadline_are_those_of_the_design() -> None:
    module = client_module()
    assert (module["MAX_FILES"], module["MAX_BYTES"]) == (50_000, 256 * 1024 * 1024)
    assert (module["DEADLINE"], module["SLOW_FOR"]) == (0.5, 10)


def test_a_link_in_place_of_a_mark_is_not_followed(place: Place) -> None:
    place.spool.rmdir()
    place.second.rmdir()
    target = place.root / "target"
    place.slow.symlink_to(target)
    place.lost.symlink_to(target)
    with SocketServer(place.socket, Rude.SILENT):
        assert_lost(place.client())
    assert not target.exists()
    target.write_text("mine")
    os.utime(target, (1, 1))
    with SocketServer(place.socket, Rude.SILENT):
        assert_lost(place.client())
    assert (target.read_text(), target.stat().st_mtime) == ("mine", 1)


@pytest.mark.parametrize("target_is_there", ["there", "missing"])
def test_a_link_in_place_of_a_spool_file_is_not_followed(
    place: Place, target_is_there: str
) -> None:
    module = client_module()
    module["leave"].__globals__["time"] = SimpleNamespace(time=lambda: 1.0)
    target = place.root / "target"
    if target_is_there == "there":
        target.write_text("mine")
    name = f"{10**9:020}-{os.getpid()}-1"
    (place.spool / f"{name}.tmp").symlink_to(target)
    with pytest.raises(FileExistsError):
        module["leave"](str(place.spool), b"x", 9, 9)
    (place.spool / f"{name}.tmp").rename(place.spool / f"{name}.ban")
    module["leave"](str(place.spool), b"x", 9, 9)
    assert (place.spool / f"{name}.ban").read_bytes() == b"x"
    assert not (place.spool / f"{name}.ban").is_symlink()
    assert target.exists() is (target_is_there == "there")
    assert not target.exists() or target.read_text() == "mine"


def test_a_pipe_in_the_way_is_not_waited_for(place: Place) -> None:
    place.spool.rmdir()
    place.second.rmdir()
    for mark in (place.slow, place.lost):
        os.mkfifo(mark)
        os.utime(mark, (1, 1))
    with SocketServer(place.socket, Rude.SILENT):
        before = time.monotonic()
        assert_lost(place.client())
        assert time.monotonic() - before < GENEROUS_SECONDS


def test_a_file_in_place_of_a_folder_is_no_spool(place: Place) -> None:
    place.spool.rmdir()
    place.spool.touch()
    assert_quiet(place.client())
    assert len(list(place.second.iterdir())) == 1


def test_it_is_python_3_6_and_short() -> None:
    for file in (CLIENT, HANDOVER):
        source = file.read_text("ascii")
        ast.parse(source, feature_version=(3, 6))
        assert len(source.splitlines()) <= 120


def test_it_loads_nothing_but_what_the_interpreter_brings(place: Place) -> None:
    script = (
        "import posix, sys; before = set(sys.modules); del sys.argv[0]\n"
        "posix._exit = lambda code: print(code, *sorted(set(sys.modules) - before))\n"
        "names = {'__name__': '__main__', '__file__': sys.argv[0]}\n"
        "exec(compile(open(sys.argv[0]).read(), 'client', 'exec'), names)\n"
    )
    words = [script, str(CLIENT), str(place.socket), str(place.spool), *FIELDS]
    done = subprocess.run(
        [*PYTHON, "-c", *words], capture_output=True, check=True, text=True
    )
    code, *loaded = done.stdout.split()
    assert code == "0"
    assert set(loaded) <= {"_socket", "handover", "posix", "time"}
    assert set(loaded) - {"handover"} <= set(sys.builtin_module_names)


@dataclass
class Copy:
    """A copy of the client in a folder of its own."""

    place: Place
    folder: Path

    def run(self, *, umask: int = 0o022) -> subprocess.CompletedProcess[bytes]:
        client = self.folder / "client.py"
        paths = (str(client), str(self.place.socket), str(self.place.spool))
        return subprocess.run(
            [*self.place.prefix, *PYTHON, *paths, *FIELDS],
            umask=umask,
            capture_output=True,
            check=False,
            timeout=60,
            env=self.place.env,
        )

    @property
    def kept(self) -> Path:
        (file,) = (self.folder / "__pycache__").iterdir()
        return file


@pytest.fixture
def copy(place: Place) -> Copy:
    folder = place.root / "lib"
    folder.mkdir()
    for file in (CLIENT, HANDOVER):
        shutil.copy(file, folder)
    return Copy(place, folder)


def test_what_is_compiled_is_kept_and_taken(copy: Copy) -> None:
    assert_quiet(copy.run())
    first = copy.kept.stat()
    assert_quiet(copy.run())
    assert copy.kept.stat() == first
    assert len(copy.place.spooled()) == 2


def test_a_new_version_is_taken_at_once(copy: Copy) -> None:
    assert_quiet(copy.run())
    source = copy.folder / "handover.py"
    source.write_text(source.read_text().replace("V=1", "V=1000"))
    assert_quiet(copy.run())
    assert copy.place.spooled()[-1].read_bytes().startswith(b"V=1000\0")


@pytest.mark.parametrize("left", [0, 10, 16, 17, 500, 4000])
def test_half_of_what_was_compiled_costs_no_ban(copy: Copy, left: int) -> None:
    assert_quiet(copy.run())
    os.truncate(copy.kept, left)
    assert_quiet(copy.run())
    assert len(copy.place.spooled()) == 2


@pytest.mark.parametrize("start", [768, 3584, 3840, 5632])
def test_a_hole_in_what_was_compiled_costs_no_ban(copy: Copy, start: int) -> None:
    assert_quiet(copy.run())
    kept = bytearray(copy.kept.read_bytes())
    kept[start : start + 512] = bytes(512)
    copy.kept.write_bytes(kept)
    assert_quiet(copy.run())
    assert_quiet(copy.run())
    assert copy.kept.read_bytes() != kept
    assert len(copy.place.spooled()) >= 3


def test_nobody_else_may_write_what_is_kept(copy: Copy) -> None:
    assert_quiet(copy.run(umask=0))
    folder = copy.folder / "__pycache__"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE(copy.kept.stat().st_mode) & 0o022 == 0


def test_a_file_full_of_zeros_costs_no_ban(copy: Copy) -> None:
    assert_quiet(copy.run())
    for start in (0, 16):
        kept = copy.kept.read_bytes()
        copy.kept.write_bytes(kept[:start] + bytes(len(kept) - start))
        assert_quiet(copy.run())
    assert len(copy.place.spooled()) == 3


def test_a_folder_that_the_client_may_not_write_to_costs_no_ban(
    place: Place, copy: Copy, as_nobody: tuple[str, ...]
) -> None:
    place.spool.chmod(0o777)
    place.prefix = as_nobody
    assert_quiet(copy.run())
    assert {file.name for file in copy.folder.iterdir()} == {"client.py", "handover.py"}
    assert len(place.spooled()) == 1


def test_a_link_in_place_of_a_spool_is_not_followed(place: Place) -> None:
    target = place.root / "target"
    target.mkdir()
    for folder in (place.spool, place.second):
        folder.rmdir()
        folder.symlink_to(target)
    assert_lost(place.client())
    assert list(target.iterdir()) == []


@contextmanager
def no_room() -> Iterator[None]:
    """Have every write to a file fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_cannot_be_written_leaves_no_descriptor_open(
    place: Place, leave: Callable[[Path, bytes, int, int], None]
) -> None:
    append = client_module()["append"]
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(20):
        with no_room():
            append(str(place.root / "lost"), b"x")
        with pytest.raises(OSError, match="spool is full"):
            leave(place.spool, b"x", 0, 0)
    assert len(list(descriptors.iterdir())) == before
    assert (place.root / "lost").read_bytes() == b""
