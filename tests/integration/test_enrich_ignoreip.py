"""What fail2ban never bans is read as the real fail2ban reads it."""

from __future__ import annotations

import ast
import ipaddress
import os
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from demo.lab import copy_stock
from f2b_enrich.enrich.ignoreip import DEFAULT, Ignored, _Values, read
from f2b_enrich.enrich.jail_files import JailFiles

Files = dict[str, str]

# Without these fail2ban would look for filters and logs; every jail is on.
BASE = "[DEFAULT]\nenabled = true\nbackend = polling\nfilter =\naction =\n"


def lay_out(folder: Path, files: Files) -> Path:
    (folder / "jail.d").mkdir(exist_ok=True)
    for name, text in {
        "fail2ban.conf": "[Definition]\n",
        "jail.d/00-base.conf": BASE,
        **files,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def told(folder: Path) -> dict[str, list[str]] | None:
    """Ask fail2ban for the words of each jail; None when it refuses the folder."""
    command = ["fail2ban-client", "-c", str(folder), "-d"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    lines = [
        ast.literal_eval(line)
        for line in done.stdout.splitlines()
        if line.startswith("['")
    ]
    words: dict[str, list[str]] = {line[1]: [] for line in lines if line[0] == "add"}
    for line in lines:
        if line[0] == "set" and line[2:3] == ["addignoreip"]:
            words[line[1]] = line[3:]
    return words


def found(folder: Path) -> dict[str, list[str]]:
    """Read the words of each jail as our reader does."""
    values = _Values(folder)
    for file in JailFiles(folder).in_order():
        values.add(file)
    values.finish()
    jails = [name for name in values.sections if not name.startswith(("KN", "INC"))]
    return {jail: values._words(jail) for jail in jails}


def sections(ignored: Ignored) -> dict[str, tuple[str, ...]]:
    return {str(network): names for network, names in ignored.networks.items()}


@pytest.mark.parametrize(
    "files",
    [
        {"jail.conf": "[DEFAULT]\nignoreip = 127.0.0.1/8 ::1\n[a]\n[b]\n"},
        {"jail.conf": "[DEFAULT]\nignoreip = 192.0.2.1\n[a]\nignoreip = 192.0.2.2\n"},
        {"jail.conf": "[DEFAULT]\nignoreip = 192.0.2.1\n[a]\nignoreip =\n[b]\n"},
        {"jail.conf": "[a]\n"},
        {
            "jail.conf": "[DEFAULT]\nignoreip = 192.0.2.1\n[a]\n",
            "jail.local": "[DEFAULT]\nignoreip = 192.0.2.2\n",
        },
        {
            "jail.conf": "[a]\nignoreip = 192.0.2.1\n",
            "jail.d/x.conf": "[a]\nignoreip = 192.0.2.2\n",
            "jail.d/y.conf": "[a]\nignoreip = 192.0.2.3\n",
        },
        {
            "jail.local": "[a]\nignoreip = 192.0.2.1\n",
            "jail.d/x.conf": "[a]\nignoreip = 192.0.2.2\n",
        },
        {
            "jail.local": "[a]\nignoreip = 192.0.2.1\n",
            "jail.d/x.local": "[a]\nignoreip = 192.0.2.2\n",
            "jail.d/.x.local": "[a]\nignoreip = 192.0.2.3\n",
            "jail.d/z.local.bak": "[a]\nignoreip = 192.0.2.4\n",
        },
        {"jail.conf": "[DEFAULT]\nx = 192.0.2.1\n[a]\nignoreip = ::1 %(x)s\n"},
        {"jail.conf": "[a]\noffice = 192.0.2.1\nIgnoreIP = %(OFFICE)s\n[b]\n"},
        {"jail.conf": "[DEFAULT]\nignoreip = %(x)s\n[a]\nx = 192.0.2.1\n"},
        {
            "jail.conf": "[a]\nignoreip = %(b/ignoreip)s ::1\n"
            "[b]\nignoreip = 192.0.2.1\n"
        },
        {
            "jail.conf": "[DEFAULT]\nx = 192.0.2.2\nignoreip = 192.0.2.1\n"
            "[a]\nignoreip = %(default/ignoreip)s %(b/x)s\n[b]\n"
        },
        {
            "jail.conf": "[DEFAULT]\nignoreip = 192.0.2.1\n"
            "[a]\nignoreip = %(known/ignoreip)s 192.0.2.2\n"
        },
        {
            "jail.conf": "[a]\nignoreip = 192.0.2.1\n",
            "jail.local": "[a]\nignoreip = %(known/ignoreip)s 192.0.2.2\n",
        },
        {
            "jail.conf": "[a]\nignoreip = 192.0.2.1\n",
            "jail.d/x.conf": "[a]\nignoreip = 192.0.2.2\n",
            "jail.local": "[a]\nignoreip = %(known/ignoreip)s 192.0.2.3\n",
        },
        {"jail.conf": "[a-b]\nignoreip = %(__name__)s %(fail2ban_confpath)s/x\n"},
        {
            "jail.conf": "[DEFAULT]\nfail2ban_confpath = /x\n"
            "ignoreip = %(fail2ban_confpath)s\n[a]\n"
        },
        {"jail.conf": "[a]\nignoreip = 100%%.example\n"},
        {"jail.conf": "[a]\nignoreip = 192.0.2.1,192.0.2.2 , 192.0.2.3,,\n"},
        {
            "jail.conf": "[a]\nignoreip: 192.0.2.1 ; the office\n"
            "  # its neighbour\n  192.0.2.2\n\n  192.0.2.3\n\n; end\nmaxretry = 3\n"
        },
        {"jail.conf": "[a]\nignoreip = 192.0.2.1 # home\n"},
        {"jail.conf": "[a]\nignoreip = 192.0.2.1\t192.0.2.2\n"},
        {"jail.conf": "[a]\r\nignoreip = 192.0.2.1\r\n  192.0.2.2\r\n"},
        {
            "jail.conf": "[a]\nignoreip = [2001:db8::1] [2001:db8:1::]/48 "
            "2001:db8:2::/48\n"
        },
        {"jail.conf": "[a]\nignoreip = www.example büro.example file:/etc/friends\n"},
        {"jail.conf": "[a?family=inet6]\nignoreip = 192.0.2.1\n[a]\nignoreip = ::1\n"},
        {"jail.conf": "[a?family=inet6]\nignoreip = 192.0.2.1\n"},
        {
            "jail.conf": "[INCLUDES]\nbefore = p.conf\nafter = q.conf\n jail.d/r.inc\n"
            "[a]\nignoreip = %(known/ignoreip)s 192.0.2.1\n",
            "p.conf": "[a]\nignoreip = 192.0.2.2\n"
            "[DEFAULT]\nignoreip = 192.0.2.3\n[b]\n",
            "p.local": "[DEFAULT]\nignoreip = 192.0.2.4\n",
            "q.conf": "[c]\nignoreip = 192.0.2.5\n",
            "jail.d/r.inc": "[INCLUDES]\nbefore = s.inc\n[c]\nignoreip = 192.0.2.6\n",
            "jail.d/s.inc": "[d]\nignoreip = 192.0.2.7\n",
        },
        {
            "jail.conf": "[DEFAULT]\nx = p\n[INCLUDES]\nbefore = %(x)s.conf\n[a]\n",
            "p.conf": "[a]\nignoreip = 192.0.2.2\n",
        },
        {
            "jail.conf": "[DEFAULT]\nbefore = p.conf\n[INCLUDES]\n[a]\n",
            "p.conf": "[a]\nignoreip = 192.0.2.2\n",
        },
        {
            "jail.conf": "[DEFAULT]\nbefore = p.conf\n[a]\n",
            "p.conf": "[a]\nignoreip = 192.0.2.2\n",
        },
        {
            "jail.conf": "[INCLUDES]\nbefore = p.conf\n[a]\nignoreip = 192.0.2.1\n",
            "p.conf": "[INCLUDES]\nbefore = jail.conf\n[a]\nignoreip = 192.0.2.2\n",
        },
        {"jail.conf": "[INCLUDES]\nbefore = missing.conf\n[a]\nignoreip = 192.0.2.1\n"},
        {"jail.conf": "[DEFAULT]\nignoreip = ::1\n[DEFAULT]\nx = 1\n[a]\n"},
        {
            "jail.conf": "[KNOWN/a]\nignoreip = ::1\n"
            "[a]\nignoreip = %(known/ignoreip)s\n"
        },
    ],
)
def test_the_words_are_those_that_fail2ban_reads(tmp_path: Path, files: Files) -> None:
    folder = lay_out(tmp_path, files)

    known = told(folder)

    assert known
    assert found(folder) == known
    assert read(folder).problems == ()


WORDS = st.sampled_from(
    [
        *("192.0.2.1", "198.51.100.0/24", "::1", "[2001:db8::1]", "www.example"),
        *("%(nets)s", "%(nets)s", "%(known/ignoreip)s", "%(b/ignoreip)s"),
        *("%(default/ignoreip)s", "%(__name__)s", "100%%"),
    ]
)
BETWEEN = st.sampled_from(
    [" ", ",", " , ", "\n  ", " ; x\n  ", "\n  # x\n  ", "\n\n\t"]
)
VALUES = st.lists(st.tuples(WORDS, BETWEEN), max_size=3).map(
    lambda pairs: "".join(word + between for word, between in pairs)
)
PLAIN = st.sampled_from(["", "203.0.113.1", "203.0.113.2, 203.0.113.3"])
SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "DEFAULT": st.fixed_dictionaries(
            {}, optional={"ignoreip": PLAIN, "nets": PLAIN}
        ),
        "a": st.fixed_dictionaries({}, optional={"ignoreip": VALUES, "nets": PLAIN}),
        "b": st.fixed_dictionaries({}, optional={"ignoreip": PLAIN, "nets": PLAIN}),
        "a?x=1": st.fixed_dictionaries({}, optional={"ignoreip": VALUES}),
        "INCLUDES": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("before", "after"), st.just("more.inc"))
        ),
    },
)
NAMES = (
    "jail.conf",
    "jail.local",
    "jail.d/a.conf",
    "jail.d/b.local",
    "jail.d/more.inc",
)


