"""Rules are read from TOML and refused with the file, the rule and what is wrong."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.access_log import requested
from f2b_enrich.classify.classifier import Classifier
from f2b_enrich.classify.observed import Observer
from f2b_enrich.classify.rules import (
    KINDS,
    LONGEST_PATTERN,
    Rule,
    RuleError,
    load,
    options,
    shipped,
)
from f2b_enrich.errors import F2bEnrichError

SHIPPED = shipped()
OBSERVER = Observer(SHIPPED)

ONE = """
[[rule]]
name = "own-login"
pattern = '^own: no (?P<username>.*)$'
example = 'own: no bob'
shows = { username = "bob" }
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(RuleError) as caught:
        load(text, origin="own.toml")
    assert "\n" not in str(caught.value)
    return caught.value.problems


def test_every_shipped_rule_shows_what_it_says_in_its_example() -> None:
    for rule in SHIPPED:
        found = Observer([rule]).observe([rule.example])
        shown = {one.kind: one.value for one in found}
        if requested(rule.example.encode()):  # needs no rule
            shown.pop("path", None), shown.pop("user_agent", None)
        assert shown == rule.shows, rule.name


def test_no_shipped_rule_reads_another_ones_example_otherwise() -> None:
    for rule in SHIPPED:
        found = OBSERVER.observe([rule.example])
        shown = {one.kind: one.value for one in found}
        assert shown.items() >= rule.shows.items(), rule.name


def test_the_names_in_examples_are_no_other_rules() -> None:
    for rule in SHIPPED:
        found = OBSERVER.observe([rule.example])
        names = [one.value for one in found if one.kind == "username"]
        assert names == [rule.shows[kind] for kind in rule.shows if kind == "username"]


def test_examples_have_documentation_addresses_only() -> None:
    allowed = [
        ipaddress.ip_network(text)
        for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "0.0.0.0/32")
    ]
    for rule in SHIPPED:
        for text in re.findall(r"\d+\.\d+\.\d+\.\d+", rule.example):
            address = ipaddress.ip_address(text)
            assert any(address in network for network in allowed), rule.name


def test_shipped_rules_have_short_patterns_and_names_of_their_own() -> None:
    assert max(Counter(rule.name for rule in SHIPPED).values()) == 1
    assert max(len(rule.pattern) for rule in SHIPPED) <= LONGEST_PATTERN // 2


def test_every_shipped_rule_begins_where_the_line_does() -> None:
    assert [rule.name for rule in SHIPPED if not rule.pattern.startswith("^")] == []


@pytest.mark.parametrize("at", ["referer", "agent", "user"])
def test_what_a_client_says_of_itself_is_no_line_of_a_program(at: str) -> None:
    """Put each rule's example where web servers log what a client may choose."""
    told = set()
    for rule in SHIPPED:
        text = rule.example.replace("\\", "\\\\").replace('"', '\\"')
        # HTTP ends a user's name at the first colon.
        parts = {"user": "-", "referer": "-", "agent": "-"}
        parts[at] = text.replace(":", "") if at == "user" else text
        (line,) = Classifier([rule]).lines(
            [
                "192.0.2.7 - {user} [21/Nov/2026:20:13:22 +0100] "
                '"GET /shop HTTP/1.1" 200 162 "{referer}" "{agent}"'.format(**parts)
            ]
        )
        if line.attack is not None:
            told.add(rule.name)

    assert told == ({"shellshock"} if at == "user" else set())  # wherever it stands


def test_a_rule_is_read_as_it_stands() -> None:
    (rule,) = load(ONE, origin="own.toml")

    assert rule == Rule(
        name="own-login",
        pattern="^own: no (?P<username>.*)$",
        example="own: no bob",
        shows={"username": "bob"},
    )


def test_a_rule_may_give_an_attack_alone() -> None:
    text = ONE.replace("(?P<username>.*)", ".*").replace("shows =", "# shows =")
    text += 'attack = "known-exploit"\ncve = "CVE-2014-6271"\n'

    (rule,) = load(text, origin="own.toml")

    assert (rule.attack, rule.cve) == ("known-exploit", "CVE-2014-6271")
    assert rule.shows == {}


def test_a_rule_may_need_one_of_some_texts() -> None:
    (rule,) = load(ONE + 'needs = ["sshd", "own"]\n', origin="own.toml")

    assert rule.needs == ("sshd", "own")


def test_a_file_without_rules_has_none() -> None:
    assert load("# none yet", origin="own.toml") == ()


