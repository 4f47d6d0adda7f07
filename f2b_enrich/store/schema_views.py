"""The views, and what keeps the full-text search of log lines in step with them."""

from __future__ import annotations

# An alert may be folded into another alert, and that into a digest: no way is longer.
BAN_LOG = """
    CREATE VIEW ban_log AS
    SELECT
        bans.id, bans.host, bans.jail, bans.ip, bans.ip_version, bans.subnet,
        bans.banned_at, bans.banned_at_source, bans.bantime_seconds,
        bans.expires_at, bans.unbanned_at, bans.prolonged_at, bans.failures,
        bans.ban_count,
        bans.attack,
        iif(jails.attack = 'repeat-offender', bans.repeat_of, NULL) AS repeat_of,
        bans.received_at,
        ifnull(jails.service, 'other') AS service,
        ifnull(jails.attack = 'repeat-offender', 0) AS is_repeat,
        (SELECT group_concat(attack, ', ') FROM
            (SELECT attack, attack != bans.attack AS is_minor FROM ban_attacks
             WHERE ban_id = bans.id
             ORDER BY is_minor, lines DESC, attack)) AS attacks,
        e.hostname, e.hostname_confirmed, e.country_code, e.country, e.region,
        e.city, e.postal, e.latitude, e.longitude, e.location_precision,
        e.timezone, e.asn, e.as_name, e.as_domain, e.as_country_code,
        e.is_hosting, e.is_vpn, e.is_tor, e.is_proxy, e.scanner,
        e.abuse_contact, e.source AS enrichment_source, e.looked_up_at,
        (SELECT group_concat(origin, ', ') FROM
            (SELECT bans.origin AS origin UNION SELECT origin FROM other_origins
             WHERE ban_id = bans.id ORDER BY origin)) AS origins,
        (SELECT state FROM outbox WHERE ban_id = bans.id AND kind = 'alert'
         ORDER BY id LIMIT 1) AS mail_state,
        (SELECT min(sent_at) FROM outbox
         WHERE ban_id = bans.id AND kind = 'alert') AS mailed_at,
        (SELECT coalesce(other.folded_into, one.folded_into, one.id)
         FROM outbox AS one LEFT JOIN outbox AS other ON other.id = one.folded_into
         WHERE one.ban_id = bans.id AND one.kind = 'alert'
         ORDER BY one.id LIMIT 1) AS mail_id,
        (SELECT min(coalesce(one.sent_at, other.sent_at, third.sent_at))
         FROM outbox AS one LEFT JOIN outbox AS other ON other.id = one.folded_into
         LEFT JOIN outbox AS third ON third.id = other.folded_into
         WHERE one.ban_id = bans.id AND one.kind = 'alert') AS told_at,
        bans.lines_received,
        (SELECT group_concat(line, char(10)) FROM
            (SELECT line FROM log_lines
             WHERE ban_id = bans.id ORDER BY position)) AS lines
    FROM bans LEFT JOIN enrichments AS e ON e.id = bans.enrichment_id
    LEFT JOIN jails ON jails.jail = bans.jail
"""

OBSERVED_PUBLIC = """
    CREATE VIEW observed_public AS
    SELECT ban_id, kind, value, lines FROM observed WHERE kind != 'username'
"""

_IS_INDEXED = "old.id <= (SELECT ifnull(max(id), 0) FROM log_lines_fts_docsize)"

SEARCH_TRIGGERS = (
    f"""
    CREATE TRIGGER log_lines_deleted AFTER DELETE ON log_lines WHEN {_IS_INDEXED}
    BEGIN
        INSERT INTO log_lines_fts (log_lines_fts, rowid, line)
        VALUES ('delete', old.id, old.line);
    END
    """,
    f"""
    CREATE TRIGGER log_lines_updated AFTER UPDATE ON log_lines WHEN {_IS_INDEXED}
    BEGIN
        INSERT INTO log_lines_fts (log_lines_fts, rowid, line)
        VALUES ('delete', old.id, old.line);
        INSERT INTO log_lines_fts (rowid, line) VALUES (new.id, new.line);
    END
    """,
)
