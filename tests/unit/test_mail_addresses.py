from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from f2b_enrich.config import MailSettings
from f2b_enrich.errors import AddressError
from f2b_enrich.mail.addresses import Route, check_address, qualified, route

HOST = "web1.corp.se"
SET = MailSettings(recipient="noc@corp.se", sender="alerts@corp.se")
UNSET = MailSettings()


def to(dest: str | None, settings: MailSettings = SET, *, host: str = HOST) -> Route:
    return route(dest, None, settings=settings, host=host)


def test_nothing_set_means_root_to_root() -> None:
    chosen = route(None, None, settings=UNSET, host=HOST)

    assert chosen == Route(recipients=("root",), sender="root@web1.corp.se")


def test_the_configuration_comes_before_root() -> None:
    chosen = route(None, None, settings=SET, host=HOST)

    assert chosen == Route(recipients=("noc@corp.se",), sender="alerts@corp.se")


def test_what_a_jail_has_of_its_own_comes_first() -> None:
    chosen = route("dba@corp.se", "db@corp.se", settings=SET, host=HOST)

    assert chosen == Route(recipients=("dba@corp.se",), sender="db@corp.se")


@pytest.mark.parametrize(
    "stock",
    [
        "",
        "  ",
        ",",
        "root@localhost",
        "ROOT@LocalHost",
        "root@localhost.localdomain",
        "root@web1",
        "root@WEB1.corp.se",
        "root@web1.other.se",
        "root@<fq-hostname>",
        "root@<sh-hostname>",
        "Root <root@localhost>",
        "root@localhost, root@web1",
    ],
)
@pytest.mark.parametrize("host", ["web1.corp.se", "web1", "WEB1"])
def test_stock_values_of_fail2ban_count_as_unset(stock: str, host: str) -> None:
    chosen = route(stock, stock, settings=SET, host=host)

    assert chosen == Route(recipients=("noc@corp.se",), sender="alerts@corp.se")


@pytest.mark.parametrize("own", ["root", "root@web2", "admin@localhost"])
def test_what_only_resembles_a_stock_value_is_taken(own: str) -> None:
    assert to(own).recipients == (own,)


def test_a_stock_value_beside_a_real_one_was_meant() -> None:
    assert to("root@localhost, noc@corp.se").recipients == (
        "root@localhost",
        "noc@corp.se",
    )


@pytest.mark.parametrize(
    ("dest", "expected"),
    [
        ("a@corp.se,b@corp.se", ("a@corp.se", "b@corp.se")),
        ("a@corp.se b@corp.se\tc@corp.se", ("a@corp.se", "b@corp.se", "c@corp.se")),
        ("A Team <a@corp.se>, b@corp.se", ("a@corp.se", "b@corp.se")),
        ('"Team, A <x>" <a@corp.se>,b@corp.se', ("a@corp.se", "b@corp.se")),
        ('"A \\"quoted\\" name" <a@corp.se>', ("a@corp.se",)),
        ("=?utf-8?q?B=C3=BCro?= <a@corp.se>", ("a@corp.se",)),
        ("B\u00fcro <a@corp.se>", ("a@corp.se",)),
        ("<a@corp.se>", ("a@corp.se",)),
        ("a@corp.se, A@CORP.SE, a@corp.se", ("a@corp.se",)),
        ("root", ("root",)),
        ("noc@web1", ("noc@web1",)),
        ("root@test", ("root@test",)),
        ("a@b\u00fccher.se", ("a@xn--bcher-kva.se",)),
        ("a@[10.0.0.1]", ("a@[10.0.0.1]",)),
        ("a@[IPv6:fd00::1]", ("a@[IPv6:fd00::1]",)),
        ("first.last+tag@my_host.corp.se", ("first.last+tag@my_host.corp.se",)),
    ],
)
def test_several_recipients_and_display_names_are_understood(
    dest: str, expected: tuple[str, ...]
) -> None:
    assert to(dest) == Route(recipients=expected, sender="alerts@corp.se")


@pytest.mark.parametrize(
    "sample",
    [
        "fail2ban@mail.com",
        "You@Mail.com",
        "a@example.com",
        "a@mx.example.org",
        "a@example.de",
        "a@mx.example.de",
        "a@example.co.uk",
        "a@corp.example",
        "a@corp.invalid",
        "a@corp.test",
        "a@EXAMPLE.com",
        "a@\uff45xample.com",
        "a@example\u3002com",
        "You <you@mail.com>",
    ],
)
def test_sample_addresses_are_refused_and_replaced_by_no_other(sample: str) -> None:
    chosen = route(sample, sample, settings=SET, host=HOST)

    assert chosen.recipients == ()
    assert chosen.sender == ""
    assert len(chosen.refused) == 1 or len(chosen.refused) == 2
    assert all("sample address" in why for _, why in chosen.refused)


def test_samples_in_the_configuration_are_refused_too() -> None:
    settings = MailSettings(recipient="you@mail.com", sender="me@example.org")

    chosen = route(None, None, settings=settings, host="web1.example.org")

    assert (chosen.recipients, chosen.sender) == ((), "")
    assert [address for address, _ in chosen.refused] == [
        "you@mail.com",
        "me@example.org",
    ]


def test_a_host_that_is_named_like_a_sample_has_no_default_sender() -> None:
    chosen = route(None, None, settings=UNSET, host="web1.example.org")

    assert chosen.recipients == ("root",)
    assert chosen.sender == ""
    assert chosen.refused[0][0] == "root@web1.example.org"


