# The steps of an installation, in their order. Sourced by install.sh.

install() {
    is_new=
    [ -f "$root$manifest" ] || is_new=yes
    was_killed=
    [ ! -e "$root$manifest.draft" ] || was_killed=yes
    [ ! -e "$root$environment.old" ] || was_killed=yes
    recall
    check_all
    decide
    [ -n "$dry" ] || [ -z "$root" ] || mkdir -p "$root"
    say "User and folders"
    # The first one: what is noted from here on lies in there.
    folder tree "$lib" 755 root:root
    put_account
    put_folders
    say "Program"
    mend_environment
    remember_services
    put_environment
    put_settings
    put_programs
    put_units
    relabel
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
    adopt "$state" "$user:$user"
    adopt "$spool" "root:$user"
    adopt "$settings" "root:$user"
    folder keep "$state" 750 "$user:$user"
    daemon_folder "$state/geo"
    folder keep "$spool" 2770 "root:$user"
    folder keep "$settings" 750 "root:$user"
    if [ -z "$root" ]; then
        # systemd holds the socket, as root's. Without it the daemon makes one, and the
        # folder passes root's group on to it.
        owner=root:$user
        [ -n "$systemd$(known_units)" ] || owner=$user:root
        folder tree "$run" 2770 "$owner"
        folder tree "$run/spool" 2770 "root:$user"
    fi
}

# adopt PATH USER:GROUP: what an earlier installation left is root's since its removal.
adopt() {
    if [ -n "$dry$root" ] || [ ! -d "$1" ] || [ "$(stat -c %U:%G -- "$1")" != root:root ]
    then
        return 0
    fi
    to_undo disown "$1"
    chown -hR "$2" "$1"
    # A secret is not the group's, whoever laid it there.
    for secret in ipinfo-token smtp-password imap-password; do
        [ ! -f "$1/$secret" ] || [ -L "$1/$secret" ] || chown root:root "$1/$secret"
    done
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

# What was renamed or made anew has the label of where it was made.
relabel() {
    if [ -n "$root$dry" ] || ! have restorecon; then
        return 0
    fi
    restorecon -R "$environment" "$lib" "$state" "$spool" "$settings" "$run" || :
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

conclude() {
    if [ -z "$dry" ]; then
        # From here on there is no way back: whoever leaves now leaves it installed.
        trap '' HUP INT QUIT PIPE TERM
        : >"$work/journal"
        rm -rf "$root$environment.old" "$root$manifest.draft" "$root$settings/account"
    fi
    summary || :
}

summary() {
    if [ -n "$dry" ]; then
        say "Nothing was changed."
    elif [ "$changes" -eq 0 ]; then
        say "Nothing to change: all is in place."
    elif [ -n "$root$systemd" ]; then
        say "Done. f2b-enrich test-ban tries the whole way; ./install.sh --uninstall removes it."
    else
        say "Done. No systemd here: bans wait in the spool until something runs the daemon:"
        say "  setpriv --reuid $user --regid $user --clear-groups $prefix/bin/f2b-enrich daemon"
    fi
}
