from __future__ import annotations

from pathlib import Path

import pytest

from f2b_enrich.config_report import ReportSettings
from f2b_enrich.errors import ConfigError
from f2b_enrich.report.organisations import OrganisationRules

SHIPPED = OrganisationRules.load()


def written(folder: Path, text: str) -> Path:
    path = folder / "organisations.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("asn", "as_name", "name"),
    [
        (45102, "Alibaba (US) Technology Co., Ltd.", "Alibaba"),
        (37963, "Hangzhou Alibaba Advertising Co.,Ltd.", "Alibaba"),
        (64500, "Alibaba Cloud (Singapore) Private Limited", "Alibaba"),
        (132203, "Tencent Building, Kejizhongyi Avenue", "Tencent"),
        (398324, "Censys, Inc.", "Censys, Inc."),
        (14061, "DIGITALOCEAN-ASN", "DigitalOcean, LLC"),
        (0, "CHINANET Example province network", "China Telecom"),
    ],
)
def test_a_rule_names_all_systems_of_an_organisation_alike(
    asn: int, as_name: str, name: str
) -> None:
    found = SHIPPED.organisation(asn, as_name)

    assert found.name == name
    assert found.key == f"rule {name.casefold()}"


@pytest.mark.parametrize(
    ("asn", "as_name"),
    [
        (34947, "Alibaba Travel Company (LTD)"),
        (267242, "AMAZONIA TELECOMUNICACOES LTDA"),
        (16591, "Google Fiber Inc."),
    ],
)
def test_a_name_that_begins_alike_is_no_reason(asn: int, as_name: str) -> None:
    assert SHIPPED.organisation(asn, as_name).name == as_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Example Hosting B.V.", "EXAMPLE HOSTING BV"),
        ("Example Hosting, Inc.", "Example-Hosting LLC"),
        ("Example S.A. de C.V.", "Example, S.A."),
        ("Example Sp. z o.o.", "Example GmbH & Co. KG"),
        ("PT. Example Net", "Example Net Private Limited"),
        ('JSC "Example"', "Example A/S"),
        ("The Example Company, LLC", "Example"),
        ("E\uff58ample Ltd", "Example"),
    ],
)
def test_case_punctuation_and_legal_form_make_no_difference(
    one: str, other: str
) -> None:
    first, second = SHIPPED.organisation(64500, one), SHIPPED.organisation(64501, other)

    assert first.key == second.key
    assert (first.name, second.name) == (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Example Hosting", "Example Cloud"),
        ("Limited", "Company"),
        ("!!!", "???"),
        ("\u4e2d\u56fd", "\u65e5\u672c"),
    ],
)
def test_other_names_are_other_organisations(one: str, other: str) -> None:
    assert SHIPPED.organisation(1, one).key != SHIPPED.organisation(2, other).key


def test_what_has_no_name_is_its_number_and_what_has_none_is_nothing() -> None:
    assert SHIPPED.organisation(64500, "") == ("AS64500", "AS64500")
    assert SHIPPED.organisation(0, " ") == ("", "")


def test_own_rules_go_before_the_shipped_ones(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[[organisation]]\nname = "Aliyun"\nasns = [45102]\nnames = ["*aliyun*"]\n'
        '[[organisation]]\nname = "Planet (LV)"\nasns = [64510]\n',
    )
    rules = OrganisationRules.load(path)

    assert rules.organisation(45102, "Alibaba (US)").name == "Aliyun"
    assert rules.organisation(64511, "Best ALIYUN Resale").name == "Aliyun"
    assert rules.organisation(37963, "x").name == "Alibaba"
    planets = [rules.organisation(asn, "Planet") for asn in (64510, 64512)]
    assert planets[0].key != planets[1].key
    assert rules.own_rules == 2
    assert rules.as_of is not None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("organisation = 1", "organisation: "),
        ("[[organisation]]\nasns = [1]\n", "organisation.0.name: "),
        ('[[organisation]]\nname = "A"\n', "no rule: asns or names are needed"),
        ('[[organisation]]\nname = "A"\nasns = [0]\n', "organisation.0.asns.0: "),
        ('[[organisation]]\nname = "A"\nasns = ["AS1"]\n', "organisation.0.asns.0: "),
        ('[[organisation]]\nname = "A"\nnames = ["*"]\n', "'*' is too short"),
        (
            '[[organisation]]\nname = "A"\nasn = [1]\n',
            "organisation.0.asn: no such key",
        ),
        ("[[", "Invalid initial character"),
    ],
)
def test_a_bad_file_is_told_with_file_and_key(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = written(tmp_path, text)

    with pytest.raises(ConfigError) as told:
        OrganisationRules.configured(ReportSettings(organisations=path))

    assert f"report.organisations: {path}: " in told.value.problems[0]
    assert reason in str(told.value)
    assert "\n" not in told.value.problems[0]


def test_only_the_default_file_may_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        OrganisationRules.configured(
            ReportSettings(organisations=tmp_path / "none.toml")
        )


def test_a_name_of_any_length_is_read_in_no_time() -> None:
    assert SHIPPED.organisation(64500, "unicom " * 100_000).name.startswith("unicom")