def test_a_refused_address_does_not_keep_the_others_from_their_mail() -> None:
    chosen = to("you@mail.com, noc@corp.se, two @ three")

    assert chosen.recipients == ("noc@corp.se", "two", "three")
    assert [address for address, _ in chosen.refused] == ["you@mail.com", "@"]


def test_allowed_domains_cover_what_is_below_them_and_nothing_else() -> None:
    settings = MailSettings(allow_domains=("Corp.Example", "mail.com"))

    assert to("a@corp.example", settings).recipients == ("a@corp.example",)
    assert to("a@mx.corp.example", settings).recipients == ("a@mx.corp.example",)
    assert to("you@mail.com", settings).recipients == ("you@mail.com",)
    assert to("a@notcorp.example", settings).recipients == ()


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("a@corp.se\r\nBcc: b@corp.se", "control character"),
        ("a@corp.se\nb@corp.se", "control character"),
        ("a\0@corp.se", "control character"),
        ("a\x7f@corp.se", "control character"),
        ("a\u202e@corp.se", "control character"),
        ('"a b"@corp.se', "holds a blank"),
        ("<a b@corp.se>", "holds a blank"),
        ("<a@corp.se", "angle brackets"),
        ("a@corp.se>", "angle brackets"),
        ("<>", "angle brackets"),
        ('"a@corp.se', "angle brackets"),
        ('"a"@corp.se', "angle brackets"),
        ("A <a@corp.se> B <b@corp.se>", "blank"),
        ('"A <a@corp.se>', "blank"),
        ("ops@<fq-hostname>", "did not fill in"),
        ("@corp.se", "not an address"),
        ("a@", "no domain"),
        ("a@b@corp.se", "not an address"),
        ("a..b@corp.se", "not an address"),
        (".a@corp.se", "not an address"),
        ("(a)@corp.se", "not an address"),
        ("=?utf-8?q?a?=@corp.se", "not an address"),
        ("a@corp..se", "no domain"),
        ("a@-corp.se", "no domain"),
        ("a@corp.se.", "no domain"),
        (f"a@{'b' * 64}.se", "no domain"),
        ("a@[10.0.0]", "no domain"),
        ("a@[IPv6:fe80::1%eth0]", "no domain"),
        ("a@\u00fc..se", "no domain"),
        ("b\u00fcro@corp.se", "SMTPUTF8"),
        ("a@stra\u00dfe.se", "xn--"),
        (f"{'a' * 65}@corp.se", "more than 64 bytes"),
        (f"a@{'b.' * 126}se", "longer than 254 bytes"),
        ("a@" + "\u00fc." * 60 + "se", "longer than 254 bytes"),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(address: str, why: str) -> None:
    chosen = to(address)

    assert chosen.recipients == ()
    ((shown, reason),) = chosen.refused
    assert why in reason
    assert shown.isprintable()
    assert reason.isprintable()
    assert len(shown) <= 100


def test_a_mail_has_one_sender() -> None:
    chosen = route(None, "a@corp.se, b@corp.se", settings=UNSET, host=HOST)

    assert chosen.sender == ""
    assert chosen.refused[0][0] == "a@corp.se, b@corp.se"


@pytest.mark.parametrize("host", ["web 1", "", "we\rb", "a..b", "\ud800"])
def test_an_odd_host_name_still_gives_a_sender(host: str) -> None:
    assert to("root", UNSET, host=host).sender == "root@localhost"


def test_checking_an_address_gives_it_as_it_is_used() -> None:
    assert check_address("a@B\u00fccher.se", SET) == "a@xn--bcher-kva.se"
    with pytest.raises(AddressError, match="sample address"):
        check_address("you@mail.com", SET)
    with pytest.raises(AddressError, match="empty"):
        check_address("", SET)


def test_a_bare_name_is_qualified_and_an_address_is_left() -> None:
    assert qualified("root", "web1.corp.se") == "root@web1.corp.se"
    assert qualified("root", "web 1") == "root@localhost"
    assert qualified("a@corp.se", "web1") == "a@corp.se"
    for broken in ("a\nb", "\u00fc", "a b"):
        with pytest.raises(AddressError):
            qualified(broken, "web1")


@given(st.text(), st.text(), st.text())
@example('a@corp.se, "b', "<\n>", "")
@example('\\"<,>\u3000@[', ",", ".")
def test_any_text_becomes_sound_addresses_or_reasons(
    dest: str, sender: str, host: str
) -> None:
    chosen = route(dest, sender, settings=UNSET, host=host)

    assert chosen.recipients or chosen.refused
    assert chosen.sender or chosen.refused
    for address in (*chosen.recipients, *filter(None, [chosen.sender])):
        assert check_address(address, UNSET) == address
        assert address.isascii()
        assert address.isprintable()
        assert len(address) <= 254
    for address, reason in chosen.refused:
        assert address.isprintable()
        assert reason.isprintable()


def test_stock_values_name_the_machine_even_if_our_records_call_it_otherwise() -> None:
    found = route(
        "root@vm7",
        "root@vm7.internal",
        settings=MailSettings(recipient="noc"),
        host="web1",
        machine="vm7",
    )

    assert (found.recipients, found.sender) == (("noc",), "root@web1")
