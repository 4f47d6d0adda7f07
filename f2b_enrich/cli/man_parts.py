"""What the manual pages say that neither a command's help nor a setting tells."""

from __future__ import annotations

INTRODUCTION = (
    "A Fail2Ban action hands every ban, with the log lines that led to it, to a "
    "daemon. The daemon finds out where the address comes from, records the ban in an "
    "SQLite store and mails an alert. `f2b-enrich` asks that store, and keeps what "
    "belongs to it.",
    "Data goes to standard output, messages to standard error. What an attacker "
    "wrote reaches the terminal without control characters.",
)

FILES = (
    (
        "/etc/f2b-enrich/config.toml",
        "The configuration, `f2b-enrich.toml`(5); `config.d/*.toml` beside it add to "
        "it. No file and an empty one work.",
    ),
    ("/etc/f2b-enrich/rules.d", "Rules for log lines, before the shipped ones."),
    ("/etc/f2b-enrich/templates", "Templates of mails, instead of the shipped ones."),
    (
        "/etc/f2b-enrich/organisations.toml",
        "Which networks are one organisation in reports, before the shipped list.",
    ),
    (
        "/etc/fail2ban/action.d/f2b-enrich.conf",
        "The action. Settings for it belong into `f2b-enrich.local` beside it.",
    ),
    (
        "/etc/fail2ban/jail.d/f2b-enrich.conf",
        "Turns the action on for all jails without an `action` of their own.",
    ),
    (
        "/var/lib/f2b-enrich/bans.db",
        "The store. Members of the group `f2b-enrich` can read it, with any program "
        "that reads SQLite, while the daemon writes.",
    ),
    ("/var/lib/f2b-enrich/geo", "The local database of countries and networks."),
)

DAEMON_FILES = (
    (
        "/run/f2b-enrich/f2b-enrich.sock",
        "The socket that takes bans; systemd holds it where there is one.",
    ),
    ("/var/spool/f2b-enrich", "Bans that came while no daemon answered."),
    (
        "/run/f2b-enrich/spool",
        "The second spool, used while the first cannot be written to.",
    ),
)

ENVIRONMENT = (
    (
        "F2B_ENRICH_IPINFO_TOKEN",
        "The IPinfo token, where `ipinfo.token_file` is not set and systemd passes "
        "no credential.",
    ),
    (
        "F2B_ENRICH_SMTP_PASSWORD",
        "The mail server's password, where `mail.smtp.password_file` is not set and "
        "systemd passes no credential.",
    ),
    (
        "F2B_ENRICH_IMAP_PASSWORD",
        "The password for `import mail --imap`, where `--password-file` is not given "
        "and systemd passes no credential; read before /etc/f2b-enrich/imap-password.",
    ),
    (
        "CREDENTIALS_DIRECTORY",
        "Where systemd puts the credentials `ipinfo-token`, `smtp-password` and "
        "`imap-password`.",
    ),
)

DAEMON_ENVIRONMENT = (
    ("LISTEN_FDS, LISTEN_PID", "Hand over a socket that already listens."),
    ("NOTIFY_SOCKET", "Where it is told when bans are taken."),
    ("WATCHDOG_USEC", "How often it must be told that the daemon lives."),
    ("JOURNAL_STREAM", "Set by systemd: lines then carry no time of their own."),
)

EXIT_STATUS = (
    ("0", "Done."),
    ("1", "Failed; one line on standard error says what, and which."),
    ("2", "Wrong usage."),
    ("130", "Interrupted by Ctrl-C."),
)

CHECK_EXIT = (
    "`f2b-enrich check` is a monitoring plug-in as well: 0 is ok, 1 a warning, 2 "
    "critical, 3 unknown."
)

DAEMON_EXIT = (
    ("0", "It was told to end, and has."),
    ("1", "It could not start; one line on standard error for each reason."),
    ("2", "Wrong usage."),
)

DAEMON = (
    "`f2b-enrich daemon` takes bans on a Unix socket and acknowledges each once it is "
    "on disk. Then it classes the log lines, looks the address up and mails an alert. "
    "Bans that came while it was away wait in a spool and are taken first. It stays in "
    "the foreground and logs to standard error.",
    "It needs no right of root's: the units run it as the user `f2b-enrich`. Only "
    "root and the users of `daemon.users` are listened to. One daemon at a time works "
    "on a store; a store that a newer version wrote is refused.",
    "A daemon that was killed carries on at its next start. At most the mail that was "
    "under way goes out twice, under the same Message-ID.",
)

SIGNALS = (
    (
        "SIGTERM, SIGINT",
        "Take no more bans, finish what is under way (a mail has 20 seconds), end.",
    ),
    (
        "SIGHUP",
        "Read the configuration anew. A bad file is named in the log and the old one "
        "stays in effect; `[store]` and `[daemon]` change at the next start only.",
    ),
)

CONFIGURATION = (
    "Below, each key is followed by what it takes and by its default. The section is "
    "the table of TOML that the key stands in: `path` below `[store]` is `store.path`."
)

SEE_ALSO = (
    "In the source: docs/how-to, docs/reference/store.md for the tables of the store, "
    "docs/privacy.md for what is stored of whom and what leaves the machine."
)
