# Fail2Ban: asked before and after, given three files, its running jails our action.
# Sourced by install.sh.

check_fail2ban() {
    have fail2ban-client || fail "there is no fail2ban-client; install Fail2Ban first"
    [ -d /etc/fail2ban/jail.d ] || fail "there is no /etc/fail2ban/jail.d"
    # Before 0.11 this option told more than the number.
    found=$(fail2ban-client -V 2>/dev/null | head -n 1)
    case $found in
    0.* | [!0-9]* | '') fail "Fail2Ban is ${found:-silent about its version}; it has to be 1.0 or newer" ;;
    esac
    ! accepts "$work/complaints" || return 0
    whose=${is_new:+, without ours}
    if fail2ban_runs && only_logs_are_missing; then
        say "  Fail2Ban runs, but would not start again as it is$whose:"
        sed 's/^/    /' "$work/complaints"
        say "    put the log file there, or set that jail's backend to systemd"
        return 0
    fi
    head -n 3 "$work/complaints" >&2
    fail "Fail2Ban refuses its configuration as it is$whose: fail2ban-client -t"
}

# accepts FILE: would it start with the files that are there? What it says against them.
accepts() {
    : >"$1"
    ! fail2ban-client -t >"$work/told" 2>&1 || return 0
    # The last one only says that there were others.
    sed -n -e '/ERROR: test configuration failed$/d' -e 's/^.*ERROR *//p' \
        "$work/told" >"$1"
    [ -s "$1" ] || tail -n 3 "$work/told" >"$1"
    return 1
}

only_logs_are_missing() {
    ! grep -qv 'Have not found any log file for ' "$work/complaints"
}

fail2ban_runs() {
    fail2ban-client ping >/dev/null 2>&1
}

# The action, the one that runs inside Fail2Ban, which it reads only for a jail that names
# it, and the line that turns on the first. Where that would take an action from a jail,
# when Fail2Ban is reloaded or started again, it only tells our action's name.
put_fail2ban() {
    action=$root/etc/fail2ban/action.d/f2b-enrich.conf
    former=$(cat "$action" 2>/dev/null | sha256sum)
    for file in "$here"/action.d/f2b-enrich.*; do
        put_text "$file" "/etc/fail2ban/action.d/${file##*/}" 644
    done
    cat <"$here/jail.d/f2b-enrich.conf" >"$work/jail"
    if [ -z "$root$dry" ] && loses_an_action; then
        sed '/^action = /,$d' "$here/jail.d/f2b-enrich.conf" >"$work/jail"
    fi
    put "$work/jail" /etc/fail2ban/jail.d/f2b-enrich.conf 644 root:root
    if [ -n "$root$dry" ] || accepts "$work/complaints.now" ||
        cmp -s "$work/complaints" "$work/complaints.now"; then
        return 0
    fi
    head -n 3 "$work/complaints.now" >&2
    fail "Fail2Ban refuses its configuration with our files: fail2ban-client -t"
}

# It ends with 1 for this and for a failure; only this prints a plan.
loses_an_action() {
    ! "$environment/bin/f2b-enrich" action plan --files "$here" >"$work/plan" || return 1
    [ -s "$work/plan" ] || fail "no plan for Fail2Ban's jails"
    cat "$work/plan"
}

# Into the running jails, one by one; a plain reload would not do it.
activate() {
    [ -z "$root" ] || return 0
    if [ -n "$dry" ]; then
        say "  f2b-enrich action add"
        return 0
    fi
    [ -z "$is_new" ] || to_undo action
    "$environment/bin/f2b-enrich" action add
    [ -n "$is_new" ] || [ "$former" = "$(cat "$action" 2>/dev/null | sha256sum)" ] ||
        say "  the action has changed; running jails get it by: fail2ban-client reload"
}

# Out of the running jails first: no ban is lifted, and no action is left that would
# start a client which is gone.
leave_fail2ban() {
    have fail2ban-client || return 0 # it was removed first
    say "Taking the action out of the running Fail2Ban"
    naming_us >"$work/naming"
    if [ -n "$dry" ]; then
        [ ! -s "$work/naming" ] ||
            say "  this would end here, if Fail2Ban cannot start without what these name:"
        sed 's/^/    /' "$work/naming"
    elif runs "$environment"; then
        "$environment/bin/f2b-enrich" action remove || fail "nothing was removed"
    else
        without_python
    fi
}

# The environment is broken, after an upgrade of the distribution as a rule.
without_python() {
    if [ -s "$work/naming" ]; then
        cat "$work/naming" >&2
        fail "nothing was removed: take our action out there first"
    fi
    fail2ban_runs || return 0
    fail2ban-client status >"$work/told" ||
        fail "nothing was removed: Fail2Ban does not name its jails"
    sed -n 's/^.*Jail list:[[:space:]]*//p' "$work/told" | tr -s ', ' '\n' >"$work/jails"
    while read -r jail; do
        take_out_of "$jail" </dev/null
    done <"$work/jails"
}

take_out_of() {
    fail2ban-client get "$1" actions >"$work/told" ||
        fail "nothing was removed: Fail2Ban does not name the actions of $1"
    sed 1d "$work/told" | tr -s ', ' '\n' >"$work/actions"
    while read -r name; do
        ! is_ours "$1" "$name" </dev/null ||
            fail2ban-client set "$1" delaction "$name" </dev/null >/dev/null ||
            fail "nothing was removed: $1 keeps its action $name"
    done <"$work/actions"
}

# is_ours JAIL ACTION: by its name, or by what it runs.
is_ours() {
    [ "$2" = f2b-enrich ] ||
        fail2ban-client get "$1" action "$2" actionban 2>/dev/null |
        grep -q '/f2b-enrich/client\.py'
}

# The lines of the administrator's jail files that cannot do without ours.
naming_us() {
    for file in /etc/fail2ban/jail.conf /etc/fail2ban/jail.local /etc/fail2ban/jail.d/*; do
        case $file in
        */f2b-enrich.conf) ;;
        *.conf | *.local)
            grep -Hn 'f2b[-_]enrich' "$file" 2>/dev/null |
                grep -v '^[^:]*:[0-9]*:[[:space:]]*[#;]' || :
            ;;
        esac
    done
}
