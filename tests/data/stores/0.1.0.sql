PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
) STRICT;
INSERT INTO _sqlite_migrations VALUES(1,'f2b-enrich','the_way_of_a_ban','2026-11-21T00:00:00Z');
CREATE TABLE hosts (
        host TEXT NOT NULL PRIMARY KEY,
        country_code TEXT,
        timezone TEXT,
        first_seen_at TEXT NOT NULL,
        last_seen_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO hosts VALUES('web1',NULL,NULL,'2026-10-02T20:14:03Z','2026-11-21T20:09:03Z');
CREATE TABLE enrichments (
        id INTEGER PRIMARY KEY,
        ip TEXT NOT NULL,
        looked_up_at TEXT NOT NULL,
        source TEXT NOT NULL,
        complete INTEGER NOT NULL,
        local_only INTEGER NOT NULL DEFAULT 0,
        field_sources TEXT NOT NULL,
        hostname TEXT,
        hostname_confirmed INTEGER,
        country_code TEXT,
        country TEXT,
        region TEXT,
        city TEXT,
        postal TEXT,
        latitude REAL,
        longitude REAL,
        location_precision TEXT,
        timezone TEXT,
        asn INTEGER,
        as_name TEXT,
        as_domain TEXT,
        as_country_code TEXT,
        is_hosting INTEGER,
        is_vpn INTEGER,
        is_tor INTEGER,
        is_proxy INTEGER,
        scanner TEXT,
        abuse_contact TEXT,
        raw TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO enrichments VALUES(1,'192.0.2.7','2026-11-21T20:10:03Z','IPinfo',1,0,'{"hostname": "IPinfo", "hostname_confirmed": "IPinfo", "country_code": "IPinfo", "country": "IPinfo", "city": "IPinfo", "location_precision": "IPinfo", "asn": "IPinfo", "as_name": "IPinfo", "as_domain": "IPinfo", "is_hosting": "IPinfo"}','vps7.example.net',1,'NL','Netherlands',NULL,'Amsterdam',NULL,NULL,NULL,'city',NULL,64500,'Example Hosting B.V.','example.net',NULL,1,NULL,NULL,NULL,NULL,NULL,'{}');
CREATE TABLE bans (
        id TEXT NOT NULL PRIMARY KEY,
        host TEXT NOT NULL,
        jail TEXT NOT NULL,
        ip TEXT NOT NULL,
        ip_version INTEGER,
        subnet TEXT,
        banned_at TEXT NOT NULL,
        banned_at_source TEXT NOT NULL,
        bantime_seconds INTEGER,
        expires_at TEXT,
        unbanned_at TEXT,
        prolonged_at TEXT,
        failures INTEGER NOT NULL,
        ban_count INTEGER NOT NULL,
        attack TEXT,
        repeat_of TEXT REFERENCES bans (id),
        received_at TEXT NOT NULL,
        origin TEXT NOT NULL,
        reference TEXT NOT NULL,
        announced_at TEXT NOT NULL,
        lines_received INTEGER NOT NULL,
        captures TEXT,
        enrichment_id INTEGER REFERENCES enrichments (id),
        rule_set INTEGER REFERENCES rule_sets (id),
        look_up TEXT NOT NULL DEFAULT 'full'
    ) STRICT
    ;
INSERT INTO bans VALUES('13147f74-c6da-58f8-83c2-797c8a2ff43e','web1','postfix-sasl','192.0.2.7',4,'192.0.2.0/24','2026-10-02T20:14:03Z','failure',3600,'2026-10-02T21:14:03Z',NULL,NULL,5,1,'mail-password-guessing',NULL,'2026-10-02T20:14:03Z','live','','2026-10-02T20:14:03Z',0,NULL,1,1,'full');
INSERT INTO bans VALUES('88b04075-8ee2-56a6-af55-ac827fe27500','web1','sshd','192.0.2.7',4,'192.0.2.0/24','2026-11-19T20:14:03Z','failure',86400,'2026-11-20T20:14:03Z','2026-11-19T23:14:03Z',NULL,5,1,'ssh-password-guessing',NULL,'2026-11-19T20:14:03Z','live','','2026-11-19T20:14:03Z',2,NULL,1,1,'full');
INSERT INTO bans VALUES('0669073d-d536-5974-bb1d-d5b67e956a3b','web1','sshd','192.0.2.7',4,'192.0.2.0/24','2026-11-21T20:09:03Z','failure',86400,'2026-11-22T20:09:03Z',NULL,NULL,5,1,'ssh-password-guessing',NULL,'2026-11-21T20:09:03Z','live','','2026-11-21T20:09:03Z',2,NULL,1,1,'full');
INSERT INTO bans VALUES('e1be8071-47e3-5422-8d67-61cd0a642b41','web1','sshd','192.0.2.9',4,'192.0.2.0/24','2026-11-20T14:14:03Z','failure',600,'2026-11-20T14:24:03Z',NULL,NULL,5,1,'ssh-password-guessing',NULL,'2026-11-20T14:14:03Z','live','','2026-11-20T14:14:03Z',2,NULL,NULL,1,'full');
INSERT INTO bans VALUES('840c4755-18e0-52bc-8c8a-4183d77d505b','web1','sshd','2001:db8::7',6,'2001:db8::/64','2026-11-20T04:14:03Z','failure',-1,NULL,NULL,NULL,5,1,'ssh-password-guessing',NULL,'2026-11-20T04:14:03Z','live','','2026-11-20T04:14:03Z',2,NULL,NULL,1,'full');
CREATE TABLE other_ids (
        id TEXT NOT NULL PRIMARY KEY,
        ban_id TEXT NOT NULL REFERENCES bans (id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO other_ids VALUES('f0000000-0000-5000-8000-000000000000','0669073d-d536-5974-bb1d-d5b67e956a3b');
CREATE TABLE other_origins (
        ban_id TEXT NOT NULL REFERENCES bans (id),
        origin TEXT NOT NULL,
        reference TEXT NOT NULL,
        seen_at TEXT NOT NULL,
        PRIMARY KEY (ban_id, origin, reference)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO other_origins VALUES('0669073d-d536-5974-bb1d-d5b67e956a3b','log','/var/log/fail2ban.log','2026-11-21T20:09:03Z');
CREATE TABLE log_lines (
        id INTEGER PRIMARY KEY,
        ban_id TEXT NOT NULL REFERENCES bans (id),
        position INTEGER NOT NULL,
        line TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO log_lines VALUES(1,'88b04075-8ee2-56a6-af55-ac827fe27500',0,'2026-11-21T20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7');
INSERT INTO log_lines VALUES(2,'88b04075-8ee2-56a6-af55-ac827fe27500',1,'2026-11-21T20:13:31 web1 sshd[4025]: Invalid user admin from 192.0.2.7');
INSERT INTO log_lines VALUES(3,'0669073d-d536-5974-bb1d-d5b67e956a3b',0,'2026-11-21T20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7');
INSERT INTO log_lines VALUES(4,'0669073d-d536-5974-bb1d-d5b67e956a3b',1,'2026-11-21T20:13:31 web1 sshd[4025]: Invalid user admin from 192.0.2.7');
INSERT INTO log_lines VALUES(5,'e1be8071-47e3-5422-8d67-61cd0a642b41',0,'2026-11-21T20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7');
INSERT INTO log_lines VALUES(6,'e1be8071-47e3-5422-8d67-61cd0a642b41',1,'2026-11-21T20:13:31 web1 sshd[4025]: Invalid user admin from 192.0.2.7');
INSERT INTO log_lines VALUES(7,'840c4755-18e0-52bc-8c8a-4183d77d505b',0,'2026-11-21T20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7');
INSERT INTO log_lines VALUES(8,'840c4755-18e0-52bc-8c8a-4183d77d505b',1,'2026-11-21T20:13:31 web1 sshd[4025]: Invalid user admin from 192.0.2.7');
CREATE TABLE rule_sets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        digest TEXT NOT NULL UNIQUE,
        used_at TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO rule_sets VALUES(1,'e1efa42943c3500c','2026-11-21T20:14:03Z');
CREATE TABLE jails (
        jail TEXT NOT NULL PRIMARY KEY,
        service TEXT NOT NULL,
        attack TEXT NOT NULL,
        origin TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO jails VALUES('3proxy','web','open-proxy-probe','shipped');
INSERT INTO jails VALUES('apache-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('apache-badbots','web','unwanted-robot','shipped');
INSERT INTO jails VALUES('apache-botsearch','web','web-application-probe','shipped');
INSERT INTO jails VALUES('apache-fakegooglebot','web','unwanted-robot','shipped');
INSERT INTO jails VALUES('apache-modsecurity','web','web-filter-refusal','shipped');
INSERT INTO jails VALUES('apache-nohome','web','web-application-probe','shipped');
INSERT INTO jails VALUES('apache-noscript','web','web-application-probe','shipped');
INSERT INTO jails VALUES('apache-overflows','web','malformed-request','shipped');
INSERT INTO jails VALUES('apache-pass','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('apache-shellshock','web','known-exploit','shipped');
INSERT INTO jails VALUES('assp','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('asterisk','voip','voip-abuse','shipped');
INSERT INTO jails VALUES('bitwarden','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('centreon','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('counter-strike','other','other','shipped');
INSERT INTO jails VALUES('courier-auth','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('courier-smtp','mail','user-name-enumeration','shipped');
INSERT INTO jails VALUES('cowrie','ssh','ssh-password-guessing','shipped');
INSERT INTO jails VALUES('cyrus-imap','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('dante','other','open-proxy-probe','shipped');
INSERT INTO jails VALUES('directadmin','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('domino-smtp','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('dovecot','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('dropbear','ssh','ssh-password-guessing','shipped');
INSERT INTO jails VALUES('drupal-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('ejabberd-auth','other','login-guessing','shipped');
INSERT INTO jails VALUES('exim','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('exim-spam','mail','spam-delivery','shipped');
INSERT INTO jails VALUES('freeswitch','voip','voip-abuse','shipped');
INSERT INTO jails VALUES('froxlor-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('gitlab','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('grafana','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('groupoffice','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('gssftpd','ftp','ftp-abuse','shipped');
INSERT INTO jails VALUES('guacamole','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('haproxy-http-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('horde','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('kerio','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('lighttpd-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('mongodb-auth','database','database-abuse','shipped');
INSERT INTO jails VALUES('monit','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('monitorix','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('mssql-auth','database','database-abuse','shipped');
INSERT INTO jails VALUES('murmur','voip','login-guessing','shipped');
INSERT INTO jails VALUES('mysqld-auth','database','database-abuse','shipped');
INSERT INTO jails VALUES('nagios','other','other','shipped');
INSERT INTO jails VALUES('named-refused','dns','dns-abuse','shipped');
INSERT INTO jails VALUES('nginx-bad-request','web','malformed-request','shipped');
INSERT INTO jails VALUES('nginx-botsearch','web','web-application-probe','shipped');
INSERT INTO jails VALUES('nginx-forbidden','web','web-application-probe','shipped');
INSERT INTO jails VALUES('nginx-http-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('nginx-limit-req','web','request-flood','shipped');
INSERT INTO jails VALUES('nsd','dns','dns-abuse','shipped');
INSERT INTO jails VALUES('openhab-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('openvpn','vpn','vpn-abuse','shipped');
INSERT INTO jails VALUES('openwebmail','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('oracleims','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('pam-generic','other','login-guessing','shipped');
INSERT INTO jails VALUES('pass2allow-ftp','ftp','other','shipped');
INSERT INTO jails VALUES('perdition','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('php-url-fopen','web','known-exploit','shipped');
INSERT INTO jails VALUES('phpmyadmin-syslog','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('portsentry','other','port-scan','shipped');
INSERT INTO jails VALUES('postfix','mail','spam-relay-attempt','shipped');
INSERT INTO jails VALUES('postfix-rbl','mail','spam-delivery','shipped');
INSERT INTO jails VALUES('postfix-sasl','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('proftpd','ftp','ftp-abuse','shipped');
INSERT INTO jails VALUES('proxmox','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('pure-ftpd','ftp','ftp-abuse','shipped');
INSERT INTO jails VALUES('qmail-rbl','mail','spam-delivery','shipped');
INSERT INTO jails VALUES('recidive','other','repeat-offender','shipped');
INSERT INTO jails VALUES('roundcube-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('routeros-auth','other','login-guessing','shipped');
INSERT INTO jails VALUES('scanlogd','other','port-scan','shipped');
INSERT INTO jails VALUES('screensharingd','other','login-guessing','shipped');
INSERT INTO jails VALUES('selinux-ssh','ssh','ssh-password-guessing','shipped');
INSERT INTO jails VALUES('sendmail-auth','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('sendmail-reject','mail','spam-relay-attempt','shipped');
INSERT INTO jails VALUES('sieve','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('slapd','other','login-guessing','shipped');
INSERT INTO jails VALUES('softethervpn','vpn','vpn-abuse','shipped');
INSERT INTO jails VALUES('sogo-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('solid-pop3d','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('squid','web','open-proxy-probe','shipped');
INSERT INTO jails VALUES('squirrelmail','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('sshd','ssh','ssh-password-guessing','shipped');
INSERT INTO jails VALUES('sshd-ddos','ssh','ssh-protocol-abuse','shipped');
INSERT INTO jails VALUES('stunnel','other','tls-failure','shipped');
INSERT INTO jails VALUES('suhosin','web','web-filter-refusal','shipped');
INSERT INTO jails VALUES('tine20','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('traefik-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('uwimap-auth','mail','mail-password-guessing','shipped');
INSERT INTO jails VALUES('vaultwarden','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('vsftpd','ftp','ftp-abuse','shipped');
INSERT INTO jails VALUES('webmin-auth','web','web-login-guessing','shipped');
INSERT INTO jails VALUES('wuftpd','ftp','ftp-abuse','shipped');
INSERT INTO jails VALUES('xinetd-fail','other','wrong-protocol','shipped');
INSERT INTO jails VALUES('xrdp','other','login-guessing','shipped');
INSERT INTO jails VALUES('znc-adminlog','other','login-guessing','shipped');
INSERT INTO jails VALUES('zoneminder','web','web-login-guessing','shipped');
CREATE TABLE ban_attacks (
        ban_id TEXT NOT NULL REFERENCES bans (id),
        attack TEXT NOT NULL,
        lines INTEGER NOT NULL,
        cves TEXT,
        PRIMARY KEY (ban_id, attack)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO ban_attacks VALUES('0669073d-d536-5974-bb1d-d5b67e956a3b','ssh-password-guessing',1,NULL);
INSERT INTO ban_attacks VALUES('13147f74-c6da-58f8-83c2-797c8a2ff43e','mail-password-guessing',0,NULL);
INSERT INTO ban_attacks VALUES('840c4755-18e0-52bc-8c8a-4183d77d505b','ssh-password-guessing',1,NULL);
INSERT INTO ban_attacks VALUES('88b04075-8ee2-56a6-af55-ac827fe27500','ssh-password-guessing',1,NULL);
INSERT INTO ban_attacks VALUES('e1be8071-47e3-5422-8d67-61cd0a642b41','ssh-password-guessing',1,NULL);
CREATE TABLE observed (
        ban_id TEXT NOT NULL REFERENCES bans (id),
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        lines INTEGER NOT NULL,
        PRIMARY KEY (ban_id, kind, value)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO observed VALUES('0669073d-d536-5974-bb1d-d5b67e956a3b','username','admin',1);
INSERT INTO observed VALUES('840c4755-18e0-52bc-8c8a-4183d77d505b','username','admin',1);
INSERT INTO observed VALUES('88b04075-8ee2-56a6-af55-ac827fe27500','username','admin',1);
INSERT INTO observed VALUES('e1be8071-47e3-5422-8d67-61cd0a642b41','username','admin',1);
CREATE TABLE campaigns (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        scope TEXT NOT NULL,
        who TEXT NOT NULL,
        first_at TEXT NOT NULL,
        last_at TEXT NOT NULL,
        bans INTEGER NOT NULL,
        addresses INTEGER NOT NULL,
        names INTEGER NOT NULL,
        in_order INTEGER NOT NULL,
        first_name TEXT NOT NULL,
        last_name TEXT NOT NULL,
        noted_at TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO campaigns VALUES(1,'user-name-enumeration','subnet','192.0.2.0/24','2026-11-19T00:00:00Z','2026-11-21T20:00:00Z',3,2,40,38,'aaron','zoe','2026-11-21T20:14:03Z');
CREATE TABLE chores (
        chore TEXT NOT NULL PRIMARY KEY,
        done_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO chores VALUES('campaigns','2026-11-21T20:14:03Z');
CREATE TABLE purged (
        what TEXT NOT NULL PRIMARY KEY,
        before_at TEXT NOT NULL,
        is_finished INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO purged VALUES('lines','2026-05-25T04:10:00Z',1);
CREATE TABLE outbox (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        ban_id TEXT REFERENCES bans (id),
        recipient TEXT NOT NULL,
        sender TEXT NOT NULL,
        state TEXT NOT NULL,
        about TEXT,
        folded_into INTEGER REFERENCES outbox (id),
        attempts INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        due_at TEXT NOT NULL,
        released_at TEXT,
        sent_at TEXT,
        message_id TEXT NOT NULL,
        last_error TEXT
    ) STRICT
    ;
INSERT INTO outbox VALUES(1,'alert','88b04075-8ee2-56a6-af55-ac827fe27500','noc@admins.net','root@web1','sent',NULL,NULL,1,'2026-11-19T20:14:05Z','2026-11-19T20:14:05Z',NULL,'2026-11-19T20:14:05Z','<alert.0.88b04075-8ee2-56a6-af55-ac827fe27500@web1>',NULL);
INSERT INTO outbox VALUES(2,'alert','0669073d-d536-5974-bb1d-d5b67e956a3b','noc@admins.net','root@web1','sent',NULL,NULL,1,'2026-11-21T20:10:03Z','2026-11-21T20:10:03Z',NULL,'2026-11-21T20:10:03Z','<alert.1.0669073d-d536-5974-bb1d-d5b67e956a3b@web1>',NULL);
INSERT INTO outbox VALUES(3,'alert','e1be8071-47e3-5422-8d67-61cd0a642b41','noc@admins.net','root@web1','dead',NULL,NULL,1,'2026-11-20T14:14:03Z','2026-11-20T14:14:03Z',NULL,NULL,'<alert.2.e1be8071-47e3-5422-8d67-61cd0a642b41@web1>','550 5.1.1 no such user');
INSERT INTO outbox VALUES(4,'alert','840c4755-18e0-52bc-8c8a-4183d77d505b','noc@admins.net','root@web1','due',NULL,NULL,0,'2026-11-21T20:15:03Z','2026-11-21T20:15:03Z',NULL,NULL,'<alert.3.840c4755-18e0-52bc-8c8a-4183d77d505b@web1>',NULL);
INSERT INTO outbox VALUES(5,'digest',NULL,'noc@admins.net','root@web1','due',NULL,NULL,0,'2026-11-21T06:00:00Z','2026-11-21T06:00:00Z',NULL,NULL,'<digest.0@web1>',NULL);
INSERT INTO outbox VALUES(6,'report',NULL,'noc@admins.net','root@web1','due','October 2026',NULL,0,'2026-11-01T06:30:00Z','2026-11-01T06:30:00Z','2026-11-01T06:30:00Z',NULL,'<report.0@web1>',NULL);
CREATE TABLE floods (
        id INTEGER PRIMARY KEY,
        recipient TEXT NOT NULL,
        sender TEXT NOT NULL,
        began_at TEXT NOT NULL,
        ended_at TEXT,
        held INTEGER NOT NULL,
        window_at TEXT NOT NULL,
        held_in_window INTEGER NOT NULL,
        began_mail INTEGER REFERENCES outbox (id),
        ended_mail INTEGER REFERENCES outbox (id)
    ) STRICT
    ;
INSERT INTO floods VALUES(1,'noc@admins.net','root@web1','2026-11-20T10:00:00Z','2026-11-20T10:30:00Z',212,'2026-11-20T10:20:00Z',0,NULL,NULL);
CREATE TABLE digests (
        outbox_id INTEGER NOT NULL PRIMARY KEY REFERENCES outbox (id),
        period TEXT NOT NULL,
        since_at TEXT NOT NULL,
        until_at TEXT NOT NULL,
        before_at TEXT,
        bounces_since_at TEXT NOT NULL,
        bounces_until_at TEXT NOT NULL,
        takes_all INTEGER NOT NULL DEFAULT 0
    ) STRICT
    ;
INSERT INTO digests VALUES(5,'daily','2026-11-19T23:00:00Z','2026-11-20T23:00:00Z','2026-11-18T23:00:00Z','2026-11-20T06:00:00Z','2026-11-21T06:00:00Z',0);
CREATE TABLE waiting_events (
        ban_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        at TEXT NOT NULL,
        bantime_seconds INTEGER,
        ban_count INTEGER,
        PRIMARY KEY (ban_id, kind)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO waiting_events VALUES('de696d76-79f5-5b91-87f9-8026a1a841c4','unban','2026-11-12T20:14:03Z',86400,1);
CREATE TABLE bounces (
        outbox_id INTEGER NOT NULL PRIMARY KEY REFERENCES outbox (id),
        bounced_at TEXT NOT NULL,
        recipient TEXT,
        status TEXT,
        diagnostic TEXT
    ) STRICT
    ;
INSERT INTO bounces VALUES(1,'2026-11-21T20:14:03Z','noc@admins.net','5.1.1','550 5.1.1 no such user');
CREATE TABLE mailboxes (
        path TEXT NOT NULL PRIMARY KEY,
        read_at TEXT,
        position INTEGER NOT NULL,
        mark TEXT NOT NULL,
        problem TEXT
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO mailboxes VALUES('/var/mail/f2b-enrich','2026-11-21T20:14:03Z',3,'ab',NULL);
CREATE TABLE notifications (
        id INTEGER PRIMARY KEY,
        outbox_id INTEGER NOT NULL REFERENCES outbox (id),
        ban_id TEXT REFERENCES bans (id),
        event TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        due_at TEXT NOT NULL,
        done_at TEXT,
        last_error TEXT
    ) STRICT
    ;
INSERT INTO notifications VALUES(1,1,'88b04075-8ee2-56a6-af55-ac827fe27500','alert','done',1,'2026-11-19T20:14:05Z','2026-11-19T20:14:05Z',NULL,NULL);
CREATE TABLE report_mails (
        outbox_id INTEGER NOT NULL PRIMARY KEY REFERENCES outbox (id),
        since_at TEXT NOT NULL,
        until_at TEXT NOT NULL,
        filters TEXT NOT NULL,
        message BLOB
    ) STRICT
    ;
INSERT INTO report_mails VALUES(6,'2026-09-30T22:00:00Z','2026-10-31T23:00:00Z','[]',X'5375626a6563743a0d0a0d0a');
CREATE TABLE ban_records (
        ip TEXT NOT NULL,
        host TEXT NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        precision TEXT NOT NULL,
        origin TEXT NOT NULL,
        jail TEXT NOT NULL,
        ends_at INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        failed_at INTEGER NOT NULL,
        alert_of TEXT NOT NULL,
        ban_id TEXT REFERENCES bans (id),
        PRIMARY KEY (ip, host, at, kind, precision, origin, jail, ends_at, message_id,
            failed_at, alert_of)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO ban_records VALUES('203.0.113.5','web1.example.org',1794000000,'unban','logged','log','sshd',-1,'',-1,'',NULL);
CREATE TABLE imports (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        name TEXT NOT NULL,
        place TEXT NOT NULL,
        first_year INTEGER,
        size INTEGER,
        read_at TEXT NOT NULL,
        is_finished INTEGER NOT NULL,
        first_day TEXT,
        last_day TEXT,
        UNIQUE (kind, fingerprint)
    ) STRICT
    ;
INSERT INTO imports VALUES(1,'log','ab','fail2ban.log','{"position": 90}',NULL,NULL,'2026-11-21T20:14:03Z',1,'2026-11-20','2026-11-21');
CREATE TABLE found_counts (
        day TEXT NOT NULL,
        ip TEXT NOT NULL,
        host TEXT NOT NULL,
        jail TEXT NOT NULL,
        import_id INTEGER NOT NULL REFERENCES imports (id),
        lines INTEGER NOT NULL,
        PRIMARY KEY (day, ip, host, jail, import_id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO found_counts VALUES('2026-11-20','203.0.113.5','web1.example.org','sshd',1,7);
PRAGMA writable_schema=ON;
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table','log_lines_fts','log_lines_fts',0,'CREATE VIRTUAL TABLE "log_lines_fts" USING FTS5 (
    "line",
    content="log_lines"
)');
CREATE TABLE IF NOT EXISTS 'log_lines_fts_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO log_lines_fts_data VALUES(1,X'088104');
INSERT INTO log_lines_fts_data VALUES(10,X'000000000102020002010101020101');
INSERT INTO log_lines_fts_data VALUES(137438953473,X'000000d902303001021001020f010231310102030102030201330102050102050202393201020f01020e010132010211010210020330323601020201020202043174323001020401020402013201020601023331020206010434303231010209040135020209010137010212010211010561646d696e02020c01066661696c656401020a02026f7201020c0203726f6d01020e01020d0107696e76616c696402020a010870617373776f726401020b0104726f6f7401020d01047373686401020801020801047573657202020b01047765623101020701020704090a090a090b0c06070906090a0b070b0c0d090c09');
INSERT INTO log_lines_fts_data VALUES(274877906945,X'0000019f02303003021001020f01021001020f01021001020f010231310302030102030102030102030102030102030201330302050102050102050102050102050102050202393203020f01020e01020f01020e01020f01020e010132030211010210010211010210010211010210020330323603020201020201020201020201020201020202043174323003020401020401020401020401020401020402013203020602020602020601023331040206020206020206010434303231030209020209020209040135040209020209020209010137030212010211010212010211010212010211010561646d696e04020c02020c02020c01066661696c656403020a02020a02020a02026f7203020c02020c02020c0203726f6d03020e01020d01020e01020d01020e01020d0107696e76616c696404020a02020a02020a010870617373776f726403020b02020b02020b0104726f6f7403020d02020d02020d01047373686403020801020801020801020801020801020801047573657204020b02020b02020b01047765623103020701020701020701020701020701020704151615161517180c0d0f0c1510110d1712130f180f');
CREATE TABLE IF NOT EXISTS 'log_lines_fts_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO log_lines_fts_idx VALUES(1,X'',2);
INSERT INTO log_lines_fts_idx VALUES(2,X'',2);
CREATE TABLE IF NOT EXISTS 'log_lines_fts_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
INSERT INTO log_lines_fts_docsize VALUES(1,X'11');
INSERT INTO log_lines_fts_docsize VALUES(2,X'10');
INSERT INTO log_lines_fts_docsize VALUES(3,X'11');
INSERT INTO log_lines_fts_docsize VALUES(4,X'10');
INSERT INTO log_lines_fts_docsize VALUES(5,X'11');
INSERT INTO log_lines_fts_docsize VALUES(6,X'10');
INSERT INTO log_lines_fts_docsize VALUES(7,X'11');
INSERT INTO log_lines_fts_docsize VALUES(8,X'10');
CREATE TABLE IF NOT EXISTS 'log_lines_fts_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO log_lines_fts_config VALUES('version',4);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('rule_sets',1);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX enrichments_by_ip ON enrichments (ip, looked_up_at);
CREATE INDEX enrichments_by_time ON enrichments (looked_up_at) WHERE NOT local_only;
CREATE INDEX bans_by_ip ON bans (ip, banned_at, host, jail, origin, look_up);
CREATE INDEX bans_by_time ON bans (banned_at);
CREATE INDEX bans_not_enriched ON bans (enrichment_id)
    WHERE enrichment_id IS NULL AND look_up = 'full'
    ;
CREATE INDEX bans_not_placed ON bans (enrichment_id, look_up)
    WHERE enrichment_id IS NULL AND look_up IN ('later', 'local')
    ;
CREATE INDEX bans_for_later ON bans (look_up) WHERE look_up = 'later';
CREATE INDEX bans_not_classed ON bans (rule_set) WHERE rule_set IS NULL;
CREATE INDEX other_ids_by_ban ON other_ids (ban_id);
CREATE VIEW ban_ids AS
    SELECT id, id AS ban_id FROM bans
    UNION ALL
    SELECT id, ban_id FROM other_ids;
CREATE VIEW ban_origins AS
    SELECT id AS ban_id, origin, reference, received_at AS seen_at FROM bans
    UNION ALL
    SELECT ban_id, origin, reference, seen_at FROM other_origins;
CREATE UNIQUE INDEX log_lines_by_ban ON log_lines (ban_id, position);
CREATE INDEX campaigns_by_who ON campaigns (who, last_at);
CREATE INDEX outbox_by_ban ON outbox (ban_id);
CREATE INDEX outbox_unsorted ON outbox (due_at, id)
    WHERE state = 'due' AND released_at IS NULL
    ;
CREATE INDEX outbox_due ON outbox (due_at, id, recipient)
    WHERE state = 'due' AND released_at IS NOT NULL
    ;
CREATE INDEX outbox_sending ON outbox (id) WHERE state = 'sending';
CREATE INDEX outbox_held ON outbox (kind, recipient, about, due_at) WHERE state = 'held';
CREATE INDEX outbox_dead ON outbox (due_at, id) WHERE state = 'dead';
CREATE INDEX outbox_sent ON outbox (recipient, sent_at, about) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_folded ON outbox (folded_into) WHERE folded_into NOTNULL;
CREATE UNIQUE INDEX floods_open ON floods (recipient) WHERE ended_at IS NULL;
CREATE INDEX bounces_by_time ON bounces (bounced_at);
CREATE UNIQUE INDEX notifications_by_mail ON notifications (outbox_id);
CREATE UNIQUE INDEX notifications_by_ban ON notifications (ban_id, event)
    WHERE ban_id IS NOT NULL
    ;
CREATE INDEX notifications_open ON notifications (state, due_at)
    WHERE state != 'done'
    ;
CREATE INDEX ban_records_by_ban ON ban_records (ban_id) WHERE ban_id NOTNULL;
CREATE INDEX ban_records_loose ON ban_records (at) WHERE ban_id IS NULL;
CREATE VIEW found_by_day AS
    SELECT day, host, jail, ip, ifnull(
        max(lines) FILTER (WHERE day > first_day AND day < last_day), sum(lines)
    ) AS lines
    FROM found_counts JOIN imports ON imports.id = import_id
    GROUP BY day, ip, host, jail;
CREATE TRIGGER log_lines_deleted AFTER DELETE ON log_lines WHEN old.id <= (SELECT ifnull(max(id), 0) FROM log_lines_fts_docsize)
    BEGIN
        INSERT INTO log_lines_fts (log_lines_fts, rowid, line)
        VALUES ('delete', old.id, old.line);
    END;
CREATE TRIGGER log_lines_updated AFTER UPDATE ON log_lines WHEN old.id <= (SELECT ifnull(max(id), 0) FROM log_lines_fts_docsize)
    BEGIN
        INSERT INTO log_lines_fts (log_lines_fts, rowid, line)
        VALUES ('delete', old.id, old.line);
        INSERT INTO log_lines_fts (rowid, line) VALUES (new.id, new.line);
    END;
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
    LEFT JOIN jails ON jails.jail = bans.jail;
CREATE VIEW observed_public AS
    SELECT ban_id, kind, value, lines FROM observed WHERE kind != 'username';
PRAGMA writable_schema=OFF;
COMMIT;
