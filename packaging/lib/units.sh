# systemd's units: laid out, started, stopped. Sourced by install.sh.

units=/etc/systemd/system

put_units() {
    if [ -z "$systemd" ]; then
        # What a run with systemd laid out stays.
        awk '$1 == "file" && $3 ~ "^/etc/(systemd/system|tmpfiles.d)/"' \
            "$work/known" >"$work/laid"
        while read -r kind sum path; do
            parents "${path%/*}"
            listed "$kind" "$sum" "$path"
        done <"$work/laid"
        return 0
    fi
    for file in "$here"/packaging/systemd/*; do
        [ ! -f "$file" ] || put_text "$file" "$units/${file##*/}" 644
    done
    put_text "$here/packaging/tmpfiles.d/f2b-enrich.conf" /etc/tmpfiles.d/f2b-enrich.conf 644
}

is_unit() {
    case $1 in
    "$units"/*) return 0 ;;
    *) return 1 ;;
    esac
}

# Print the units that earlier runs laid out.
known_units() {
    awk -v folder="$units/" '$1 == "file" && index($3, folder) == 1 &&
        $3 !~ /\.new$/ { print substr($3, length(folder) + 1) }' "$work/known" | sort -u
}

state_of() {
    systemctl is-enabled "$1" 2>/dev/null || :
}

is_active() {
    systemctl -q is-active "$1"
}

activity_of() {
    if is_active "$1"; then echo active; else echo inactive; fi
}

# First of all, to be taken back last: by then the files are the old ones again.
remember_services() {
    if [ -z "$systemd" ] || [ -n "$dry$root" ]; then
        return 0
    fi
    for unit in $(known_units); do
        state=$(state_of "$unit")
        to_undo was "$unit" "${state:-none}" "$(activity_of "$unit")"
    done
    to_undo units
}

# restore_unit UNIT STATE ACTIVITY: as it was before an upgrade.
restore_unit() {
    [ "$2" != enabled ] || systemctl -q enable "$1"
    if [ "$3" != active ]; then
        [ "$2" != enabled ] || systemctl -q stop "$1"
        return 0
    fi
    systemctl -q reset-failed "$1" 2>/dev/null
    case $1 in
    *.service) systemctl restart "$1" ;;
    *) is_active "$1" || systemctl start "$1" ;;
    esac
}

start_services() {
    if [ -z "$systemd" ] || [ -n "$root" ]; then
        return 0
    fi
    # A run that was killed may have laid out files and started nothing.
    [ -z "$was_killed" ] || changes=$((changes + 1))
    [ -n "$dry" ] || [ "$changes" -eq 0 ] || systemctl daemon-reload
    for kind in socket service timer; do
        for file in "$here"/packaging/systemd/*."$kind"; do
            [ ! -f "$file" ] || ! grep -q '^\[Install\]' "$file" || start_unit "${file##*/}"
        done
    done
}

# For the administrator to enable, who alone knows whether there is a mailbox to read, and
# whether somebody wants a report.
is_optional() {
    case $1 in
    f2b-enrich-mailbox.timer | f2b-enrich-report.timer) return 0 ;;
    *) return 1 ;;
    esac
}

# Enabled when it is first laid out; from then on the administrator decides.
start_unit() {
    state=$(state_of "$1")
    if is_optional "$1" && [ "$state" != enabled ]; then
        return 0
    elif ! was_finished "$units/$1"; then
        case $state in masked*) return 0 ;; esac
        if [ "$state" = enabled ] && is_active "$1"; then
            return 0
        fi
        changed "start $1"
        [ -z "$dry" ] || return 0
        to_undo unit "$1" "${state:-none}" "$(activity_of "$1")"
        systemctl -q enable --now "$1"
    elif is_active "$1"; then
        case $1 in *.service) ;; *) return 0 ;; esac
        [ "$changes" -ne 0 ] || return 0
        say "  restart $1; its socket waits meanwhile"
        [ -n "$dry" ] || systemctl restart "$1"
    elif [ "$state" = enabled ]; then
        # As a start of the machine would; it may have been given up.
        changed "start $1"
        [ -z "$dry" ] || return 0
        systemctl -q reset-failed "$1" 2>/dev/null || :
        systemctl -q start "$1"
    fi
}

# forget_unit UNIT STATE ACTIVITY: what a first start of it did.
forget_unit() {
    [ "$3" = active ] || systemctl -q stop "$1"
    [ "$2" != enabled ] || return 0
    systemctl -q disable "$1"
    remove_traces "$1"
}

stop_unit() {
    [ -z "$systemd" ] || [ -n "$root" ] ||
        systemctl -q disable --now "$1" 2>/dev/null || systemctl -q stop "$1" || :
    remove_traces "$1"
}

# The links by which it is enabled, where no systemd removes them, and the note of when a
# timer ran last.
remove_traces() {
    for link in "$root$units"/*.wants/"$1" "$root$units"/*.requires/"$1"; do
        [ ! -L "$link" ] || rm -f "$link"
    done
    rm -f "$root/var/lib/systemd/timers/stamp-$1"
}

stop_units() {
    known_units >"$work/stopping"
    [ -s "$work/stopping" ] || return 0
    say "Stopping the services"
    [ -z "$dry" ] || return 0
    while read -r unit; do
        stop_unit "$unit" </dev/null
    done <"$work/stopping"
}
