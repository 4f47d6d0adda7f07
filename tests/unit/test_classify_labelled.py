"""The rules say of real lines what people say who have not seen the rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.attacks import CLASSES
from tests.classes_table import (
    COVERS,
    PAGE,
    Judged,
    attacks,
    judge,
    labelled,
    main,
    page,
)
from tests.labelled import (
    ATTACK_LINES,
    BENIGN,
    FILTER_LOGS,
    NUMBER,
    UNHEARD_OF,
    Line,
    address,
    bans,
    benign_lines,
    labelled_lines,
    read_labels,
    what_is_missing,
)

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "corpus,file,first,last,labels\n"
OURS = [
    ip_network(net)
    for net in (
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"),
        *("127.0.0.0/8", "::1/128", "0.0.0.0/32", "::/128"),
    )
]


@pytest.fixture(scope="module")
def judged() -> tuple[Judged, ...]:
    if missing := what_is_missing():
        pytest.skip(missing)
    return judge((*labelled_lines(), *benign_lines()))


def test_nearly_all_lines_of_attacks_have_the_class_that_people_see(
    judged: tuple[Judged, ...],
) -> None:
    shown = attacks(judged)

    assert len(shown) > 1000
    missed = [one for one in shown if not one.right]
    assert len(missed) <= 0.05 * len(shown), Counter(
        f"{one.line.file}: {one.line.label} is {one.attack}" for one in missed
    )


def test_no_ordinary_line_among_those_of_attacks_has_a_class(
    judged: tuple[Judged, ...],
) -> None:
    assert claimed(labelled(judged, BENIGN)) == []


def test_the_page_of_the_classes_is_what_the_program_writes(
    judged: tuple[Judged, ...],
) -> None:
    assert PAGE.read_text("utf-8") == page(judged)


def test_no_line_of_ordinary_life_has_a_class() -> None:
    assert claimed(judge(benign_lines())) == []


def test_no_line_of_ordinary_life_has_a_class_alone() -> None:
    alone = [replace(line, address=f"line {line.number}") for line in benign_lines()]

    assert len(bans(alone)) == len(alone)
    assert claimed(judge(alone)) == []


def test_a_class_that_is_claimed_and_one_that_is_missed_are_seen() -> None:
    tried = a_line("Nov 21 20:13:22 host sshd[1]: Invalid user a from 192.0.2.7 port 1")
    mute = a_line("nothing at all", labels=("ftp-abuse",))
    wrong = replace(tried, labels=("ftp-abuse",), address="198.51.100.7")

    judged = judge([tried, mute, wrong])

    assert [one.right for one in judged] == [True, False, False]
    assert [one.attack is None for one in judged] == [False, True, False]
    assert "| `ftp-abuse` | 2 | 0 | 1 `ssh-password-guessing` | 1 |" in page(judged)
    assert "| all | 3 | 1 (33.3 %) | 1 (33.3 %) | 1 (33.3 %) |" in page(judged)
    assert len(claimed(judged)) == 2


def test_a_class_of_a_line_counts_whichever_label_it_is() -> None:
    text = "Nov 21 20:13:22 host sshd[1]: Invalid user a from 192.0.2.7 port 1"

    judged = judge([a_line(text, labels=("ftp-abuse", "ssh-password-guessing"))])

    assert "| `ftp-abuse` | 1 | 1 | 0 | 0 |" in page(judged)
    assert "\n  1 lines have two or more labels" in page(judged)


def test_lines_that_show_nothing_alone_are_counted_apart() -> None:
    judged = judge([a_line("nothing", labels=(NUMBER,)), a_line("something else")])

    assert attacks(judged) == labelled(judged, "ssh-password-guessing")
    assert "that told them: 1 none." in page(judged)


def test_every_class_is_on_the_page_once() -> None:
    written = page(judge([a_line("nothing")]))

    assert list(COVERS) == list(CLASSES)
    for name, wording in CLASSES.items():
        assert written.count(f"| `{name}` | {wording} |") == 1


def test_ordinary_life_is_at_least_250_different_lines() -> None:
    texts = [line.text for line in benign_lines()]

    assert len(set(texts)) == len(texts) >= 250


def test_ordinary_life_has_addresses_for_documentation_only() -> None:
    found = [ip_address(line.address) for line in benign_lines() if line.address]

    assert len(found) > 150
    assert [one for one in found if not any(one in net for net in OURS)] == []


def test_labels_are_read_by_range() -> None:
    labels = read_labels(
        f"{HEADER}filter-logs,sshd,1,3,ftp-abuse|vpn-abuse\nfilter-logs,sshd,4,4,benign\n"
    )

    assert labels == {
        (FILTER_LOGS, "sshd"): {
            range(1, 4): ("ftp-abuse", "vpn-abuse"),
            range(4, 5): (BENIGN,),
        }
    }


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("a,b,1,1,nonsense", "'nonsense' is no class of attack"),
        ("a,b,1,3,benign\na,b,3,4,benign", "line 3 is not after the line before"),
        ("a,b,3,2,benign", "line 3 is not after the line before"),
        ("a,b,0,2,benign", "line 0 is not after the line before"),
    ],
)
def test_bad_labels_are_refused(rows: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_labels(f"{HEADER}{rows}\n")


@pytest.mark.parametrize(
    ("text", "sources", "expected"),
    [
        ("192.0.2.7 - - [x]", (), "192.0.2.7"),
        ("host=::ffff:192.0.2.7 port=22", (), "::ffff:192.0.2.7"),
        ("IP: 2001:db8::7. Username: a", (), "2001:db8::7"),
        ("[2001:db8::7]:5060 refused", (), "2001:db8::7"),
        ("16:08:02 client 198.51.100.7:80", (), "198.51.100.7"),
        ("to 192.0.2.1 from 192.0.2.7", ("192.0.2.7",), "192.0.2.7"),
        ("to 192.0.2.1 from 192.0.2.7", ("192.0.2.9",), "192.0.2.1"),
        ("vaultwarden::api::identity by 192.0.2.7. Name: a", (), "192.0.2.7"),
        ("remote host [ipv4:192.0.2.7:62419]", (), "192.0.2.7"),
        ("999.0.2.1 and 9.1.192.0.2 are none", (), ""),
        ("nobody", ("192.0.2.7",), ""),
    ],
)
def test_a_line_belongs_to_the_address_in_it(
    text: str, sources: tuple[str, ...], expected: str
) -> None:
    assert address(text, sources) == expected


def test_a_ban_is_what_one_address_did_in_one_log() -> None:
    first = a_line("first")
    other = a_line("other", address="198.51.100.7")
    second = a_line("second")
    elsewhere = replace(first, corpus=FILTER_LOGS, file="sshd")

    found = bans([first, other, second, elsewhere])

    assert [ban.lines for ban in found] == [(first, second), (other,), (elsewhere,)]
    assert [ban.jail for ban in found] == [UNHEARD_OF, UNHEARD_OF, "sshd"]


def test_lines_are_read_with_their_labels_and_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "a.log,1,1,benign\nattack-lines,a.log,3,3,port-scan"
    labels = made(tmp_path, rows, monkeypatch)

    lines = {(line.file, line.number): line for line in labelled_lines(labels)}

    assert list(lines) == [("a.log", 1), ("a.log", 3), ("sshd", 2)]
    assert lines["a.log", 3].address == "192.0.2.7"
    assert lines["a.log", 3].label == "port-scan"
    assert lines["sshd", 2].address == "198.51.100.7"


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("a.log,1,1,benign", "a.log: line 3 has no label"),
        ("a.log,1,3,benign\nattack-lines,b.log,1,1,benign", "b.log.* no lines"),
    ],
)
def test_a_line_without_a_label_and_a_label_without_lines_are_refused(
    rows: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = made(tmp_path, rows, monkeypatch)

    with pytest.raises(ValueError, match=complaint):
        labelled_lines(labels)


def test_the_program_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = made(tmp_path, "a.log,1,3,ftp-abuse", monkeypatch)
    written = tmp_path / "classes.md"

    assert main(written, labels) == 0
    assert "| `ftp-abuse` | 2 | 0 | 0 | 2 |" in written.read_text("utf-8")


def test_a_collection_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F2B_ENRICH_EXTRA_DATA", str(tmp_path))
    (tmp_path / "attack-lines").mkdir()

    assert (
        what_is_missing() == "F2B_ENRICH_EXTRA_DATA has no folder fail2ban-filter-logs"
    )
    assert main() == 1


def made(folder: Path, rows: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make both collections, of a log each, and give the file of their labels."""
    of_attacks = folder / "attack-lines"
    of_filters = folder / "fail2ban-filter-logs"
    of_attacks.mkdir()
    of_filters.mkdir()
    (of_attacks / "a.log").write_text("one\n\nfrom 192.0.2.1 to 192.0.2.7\n")
    (of_attacks / "labels.csv").write_text("file,source_ips\na.log,192.0.2.7\n")
    (of_filters / "sshd").write_text(
        '# failJSON: { "match": true , "host": "198.51.100.7" }\nby 192.0.2.1\n# end\n'
    )
    (of_filters / "expected.csv").write_text("not a log\n")
    labels = folder / "labels.csv"
    labels.write_text(f"{HEADER}attack-lines,{rows}\nfilter-logs,sshd,1,3,benign\n")
    monkeypatch.setenv("F2B_ENRICH_EXTRA_DATA", str(folder))
    return labels


def a_line(
    text: str,
    *,
    labels: tuple[str, ...] = ("ssh-password-guessing",),
    address: str = "192.0.2.7",
) -> Line:
    return Line(
        corpus=ATTACK_LINES,
        file="a.log",
        number=1,
        text=text,
        address=address,
        labels=labels,
    )


def claimed(judged: tuple[Judged, ...]) -> list[str]:
    return [
        f"{one.line.file}:{one.line.number} {one.attack} by {one.rule}: {one.line.text}"
        for one in judged
        if one.attack is not None
    ]