def text_of(options_of: dict[str, dict[str, str]]) -> str:
    return "".join(
        f"[{section}]\n"
        + "".join(f"{name} = {value.rstrip()}\n" for name, value in options.items())
        for section, options in options_of.items()
    )


@settings(max_examples=25, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, SECTIONS.map(text_of))))
def test_any_files_that_fail2ban_takes_mean_the_same(files: Files) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = lay_out(Path(name), files)
        base = folder / "jail.d" / "00-base.conf"
        base.write_text(BASE + "nets =\nignoreip =\n[a]\n[b]\n")

        known = told(folder)

        if known is None:
            assert read(folder).problems
        else:
            assert found(folder) == known


def test_a_network_is_told_with_the_jails_that_name_it(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "jail.conf": "[DEFAULT]\nignoreip = 127.0.0.1/8 office.example\n[off]\n"
            "enabled = false\nignoreip = 192.0.2.7 %(known/ignoreip)s\n[same]\n"
            "[web]\nignoreip = [2001:db8::7], 192.0.2.7/255.255.255.255 file:/x\n"
        },
    )

    ignored = read(tmp_path)

    assert sections(ignored) == {
        "127.0.0.0/8": (DEFAULT, "off"),
        "192.0.2.7/32": ("off", "web"),
        "2001:db8::7/128": ("web",),
    }
    assert ignored.left_aside == 2
    assert ignored.problems == ()


