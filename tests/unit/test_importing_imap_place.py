"""URLs of IMAP folders."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.imap_place import ImapPlace, read_place


def test_a_url_names_server_user_and_folder() -> None:
    place = read_place("imaps://abuse@mail.example/INBOX")

    assert place == ImapPlace(
        host="mail.example", port=993, user="abuse", folder="INBOX", security="tls"
    )
    assert place.url == "imaps://abuse@mail.example/INBOX"


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("imaps://a@mail.example", "tls", 993),
        ("imaps://a@mail.example:1993/", "tls", 1993),
        ("imap://a@mail.example/", "starttls", 143),
        ("imap://a@localhost/", "plain", 143),
        ("imap://a@127.0.0.2/", "plain", 143),
        ("imap://a@[::1]:1143/", "plain", 1143),
        ("imap://a@192.0.2.7/", "starttls", 143),
        ("imaps://a@localhost/", "tls", 993),
    ],
)
def test_only_to_this_machine_it_goes_in_clear(
    url: str, security: str, port: int
) -> None:
    place = read_place(url)

    assert (place.security, place.port, place.folder) == (security, port, "INBOX")
    assert read_place(place.url) == place


def test_clear_text_can_be_asked_for() -> None:
    assert read_place("imap://a@mail.example", allow_plain=True).security == "plain"
    assert read_place("imaps://a@mail.example", allow_plain=True).security == "tls"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://a@mail.example/", "is no URL like"),
        ("imaps:///INBOX", "is no URL like"),
        ("imaps://a@mail.example:0/", "is no URL like"),
        ("imaps://a@mail.example:99999/", "is no URL like"),
        ("imaps://a@mail.example/INBOX?x", "is no URL like"),
        ("imaps://a@" + "m" * 70 + ".example/", "is no URL like"),
        ("imaps://mail.example/", "names no user"),
        ("imaps://a:hunter2@mail.example/", "holds a password"),
        ("imaps://a%0d%0ab@mail.example/", "the user in the URL holds a control"),
        ("imaps://a@mail.example/x%00", "the folder in the URL holds a control"),
        ("imaps://a@mail.example/%ff", "the folder in the URL is not UTF-8"),
        ("imaps://a@mail.example/" + "x" * 3000, "the limit is 2048"),
    ],
)
def test_what_is_no_place_is_refused_and_not_shown(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        read_place(url)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("folder", "written"),
    [
        ("INBOX", '"INBOX"'),
        ('a "b" \\c', r'"a \"b\" \\c"'),
        ("a&b", '"a&-b"'),
        # The examples of RFC 3501, 5.1.3.
        ("~peter/mail/台北/日本語", '"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),
        ("\N{GRINNING FACE}", '"&2D3eAA-"'),
    ],
)
def test_a_folders_name_is_written_in_modified_utf_7(folder: str, written: str) -> None:
    place = read_place(f"imaps://a@mail.example/{quote(folder)}")

    assert place.folder == folder
    assert place.folder_name == written


printable = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "),
    max_size=30,
)


@given(user=printable.filter(bool), folder=printable.filter(bool))
def test_every_place_is_read_as_it_is_written(user: str, folder: str) -> None:
    place = ImapPlace(
        host="mail.example", port=993, user=user, folder=folder, security="tls"
    )

    assert read_place(place.url) == place
    assert place.folder_name.isascii()


@given(url=st.text(max_size=60) | st.from_regex(r"imaps?://\S{0,40}", fullmatch=True))
def test_any_text_is_a_place_or_none(url: str) -> None:
    try:
        place = read_place(url)
    except ValueError:
        return
    assert read_place(place.url).folder == place.folder
