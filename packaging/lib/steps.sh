# The steps of an installation, in their order. Sourced by install.sh.

install() {
    is_new=
    [ -f "$root$manifest" ] || is_new=yes
    check_all
    decide
    [ -n "$dry" ] || [ -z "$root" ] || mkdir -p "$root"
    say "User and folders"
    put_account
    put_folders
    say "Program"
    mend_environment
    remember_services
    put_environment
    put_settings
    put_programs
    put_units
    put_database
    say "Services"
    start_services
    say "Fail2Ban"
    put_fail2ban
    put_manifest
    activate
    conclude
}

put_account() {
    [ -z "$root" ] || return 0
    if ! getent group "$user" >/dev/null; then
        changed "make group $user"
        listed group - "group:$user"
        make_account group groupadd --system "$user"
    elif was_listed "group:$user"; then
        listed group - "group:$user"
    fi
    if ! getent passwd "$user" >/dev/null; then
        changed "make user $user"
        listed user - "user:$user"
        make_account user useradd --system --gid "$user" --no-create-home \
            --home-dir "$state" --shell /usr/sbin/nologin "$user"
    elif was_listed "user:$user"; then
        listed user - "user:$user"
    fi
}

make_account() {
    [ -z "$dry" ] || return 0
    to_undo "$1" "$user"
    shift
    "$@"
}

put_folders() {
    folder keep "$state" 750 "$user:$user"
    folder keep "$state/geo" 750 "$user:$user"
    folder keep "$spool" 2770 "root:$user"
    folder keep "$settings" 750 "root:$user"
    folder tree "$lib" 755 root:root
    if [ -z "$root" ]; then
        # systemd holds the socket, as root's. Without it the daemon makes one, and the
        # folder passes root's group on to it.
        owner=root:$user
        [ -n "$systemd" ] || owner=$user:root
        folder tree "$run" 2770 "$owner"
        folder tree "$run/spool" 2770 "root:$user"
        adopt
    fi
}

# What an earlier installation left belongs to root since it was removed.
adopt() {
    if [ -n "$dry" ] || [ -z "$is_new" ]; then
        return 0
    fi
    to_undo disown
    chown -hR "$user:$user" "$state"
    chgrp -hR "$user" "$spool" "$settings"
    # chgrp takes the bit away that passes the group on.
    chmod 2770 "$spool"
}

put_settings() {
    [ -z "$root" ] || return 0
    if is_decided; then
        listed keep - "$settings/config.toml"
        return 0
    fi
    write_settings
    put_kept "$work/config.toml" "$settings/config.toml" 640 "root:$user"
    if [ -n "$token_file" ]; then
        # systemd hands it over; a daemon without systemd has to read it itself.
        mode=600
        [ -n "$systemd" ] || mode=640
        put_kept "$token_file" "$settings/ipinfo-token" "$mode" "root:$user"
    fi
    if [ -z "$dry" ] &&
        ! as_user "$environment/bin/f2b-enrich" config check >"$work/told" 2>&1; then
        sed -n 's/^WRONG  */install.sh: /p' "$work/told" >&2
        fail "these answers will not do"
    fi
}

put_kept() {
    listed keep - "$2"
    changed "write $2"
    [ -n "$dry" ] || replace "$@"
}

# What reads the configuration as the daemon will, with the daemon's rights.
as_user() {
    env HOME=/nonexistent setpriv --reuid "$user" --regid "$user" --clear-groups \
        --no-new-privs -- "$@"
}

# The first half of the client comes first: a ban in between runs two that match.
put_programs() {
    packaging=$here/packaging
    put "$here/f2b_enrich/handover.py" "$lib/handover.py" 644 root:root
    put_compiled
    put "$here/f2b_enrich/client.py" "$lib/client.py" 755 root:root
    for file in "$packaging"/f2b-enrich-*; do
        [ ! -f "$file" ] || put_text "$file" "$lib/${file##*/}" 755
    done
    put_text "$packaging/f2b-enrich" "$prefix/bin/f2b-enrich" 755
    put_help
}

# Manual pages and completion, each where man and the shells look.
put_help() {
    for file in "$here"/docs/man/*.[158]; do
        [ ! -f "$file" ] ||
            put "$file" "$prefix/share/man/man${file##*.}/${file##*/}" 644 root:root
    done
    for file in "$here"/completions/*; do
        case $file in
        */_*) place=zsh/site-functions/${file##*/} ;;
        *.fish) place=fish/vendor_completions.d/${file##*/} ;;
        *.bash) place=bash-completion/completions/f2b-enrich ;;
        *) continue ;;
        esac
        put "$file" "$prefix/share/$place" 644 root:root
    done
}

