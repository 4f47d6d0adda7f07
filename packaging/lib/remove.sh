# --uninstall and --purge: exactly what the manifest names. Sourced by install.sh.

uninstall() {
    [ -n "$root$dry" ] || is_root
    lock
    check_prefix
    recall
    if [ -f "$root$manifest" ] || [ -f "$root$manifest.draft" ]; then
        LC_ALL=C sort -u "$work/known" >"$work/manifest"
    else
        only_what_was_kept
    fi
    [ -n "$root" ] || {
        check_daemon
        leave_fail2ban
    }
    # Before all that they would have Fail2Ban start.
    with_kind file remove_fail2ban_file
    stop_units
    say "Removing files"
    with_kind file remove_other_file
    remove_compiled
    # It is large, and the disk may be full.
    [ -n "$dry" ] || ! grep -qxF -- "tree - $environment" "$work/manifest" ||
        remove_tree - "$environment"
    keep_what_waits
    with_kind tree remove_tree
    remove_unfinished
    [ -z "$purge" ] || with_kind keep remove_tree
    [ -n "$root" ] || remove_account
    # The manifest is in there: until now this can be run again.
    [ -n "$dry" ] || rm -rf "$root$lib"
    # The longest path first: what is inside goes before what it is in.
    with_kind folder remove_folder
    [ -n "$purge" ] || say "Kept: $state, $spool, $settings (--purge removes them)"
}

# --purge after --uninstall.
only_what_was_kept() {
    [ -z "$purge" ] || {
        cat "$work/known"
        for path in "$state" "$spool" "$settings"; do
            [ ! -d "$root$path" ] || printf 'keep - %s\n' "$path"
        done
    } >"$work/manifest"
    [ -s "$work/manifest" ] || fail "nothing is installed here: there is no $manifest"
}

# with_kind KIND FUNCTION: call it with CHECKSUM PATH of each such line.
with_kind() {
    awk -v kind="$1" '$1 == kind { print $2, $3 }' "$work/manifest" |
        LC_ALL=C sort -r -k 2 >"$work/kind.$1"
    while read -r sum path; do
        "$2" "$sum" "$path" </dev/null
    done <"$work/kind.$1"
}

# A daemon that nobody's systemd runs would go on without its files.
check_daemon() {
    [ -z "$systemd" ] || return 0
    find /proc -maxdepth 1 -name '[0-9]*' -user "$user" >"$work/processes" 2>&1 || :
    while read -r process; do
        if { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -q "$environment/bin"
        then
            fail "the daemon runs (process ${process#/proc/}): stop it first"
        fi
    done <"$work/processes"
}

remove_fail2ban_file() {
    case $2 in /etc/fail2ban/*) remove_file "$@" ;; esac
}

remove_other_file() {
    case $2 in /etc/fail2ban/*) ;; *) remove_file "$@" ;; esac
}

remove_file() {
    [ -f "$root$2" ] || return 0
    if is_as_put "$2"; then
        say "  remove $2"
        [ -n "$dry" ] || rm -f "$root$2"
        return 0
    fi
    case $2 in
    /etc/*)
        # Fail2Ban would not start with a file that names an action which is gone.
        say "  kept, because it was changed: $2 is now $2.saved"
        [ -n "$dry" ] || mv --backup=numbered -T "$root$2" "$root$2.saved"
        ;;
    *)
        say "  remove $2, which was changed"
        [ -n "$dry" ] || rm -f "$root$2"
        ;;
    esac
}

# What Fail2Ban's Python keeps of the action that runs inside it.
remove_compiled() {
    [ -z "$dry" ] || return 0
    cache=$root/etc/fail2ban/action.d/__pycache__
    for file in "$cache"/f2b-enrich.*.pyc; do
        [ ! -f "$file" ] || rm -f "$file"
        rmdir "$cache" 2>/dev/null || :
    done
}

# What a run that was killed left of an environment.
remove_unfinished() {
    for path in "$environment.new" "$environment.old"; do
        [ -L "$root$path" ] || [ ! -f "$root$path/fingerprint" ] || remove_tree - "$path"
    done
}

remove_tree() {
    [ -d "$root$2" ] || return 0
    say "  remove $2"
    if [ -n "$dry" ] || [ "$2" = "$lib" ]; then
        return 0
    fi
    rm -rf "$root$2" || say "  left, for it cannot be removed: $2"
}

remove_folder() {
    [ -n "$dry" ] || rmdir "$root$2" 2>/dev/null || :
}

# Bans that found the spool full lie where the next start of the machine removes them.
keep_what_waits() {
    if [ -n "$dry$purge" ] || [ ! -d "$root$run/spool" ] || [ ! -d "$root$spool" ]; then
        return 0
    fi
    "$python" -I "$here/packaging/lib/waiting.py" "$root$run/spool" "$root$spool"
}

# Without its user nobody but root can read what is kept.
remove_account() {
    [ -z "$systemd" ] || [ -n "$dry" ] || systemctl daemon-reload
    members=$(getent group "$user" | cut -d : -f 4)
    if [ -n "$members" ] && [ -z "$purge" ]; then
        say "Kept: user and group $user; in the group: $members"
        keep_account
        return 0
    fi
    awk '$1 == "user" || $1 == "group"' "$work/manifest" | grep -q . || return 0
    say "  remove user and group $user"
    [ -z "$dry" ] || return 0
    # -h: never through a link that the daemon's user made.
    for path in "$state" "$spool" "$settings"; do
        [ ! -d "$path" ] || chown -hR root:root "$path"
    done
    ! grep -q '^user ' "$work/manifest" || ! getent passwd "$user" >/dev/null ||
        userdel "$user"
    ! grep -q '^group ' "$work/manifest" || ! getent group "$user" >/dev/null ||
        groupdel "$user"
}

# So that a later --purge removes what was made here.
keep_account() {
    if [ -n "$dry" ] || [ ! -d "$settings" ]; then
        return 0
    fi
    (umask 077 && awk '$1 == "user" || $1 == "group"' "$work/manifest" >"$work/account")
    [ ! -s "$work/account" ] || cat <"$work/account" >"$settings/account"
}
