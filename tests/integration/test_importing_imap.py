"""A real Dovecot gives its mails, and keeps them as they are."""

from __future__ import annotations

import imaplib
import ssl
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from f2b_enrich.importing import imap
from f2b_enrich.importing.imap import ImapFolder, Seen, imap_mails, opened_folder
from f2b_enrich.importing.imap_place import read_place
from f2b_enrich.importing.mail_letter import MAX_BYTES
from f2b_enrich.importing.records import UnreadableError
from tests.imap_server import CAN_RUN, PASSWORD, USER, Dovecot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Dovecot, and root")


@dataclass
class Box:
    """A folder of the server, and what its certificate is checked with."""

    server: Dovecot
    ca_file: Path
    name: str

    def fill(self, count: int) -> None:
        for number in range(count):
            self.server.deliver(report(number), folder=self.name)

    def read(self, seen: Seen | None = None) -> list[tuple[bytes, Seen]]:
        place = read_place(self.server.url(self.name))
        mails = imap_mails(place, password=PASSWORD, seen=seen, ca_file=self.ca_file)
        return [(mail.content, stands) for mail, stands in mails]

    def opened(self) -> AbstractContextManager[ImapFolder]:
        place = read_place(self.server.url(self.name))
        return opened_folder(place, password=PASSWORD, ca_file=self.ca_file)

    def delete(self, numbers: str) -> None:
        context = ssl.create_default_context(cafile=self.ca_file)
        port = self.server.port
        with imaplib.IMAP4_SSL("localhost", port, ssl_context=context) as other:
            other.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
            other.select(self.name)
            other.store(numbers, "+FLAGS", r"\Deleted")
            other.expunge()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> Iterator[Dovecot]:
    with Dovecot(certificate=authority.issue_cert("localhost")) as server:
        yield server


@pytest.fixture
def box(server: Dovecot, ca_file: Path) -> Box:
    return Box(server, ca_file, uuid.uuid4().hex)


def report(number: int) -> bytes:
    return (
        b"Subject: report %d\r\n\r\nThe IP 192.0.2.7 has just been banned\r\n" % number
    )


def contents(found: list[tuple[bytes, Seen]]) -> list[bytes]:
    return [content for content, _ in found]


def test_all_mails_come_in_order_and_stay_as_they_are(box: Box) -> None:
    box.fill(3)
    before = box.server.files(box.name)

    found = box.read()

    assert contents(found) == [report(0), report(1), report(2)]
    assert box.server.files(box.name) == before
    assert all(file.startswith("new/") for file in before)


def test_the_next_reading_begins_after_the_last_mail(box: Box) -> None:
    box.fill(5)
    _, stands = box.read()[2]
    assert Seen.read(str(stands)) == stands

    rest = box.read(stands)

    assert contents(rest) == [report(3), report(4)]
    assert box.read(rest[-1][1]) == []


def test_other_numbers_are_read_from_the_first_on(box: Box) -> None:
    box.fill(1)
    ((_, stands),) = box.read()

    assert len(box.read(replace(stands, validity=stands.validity + 1))) == 1


def test_deleted_mails_leave_gaps(box: Box) -> None:
    box.fill(6)
    _, stands = box.read()[1]
    box.delete("1:4")

    assert contents(box.read(stands)) == [report(4), report(5)]


def test_mails_deleted_while_they_are_read_are_passed_over(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "MOST_AT_ONCE", 2)
    box.fill(6)

    with box.opened() as folder:
        mails = folder.mails()
        found = [next(mails)[0].content, next(mails)[0].content]
        box.delete("3:4")
        found += [mail.content for mail, _ in mails]

    assert found == [report(number) for number in (0, 1, 4, 5)]


def test_more_mails_than_are_asked_for_at_once(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "PAGE", 7)
    monkeypatch.setattr(imap, "MOST_AT_ONCE", 3)
    box.fill(20)

    with box.opened() as folder:
        found = [(mail.content, stands) for mail, stands in folder.mails()]

        assert contents(found) == [report(number) for number in range(20)]
        assert [folder.first_after(stands) for _, stands in found] == [*range(2, 22)]


def test_of_a_long_mail_only_the_beginning_is_fetched(box: Box) -> None:
    long = report(1) + (b"x" * 70 + b"\r\n") * 50_000
    for content in (report(0), long, report(2)):
        box.server.deliver(content, folder=box.name)

    with box.opened() as folder:
        assert folder.count == 3
        mails = [mail for mail, _ in folder.mails()]

    assert mails[1].content == long[:MAX_BYTES]
    assert mails[1].end - mails[1].start == len(long)
    assert mails[2].start == mails[1].end
    assert mails[2].content == report(2)


def test_a_folder_has_letters_of_any_language(box: Box) -> None:
    box.server.deliver(report(7), folder="&ANw-ber &- alles")

    found = replace(box, name="%C3%9Cber%20%26%20alles").read()

    assert contents(found) == [report(7)]


def test_inbox_is_read_where_no_folder_is_named(box: Box) -> None:
    assert replace(box, name="").read() == []


def test_starttls_encrypts_and_checks(box: Box) -> None:
    box.fill(1)
    place = read_place(box.server.url(box.name, scheme="imap"))
    place = replace(place, security="starttls")

    assert len(list(imap_mails(place, password=PASSWORD, ca_file=box.ca_file))) == 1
    with pytest.raises(UnreadableError, match="certificate is not trusted"):
        list(imap_mails(place, password=PASSWORD))


def test_this_machine_is_asked_in_clear(box: Box) -> None:
    box.fill(1)
    place = read_place(box.server.url(box.name, scheme="imap"))

    assert place.security == "plain"
    assert len(list(imap_mails(place, password=PASSWORD))) == 1


def test_a_certificate_of_somebody_unknown_is_refused(box: Box) -> None:
    place = read_place(box.server.url(box.name))

    with pytest.raises(UnreadableError) as caught:
        list(imap_mails(place, password=PASSWORD))

    why = "its certificate is not trusted: unable to get local issuer certificate"
    assert str(caught.value) == f"{place.url}: {why}"


def test_a_certificate_of_another_server_is_refused(box: Box) -> None:
    place = replace(read_place(box.server.url(box.name)), host="127.0.0.1")

    with pytest.raises(UnreadableError, match="IP address mismatch"):
        list(imap_mails(place, password=PASSWORD, ca_file=box.ca_file))


def test_what_the_server_refuses_is_one_line(box: Box) -> None:
    place = read_place(box.server.url("Nowhere"))
    with pytest.raises(UnreadableError) as wrong:
        list(imap_mails(place, password="wrong", ca_file=box.ca_file))
    with pytest.raises(UnreadableError) as missing:
        list(imap_mails(place, password=PASSWORD, ca_file=box.ca_file))

    assert str(wrong.value) == f"{place.url}: refuses the name or password"
    assert str(missing.value).startswith(f"{place.url}: Mailbox doesn't exist: Nowhere")
