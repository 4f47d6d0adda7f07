"""The manual pages: whole, up to date, and read by both programs that read such."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.cli import man, roff
from f2b_enrich.cli.described import sections
from f2b_enrich.cli.main import cli
from f2b_enrich.cli.reference import walk
from f2b_enrich.inert import printable

FOLDER = Path(__file__).parents[2] / "docs" / "man"
READERS = {
    "mandoc": ("mandoc", "-Tutf8", "-Owidth=1000"),
    "groff": ("groff", "-ww", "-man", "-Tutf8", "-P-cbou", "-rLL=4000n", "-rHY=0"),
}
_OVERSTRUCK = re.compile(".\b")

# Whatever a help text may hold; the letters beyond ASCII are those that both programs
# print as one character each.
LETTERS = st.one_of(
    st.sampled_from("\\-'`^~\".%$|#{}[]()<>&@*/:!? \t\n\x1b\x00"),
    st.characters(min_codepoint=0x20, max_codepoint=0x7E),
    st.sampled_from("äßéλЖ€—“”…"),
)
TEXTS = st.lists(st.text(LETTERS, max_size=120), min_size=1, max_size=30)


def read(page: str, reader: str) -> str:
    """Give what a reader sees of a page; whatever the program objects to fails."""
    done = subprocess.run(
        READERS[reader], input=page.encode(), capture_output=True, check=True
    )
    assert done.stderr == b""
    return _OVERSTRUCK.sub("", done.stdout.decode())


def body(page: str, reader: str) -> list[str]:
    """Give the lines between the marks, without the margin."""
    seen = read(
        '.TH X 1 2026-11-22 "f2b-enrich 0.1.0"\n.SH NAME\nx \\- y\n'
        f".SH TEXT\nBEGIN\n{page}.PP\nEND\n",
        reader,
    )
    inside = seen[seen.index("BEGIN") + 5 : seen.rindex("END")]
    return [line.strip() for line in inside.splitlines() if line.strip()]


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60)
@given(texts=TEXTS)
def test_lines_are_printed_as_they_are(reader: str, texts: list[str]) -> None:
    seen = body(roff.literal(texts), reader)
    assert seen == [line for text in texts if (line := printable(text).strip())]


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60)
@given(texts=TEXTS)
def test_paragraphs_are_printed_as_they_are(reader: str, texts: list[str]) -> None:
    plain = [" ".join(printable(text.replace("`", "")).split()) for text in texts]
    paragraphs = [text for text in plain if text]
    seen = body("".join(map(roff.paragraph, paragraphs)), reader)
    assert seen == paragraphs


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60)
@given(texts=TEXTS)
def test_titles_and_tags_are_printed_as_they_are(reader: str, texts: list[str]) -> None:
    names = [name for text in texts if (name := " ".join(printable(text).split()))]
    page = "".join(
        roff.subsection(name, roff.item(roff.bold(name), "Meaning of it."))
        for name in names
    )
    seen = " ".join(" ".join(body(page, reader)).split())
    assert seen == " ".join(f"{name} {name} Meaning of it." for name in names)


@given(text=st.text(LETTERS, max_size=400))
def test_no_line_of_source_is_too_long_or_a_request(text: str) -> None:
    for page in (roff.literal([text]), roff.filled(text)):
        lines = page.splitlines()
        assert max(map(len, lines), default=0) <= 80
        inner = [line for line in lines if line not in {".RS 4", ".nf", ".fi", ".RE"}]
        following = ["", *inner]
        for before, line in zip(following, inner, strict=False):
            assert before.endswith("\\") or not line.startswith((".", "'"))


def test_words_between_backticks_are_bold() -> None:
    assert roff.filled("see `a -b` and `c`, or `d") == (
        "see \\fBa\\fR \\fB\\-b\\fR and \\fBc\\fR, or \\(gad\n"
    )


@pytest.mark.parametrize("name", man.PAGES)
def test_a_page_is_what_the_program_says_today(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == man.PAGES[name](), (
        "write them anew: .venv/bin/python -m f2b_enrich.cli.man docs/man"
    )


def test_pages_are_the_same_on_any_day_and_in_any_place(tmp_path: Path) -> None:
    places: tuple[dict[str, str], ...] = (
        {"TZ": "Pacific/Auckland", "LC_ALL": "C", "COLUMNS": "40"},
        {"TZ": "UTC", "LC_ALL": "C.UTF-8", "COLUMNS": "200", "PYTHONHASHSEED": "7"},
    )
    for number, environ in enumerate(places):
        subprocess.run(
            [sys.executable, "-m", "f2b_enrich.cli.man", str(tmp_path / str(number))],
            env={**os.environ, **environ},
            check=True,
        )
    for name in man.PAGES:
        first, second = (tmp_path / each / name for each in "01")
        assert first.read_bytes() == second.read_bytes()
        assert first.read_bytes() == (FOLDER / name).read_bytes()


def test_only_the_pages_are_there() -> None:
    assert sorted(each.name for each in FOLDER.iterdir()) == sorted(man.PAGES)


@pytest.mark.parametrize("name", man.PAGES)
@pytest.mark.parametrize(
    "command",
    [
        ("mandoc", "-Tlint"),
        ("groff", "-ww", "-man", "-Tutf8", "-z"),
        ("groff", "-ww", "-man", "-Tascii", "-z"),
    ],
    ids=["mandoc", "groff-utf8", "groff-ascii"],
)
def test_the_readers_have_nothing_to_object(
    name: str, command: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [*command, str(FOLDER / name)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("reader", READERS)
def test_every_command_and_every_option_is_there(reader: str) -> None:
    seen = read(man.f2b_enrich_1(), reader).split("\n   f2b-enrich ")
    parts = {part.partition("\n")[0].strip(): part for part in seen[1:]}
    known = {
        each.command_path.removeprefix("f2b-enrich "): each
        for each in walk(cli, "f2b-enrich")
        if not isinstance(each.command, click.Group)
    }
    assert parts.keys() == known.keys()
    for name, context in known.items():
        for param in context.command.params:
            if isinstance(param, click.Option):
                where = seen[0] if "--config" in param.opts else parts[name]
                where = seen[0] if "--db" in param.opts else where
                assert param.opts[0] in where, f"{name} {param.opts}"


@pytest.mark.parametrize("reader", READERS)
def test_every_key_is_there_below_its_section(reader: str) -> None:
    seen = read(man.f2b_enrich_toml_5(), reader)
    for section in sections():
        title = f"\n   [{section.name}]\n" if section.name else "Before any section"
        assert seen.count(title) == 1
        after = seen.partition(title)[2].partition("\n   [")[0]
        for key in section.keys or section.entry:
            assert f"{key.name} ({key.takes})" in after


@pytest.mark.parametrize("reader", READERS)
def test_signals_files_and_exit_codes_are_told(reader: str) -> None:
    seen = read(man.f2b_enrich_daemon_8(), reader)
    for word in (
        *("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SIGNALS", "FILES"),
        *("ENVIRONMENT", "EXIT STATUS", "EXAMPLE", "SEE ALSO"),
    ):
        assert f"\n{word}\n" in seen
    for word in ("SIGTERM", "SIGHUP", "/var/spool/f2b-enrich", "NOTIFY_SOCKET"):
        assert word in seen