def test_fail2bans_stock_configuration_has_no_problem(tmp_path: Path) -> None:
    copy_stock(tmp_path)
    (tmp_path / "jail.local").write_text("[DEFAULT]\nignoreip = 192.0.2.0/24\n")

    ignored = read(tmp_path)

    assert sections(ignored) == {"192.0.2.0/24": (DEFAULT,)}
    assert ignored.problems == ()


def test_where_there_is_no_fail2ban_nothing_is_said(tmp_path: Path) -> None:
    assert read(tmp_path / "missing") == Ignored()
    assert read(tmp_path) == Ignored()


SOUND = "[DEFAULT]\nignoreip = 192.0.2.1\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"ignoreip = secret\n", "line 1: no [section] before it"),
        (b"[a]\n[a]\n", "line 2: a second [a]"),
        (b"[a]\nx = 1\nx = secret\n", "line 3: a second x in [a]"),
        (b"[a]\nsecret\n", "line 2: neither option nor section"),
        (b"[a]\nx = \xff\n", "not UTF-8"),
        (bytes(range(256)) * 9, "not UTF-8"),
        (b"\0" * 99, "line 1: no [section] before it"),
        (b"\xef\xbb\xbf[a]\n", "line 1: no [section] before it"),
        (b"# " + b"x" * (1 << 20), "too large, the limit is 1048576 bytes"),
    ],
)
def test_a_broken_file_is_left_out_and_the_rest_counts(
    tmp_path: Path, text: bytes, reason: str
) -> None:
    (tmp_path / "jail.conf").write_text(SOUND)
    (tmp_path / "jail.local").write_bytes(text)

    ignored = read(tmp_path)

    assert ignored.problems == (f"{tmp_path}/jail.local: {reason}",)
    assert sections(ignored) == {"192.0.2.1/32": (DEFAULT,)}


