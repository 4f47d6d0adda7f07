"""The questions of a report as SQL, for whoever looks into the store himself."""

from __future__ import annotations

from dataclasses import dataclass

_TIME = (
    "banned_at >= :since AND banned_at < ifnull(nullif(:until, ''), '9999') "
    "AND NOT is_repeat"
)
"""A day or a time in UTC, either may be left empty."""

_COUNTS = "count(DISTINCT ip) AS addresses, count(*) AS bans"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question by the name of its page; `since` and `until` are its parameters."""

    name: str
    title: str
    about: str
    sql: str


def _ranked(columns: str, group: str) -> str:
    return (
        f"SELECT {columns}, {_COUNTS}\nFROM ban_log\nWHERE {_TIME}\n"
        f"GROUP BY {group}\nORDER BY addresses DESC, bans DESC, {group}"
    )


QUESTIONS = (
    Question(
        name="countries",
        title="Countries",
        about="Where the addresses are; without a country, those that nobody knows.",
        sql=_ranked(
            "country_code, country_name(country_code) AS country", "country_code"
        ),
    ),
    Question(
        name="organisations",
        title="Networks and who runs them",
        about="By AS number; reports make one organisation of several.",
        sql=_ranked("asn, max(as_name) AS as_name", "asn"),
    ),
    Question(
        name="by_day",
        title="Bans by day",
        about="Days of UTC; a day that is missing had no ban.",
        sql=f"SELECT date(banned_at) AS day, {_COUNTS}\nFROM ban_log\n"
        f"WHERE {_TIME}\nGROUP BY day\nORDER BY day",
    ),
    Question(
        name="by_hour",
        title="Bans by hour",
        about="Hours of UTC, of all days together.",
        sql=f"SELECT strftime('%H', banned_at) AS hour, {_COUNTS}\nFROM ban_log\n"
        f"WHERE {_TIME}\nGROUP BY hour\nORDER BY hour",
    ),
    Question(
        name="offenders",
        title="Repeat offenders",
        about="Addresses that were banned twice or more.",
        sql="SELECT ip, count(*) AS bans, sum(failures) AS attempts, "
        "count(DISTINCT host) AS hosts, group_concat(DISTINCT jail) AS jails, "
        "max(country_code) AS country_code, max(as_name) AS as_name, "
        "min(banned_at) AS first_at, max(banned_at) AS last_at\nFROM ban_log\n"
        f"WHERE {_TIME}\nGROUP BY ip\nHAVING count(*) > 1\n"
        "ORDER BY bans DESC, attempts DESC, ip",
    ),
    Question(
        name="classes",
        title="Attacks by class",
        about="By the class that leads in a ban.",
        sql=_ranked("attack", "attack"),
    ),
    Question(
        name="services",
        title="Services",
        about="An address that several banned is in each of them.",
        sql=_ranked("service", "service"),
    ),
    Question(
        name="names",
        title="User names tried",
        about="By two addresses or more; other names may be passwords.",
        sql="SELECT value AS name, count(DISTINCT ip) AS addresses, "
        "count(DISTINCT id) AS bans\n"
        "FROM observed JOIN ban_log ON id = ban_id\n"
        f"WHERE kind = 'username' AND {_TIME}\nGROUP BY value\n"
        "HAVING count(DISTINCT ip) > 1\nORDER BY addresses DESC, bans DESC, value",
    ),
    Question(
        name="who_attacks_whom",
        title="Who attacks whom",
        about="Countries of addresses against hosts.",
        sql=_ranked(
            "country_code, country_name(country_code) AS country, host",
            "country_code, host",
        ),
    ),
)