# put_text SOURCE PATH MODE: with --prefix in the place of /usr/local.
put_text() {
    sed "s|/usr/local/|$prefix/|g" "$1" >"$work/text"
    put "$work/text" "$2" "$3" root:root
}

# What Python would keep of it at the first ban, if Fail2Ban may write there.
put_compiled() {
    [ -z "$dry" ] || return 0
    cache=$("$python" -I -S -c 'import sys; print(sys.implementation.cache_tag)')
    "$python" -I -S -c 'import py_compile, sys
py_compile.compile(sys.argv[1], cfile=sys.argv[2], dfile=sys.argv[3], doraise=True)' \
        "$root$lib/handover.py" "$work/compiled" "$lib/handover.py"
    put "$work/compiled" "$lib/__pycache__/handover.$cache.pyc" 644 root:root
}

put_units() {
    [ -n "$systemd" ] || return 0
    for file in "$here"/packaging/systemd/*; do
        [ ! -f "$file" ] || put_text "$file" "/etc/systemd/system/${file##*/}" 644
    done
    put_text "$here/packaging/tmpfiles.d/f2b-enrich.conf" /etc/tmpfiles.d/f2b-enrich.conf 644
}

# The registry's copy, or the one of a bundle; without either it comes later.
put_database() {
    if [ -n "$root" ] || [ -e "$state/geo/ipinfo_lite.mmdb" ]; then
        return 0
    fi
    say "  fetch the local database"
    [ -z "$dry" ] || return 0
    set -- geo update
    if [ -n "$offline" ]; then
        wheel=$(find "$offline" -name 'parsedmarc-*.whl' | head -n 1)
        if [ -z "$wheel" ]; then
            say "  there is none in $offline; later: f2b-enrich geo update"
            return 0
        fi
        # The daemon's user may read this file, and list nothing beside it.
        chmod 711 "$work"
        cat <"$wheel" >"$work/${wheel##*/}"
        set -- "$@" --from "$work/${wheel##*/}"
    fi
    if ! as_user "$environment/bin/f2b-enrich" "$@" >"$work/told" 2>&1; then
        tail -n 1 "$work/told"
        say "  no local database yet; later: f2b-enrich geo update"
    fi
}

# First of all to be taken back last: by then the files are the old ones again.
remember_services() {
    if [ -z "$systemd" ] || [ -n "$dry$root" ]; then
        return 0
    fi
    to_undo restart f2b-enrich.service
    to_undo units
}

start_services() {
    if [ -z "$systemd" ] || [ -n "$root" ]; then
        return 0
    fi
    units="f2b-enrich.socket f2b-enrich.service"
    for file in "$here"/packaging/systemd/*.timer; do
        units="$units ${file##*/}"
    done
    if [ -n "$dry" ]; then
        say "  start $units"
        return 0
    fi
    [ "$changes" -eq 0 ] || systemctl daemon-reload
    for unit in $units; do
        if ! systemctl -q is-enabled "$unit" || ! systemctl -q is-active "$unit"; then
            changed "start $unit"
            to_undo unit "$unit"
            systemctl -q enable --now "$unit"
        elif [ "$unit" = f2b-enrich.service ] && [ "$changes" -ne 0 ]; then
            say "  restart $unit; its socket waits meanwhile"
            systemctl restart "$unit"
        fi
    done
}

# Two files. Where the second would take an action from a jail, when Fail2Ban is reloaded
# or started again, it only tells our action's name and changes no jail.
put_fail2ban() {
    put_text "$here/action.d/f2b-enrich.conf" /etc/fail2ban/action.d/f2b-enrich.conf 644
    cat <"$here/jail.d/f2b-enrich.conf" >"$work/jail"
    if [ -z "$root$dry" ] && loses_an_action; then
        sed '/^action = /,$d' "$here/jail.d/f2b-enrich.conf" >"$work/jail"
    fi
    put "$work/jail" /etc/fail2ban/jail.d/f2b-enrich.conf 644 root:root
    [ -n "$root$dry" ] || ask_fail2ban "Fail2Ban refuses its configuration with our files"
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
}

conclude() {
    [ -n "$dry" ] || rm -rf "$root$environment.old"
    if [ -n "$dry" ]; then
        say "Nothing was changed."
    elif [ "$changes" -eq 0 ]; then
        say "Nothing to change: all is in place."
    elif [ -n "$root$systemd" ]; then
        say "Done. f2b-enrich status shows how it is; ./install.sh --uninstall removes it."
    else
        say "Done. No systemd here: bans wait in the spool until something runs the daemon:"
        say "  setpriv --reuid $user --regid $user --clear-groups $prefix/bin/f2b-enrich daemon"
    fi
}