def test_a_file_of_just_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "jail.conf").write_text(SOUND.ljust(1 << 20, "\n"))

    assert sections(read(tmp_path)) == {"192.0.2.1/32": (DEFAULT,)}


def test_what_is_no_file_does_not_hold_it_up(tmp_path: Path) -> None:
    (tmp_path / "jail.local").write_text(SOUND)
    os.mkfifo(tmp_path / "jail.conf")
    more = tmp_path / "jail.d"
    more.mkdir()
    (more / "folder.conf").mkdir()
    (more / "gone.conf").symlink_to("nowhere")
    (more / "loop.conf").symlink_to("loop.conf")
    (more / "null.conf").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(more)  # an address of a socket may not be long
        listener.bind("socket.conf")
        os.chdir(here)

        ignored = read(tmp_path)

    assert ignored.problems == (
        f"{tmp_path}/jail.conf: not a regular file",
        f"{more}/folder.conf: not a regular file",
        f"{more}/loop.conf: Too many levels of symbolic links",
        f"{more}/null.conf: not a regular file",
        f"{more}/socket.conf: No such device or address",
    )
    assert sections(ignored) == {"192.0.2.1/32": (DEFAULT,)}


def test_a_folder_that_cannot_be_listed_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "jail.conf").write_text(SOUND)
    (tmp_path / "jail.d").touch()

    ignored = read(tmp_path)

    assert ignored.problems == (f"{tmp_path}/jail.d: Not a directory",)
    assert sections(ignored) == {"192.0.2.1/32": (DEFAULT,)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
@pytest.mark.parametrize("closed", ["jail.local", "jail.d"])
def test_what_may_not_be_read_is_a_problem(short_folder: Path, closed: str) -> None:
    (short_folder / "jail.conf").write_text(SOUND)
    (short_folder / "jail.local").touch()
    (short_folder / "jail.d").mkdir()
    (short_folder / closed).chmod(0o700)
    os.seteuid(65534)
    try:
        ignored = read(short_folder)
    finally:
        os.seteuid(0)

    assert ignored.problems == (f"{short_folder / closed}: Permission denied",)
    assert sections(ignored) == {"192.0.2.1/32": (DEFAULT,)}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("%(secret)s", "%(secret)s is not set"),
        ("%(no/ignoreip)s", "%(no/ignoreip)s is not set"),
        ("%(ignoreip)s", "it names itself, or over 10 others in a row"),
        ("hunter2%", "a % without a name in brackets"),
    ],
)
def test_a_value_without_a_meaning_is_told_once(
    tmp_path: Path, value: str, reason: str
) -> None:
    (tmp_path / "jail.conf").write_text(
        f"[DEFAULT]\nignoreip = {value}\n[a]\n[b]\n[c]\nignoreip = 192.0.2.1\n"
    )

    ignored = read(tmp_path)

    assert ignored.problems == (f"{tmp_path}: ignoreip of [DEFAULT]: {reason}",)
    assert sections(ignored) == {"192.0.2.1/32": ("c",)}