def test_a_rule_error_is_one_of_ours() -> None:
    assert issubclass(RuleError, F2bEnrichError)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "shows =",
            "colour = 1\nshows =",
            "own.toml: rule 'own-login': colour: no such key",
        ),
        ('name = "own-login"', "", "own.toml: rule number 1: name: it is missing"),
        (
            "example = 'own: no bob'",
            "",
            "own.toml: rule 'own-login': example: it is missing",
        ),
        (
            "(?P<username>.*)",
            "(?P<username>.*",
            "own.toml: rule 'own-login': pattern: missing ): ^own: no (?P<username>.*$",
        ),
        (
            "(?P<username>.*)",
            "(?=x)(?P<username>.*)",
            "own.toml: rule 'own-login': pattern: invalid perl operator: (?=",
        ),
        (
            "?P<username>",
            "?P<colour>",
            "own.toml: rule 'own-login': pattern: "
            "group 'colour' is no kind of value: helo, path, port, recipient, "
            "sender, user_agent, username",
        ),
        (
            "?P<username>",
            "?:",
            "own.toml: rule 'own-login': attack: it is missing, "
            "and no group gives a value",
        ),
        (
            "^own",
            "^(own)",
            "own.toml: rule 'own-login': pattern: "
            "a group has no name of its own; (?:...) needs none",
        ),
        (
            "^own",
            "^(?P<username>o)wn",
            "own.toml: rule 'own-login': pattern: "
            "a group has no name of its own; (?:...) needs none",
        ),
        (
            "^own",
            "^" + "o" * 2_000,
            "own.toml: rule 'own-login': pattern: "
            "it has 2023 characters, the limit is 2,000",
        ),
        (
            "^own",
            "^" + "[^a]{1000}" * 9,
            "own.toml: rule 'own-login': pattern: pattern too large - compile failed",
        ),
        (
            'name = "own-login"',
            "name = 7",
            "own.toml: rule number 1: name: input should be a valid string",
        ),
        (
            'shows = { username = "bob" }',
            "shows = { username = 7 }",
            "own.toml: rule 'own-login': shows.username: "
            "input should be a valid string",
        ),
        (
            "shows = {",
            "# {",
            "own.toml: rule 'own-login': shows: it is missing",
        ),
        (
            "shows =",
            'cve = "CVE-2014-6271"\nshows =',
            "own.toml: rule 'own-login': attack: it is missing, and there is a cve",
        ),
        (
            "shows =",
            'attack = "guessing"\nshows =',
            "own.toml: rule 'own-login': attack: "
            "'guessing' is no class of attack, such as 'other'",
        ),
        (
            "shows =",
            'needs = ["sshd"]\nshows =',
            "own.toml: rule 'own-login': needs: the example has none of them",
        ),
        ("[[rule]]", "[rules]", "own.toml: rules: no such key"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(old: str, new: str, problem: str) -> None:
    assert problems(ONE.replace(old, new)) == (problem,)


@pytest.mark.parametrize(
    "name", ["Own", "own login", "own_login", "-own", "", "o" * 65]
)
def test_a_rules_name_is_in_kebab_case(name: str) -> None:
    (problem,) = problems(ONE.replace("own-login", name))

    assert problem.startswith(f"own.toml: rule {name!r}: name: string should ")


def test_a_group_may_be_named_as_re2_does() -> None:
    (rule,) = load(ONE.replace("?P<", "?<"), origin="own.toml")

    assert Observer([rule]).observe([rule.example])[0].value == "bob"


@pytest.mark.parametrize("text", ["rule = 3", "rule = [3]", "[rule]\nname = 'x'"])
def test_rules_that_are_no_tables_are_refused(text: str) -> None:
    (problem, *_) = problems(text)

    assert problem.startswith("own.toml: rule")


def test_two_rules_of_one_name_are_refused() -> None:
    assert problems(ONE + ONE) == ("own.toml: rule 'own-login': the name is taken",)


def test_all_problems_are_said_at_once() -> None:
    broken = ONE.replace("(?P", "(?P(") + ONE.replace("name =", "title =")

    assert [text.split(": ")[1] for text in problems(broken)] == [
        "rule 'own-login'",
        "rule number 2",
        "rule number 2",
    ]


def test_text_that_is_no_toml_is_refused_with_its_place() -> None:
    (problem,) = problems("[[rule]\n")

    assert problem.startswith("own.toml: ")
    assert "line 1" in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = " + "[" * 5_000, "own.toml: its tables or lists are too deep"),
        ("x = " + "1" * 5_000, "own.toml: a number has more digits than Python reads"),
    ],
)
def test_what_python_cannot_read_is_refused(text: str, problem: str) -> None:
    assert problems(text) == (problem,)


def test_what_is_quoted_from_a_file_cannot_break_the_line() -> None:
    text = ONE.replace("'^", "'''^").replace("$'", "$'''")
    text = text.replace("^own", "^(own\n").replace("shows =", '"a\\nb" = 1\nshows =')

    assert problems(text) == (
        "own.toml: rule 'own-login': pattern: "
        "missing ): ^(own\u240a: no (?P<username>.*)$",
        "own.toml: rule 'own-login': a\u240ab: no such key",
    )


def test_a_bad_pattern_is_not_written_to_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    problems(ONE.replace("^own", "^(own"))

    assert capfd.readouterr() == ("", "")


def test_patterns_have_bounded_memory() -> None:
    assert options().max_mem <= 1 << 20


def test_only_kinds_that_are_known_are_shown() -> None:
    assert all(rule.shows.keys() <= KINDS for rule in SHIPPED)


@given(
    pattern=st.text(st.characters(exclude_characters="'", exclude_categories=["Cc"]))
)
def test_any_pattern_is_taken_or_refused(pattern: str) -> None:
    text = ONE.replace("^own: no ", pattern)
    with suppress(RuleError):
        Observer(load(text, origin="own.toml")).observe(["own: no bob"])