def test_a_jails_own_value_without_a_meaning_names_the_jail(tmp_path: Path) -> None:
    (tmp_path / "jail.conf").write_text(f"{SOUND}[\x1b[2Ja]\nignoreip = %(x)s\n[b]\n")

    (problem,) = read(tmp_path).problems

    assert problem == f"{tmp_path}: ignoreip of [\u241b[2Ja]: %(x)s is not set"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ("%(x)s.conf", "before of [INCLUDES]: %(x)s is not set"),
        ("%(fail2ban_confpath)s/x", "before of [INCLUDES]: %(fail2ban_confpath)s is"),
    ],
)
def test_an_include_without_a_meaning_is_a_problem(
    tmp_path: Path, names: str, reason: str
) -> None:
    (tmp_path / "jail.conf").write_text(f"[INCLUDES]\nbefore = {names}\n{SOUND}")

    ignored = read(tmp_path)

    (problem,) = ignored.problems
    assert problem.startswith(f"{tmp_path}/jail.conf: {reason}")
    assert sections(ignored) == {"192.0.2.1/32": (DEFAULT,)}


@pytest.mark.parametrize(
    "name", ["/", "..", ".", "x\0y", "x" * 300, "\udcff", "~", "*"]
)
def test_no_name_of_an_include_breaks_it(tmp_path: Path, name: str) -> None:
    text = f"[INCLUDES]\nafter = {name}\n{SOUND}"
    (tmp_path / "jail.conf").write_text(text, "utf-8", "surrogateescape")

    assert all(
        str(tmp_path) in problem or "/" in problem
        for problem in read(tmp_path).problems
    )


def test_includes_that_never_end_are_cut_off(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    # Another spelling of the same file each time, twice.
    names = "more/../jail.conf\n more/.././more/../jail.conf"
    (tmp_path / "jail.conf").write_text(f"[INCLUDES]\nbefore = {names}\n{SOUND}")

    ignored = read(tmp_path)

    assert "the limit is 20 files within each other" in ignored.problems[0]
    assert ignored.problems[-1] == (
        f"{tmp_path}: not read whole, the limit is 1000 files and includes"
    )
    assert sections(ignored) == {"192.0.2.1/32": (DEFAULT,)}


@settings(max_examples=200, deadline=None)
@given(
    raw=st.binary()
    | st.text("[]=%()s;#:\n \tabADEFULTignoreip/known127.0:1", max_size=200).map(
        lambda text: f"{SOUND}[a]\nignoreip={text}".encode()
    ),
    more=st.text(),
)
@example(raw=b"[INCLUDES]\nbefore = jail.conf", more="[INCLUDES]\nafter=jail.local")
def test_no_bytes_break_it(raw: bytes, more: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "jail.conf").write_bytes(raw)
        (folder / "jail.local").write_text(more, "utf-8", "surrogatepass")

        ignored = read(folder)

    assert all(problem.isprintable() for problem in ignored.problems)
    assert all(
        isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network)
        for network in ignored.networks
    )
