# Put files where they belong, note them in the manifest, and be able to take each
# step back. Sourced by install.sh.
#
# Every path here is one of this software's own, or below a --prefix or DESTDIR that was
# checked to hold no blanks; $root is DESTDIR and stands before each.

# The manifest has a line for each thing: KIND SHA256 PATH.
#   file    removed if it is still what was put there; below /etc else kept as NAME.saved
#   folder  removed if empty       tree   removed with all that is in it
#   keep    only --purge removes it, with all that is in it
#   user, group   the account
listed() {
    printf '%s %s %s\n' "$1" "$2" "$3" >>"$work/manifest"
}

# Print what an earlier installation noted about a path: its checksum.
noted() {
    [ -f "$root$manifest" ] || return 0
    awk -v path="$1" '$3 == path { print $2; exit }' "$root$manifest"
}

was_listed() {
    [ -n "$(noted "$1")" ]
}

was_made() {
    [ -f "$root$manifest" ] && grep -qxF -- "folder - $1" "$root$manifest"
}

checksum() {
    sha256sum <"$1" | cut -d ' ' -f 1
}

# to_undo STEP [PATH] [MORE ...]: how to take back what is about to be done.
to_undo() {
    printf '%s\n' "$*" >>"$work/journal"
}

changed() {
    changes=$((changes + 1))
    say "  $1"
}

# own PATH MODE USER:GROUP. In a staged tree the accounts do not exist.
own() {
    if [ -z "$root" ]; then
        chown "$3" "$1" || return 1
    fi
    # After chown, which takes the bit away that passes the group on.
    chmod "$2" "$1"
}

# A dry run goes by what it would have made.
is_folder() {
    [ "$1" = / ] || [ -d "$root$1" ] || grep -qxF -- "$1" "$work/made"
}

# Make the folders of a path that are missing, and change none that is there.
parents() {
    if is_folder "$1"; then
        ! was_made "$1" || listed folder - "$1"
        return 0
    fi
    parents "$(dirname -- "$1")"
    make_folder folder "$1" 755 root:root
    listed folder - "$1"
}

# folder KIND PATH MODE USER:GROUP: one of ours, with exactly these rights.
folder() {
    parents "$(dirname -- "$2")"
    listed "$1" - "$2"
    if [ -L "$root$2" ] || [ ! -d "$root$2" ]; then
        make_folder "$@"
        return 0
    fi
    rights=$(stat -c '%a %U:%G' -- "$root$2")
    wanted="$3 $4"
    [ -z "$root" ] || wanted="$3 ${rights#* }"
    [ "$rights" != "$wanted" ] || return 0
    changed "rights of $2: $rights becomes $wanted"
    [ -z "$dry" ] || return 0
    to_undo rights "$2" "$rights"
    own "$root$2" "$3" "$4"
}

make_folder() {
    changed "make $2"
    printf '%s\n' "$2" >>"$work/made"
    [ -z "$dry" ] || return 0
    to_undo "$1" "$2"
    mkdir "$root$2"
    own "$root$2" "$3" "$4"
}

# put SOURCE PATH MODE USER:GROUP: a file as it must be.
put() {
    parents "$(dirname -- "$2")"
    sum=$(checksum "$1")
    before=$(noted "$2")
    case $2 in
    /etc/*) ! stays "$1" "$2" "$3" "$4" || return 0 ;;
    "$lib"/*) ;;
    *)
        [ -n "$before" ] || [ ! -e "$root$2" ] || cmp -s "$1" "$root$2" ||
            fail "$2 is there and not from here; move it away"
        ;;
    esac
    write "$@"
}

# Below /etc: what an administrator changed or took away stays so.
stays() {
    if [ ! -e "$root$2" ]; then
        [ -n "$before" ] || return 1
        say "  left out, because it was removed: $2"
        listed file "$before" "$2"
        return 0
    fi
    ! cmp -s "$1" "$root$2" || return 1
    [ "$(checksum "$root$2")" != "$before" ] || return 1
    listed file "${before:-unknown}" "$2"
    # Read and thrown away: not again with the same text.
    if [ ! -e "$root$2.new" ] && [ "$(noted "$2.new")" = "$sum" ]; then
        listed file "$sum" "$2.new"
        return 0
    fi
    say "  kept, because it was changed: $2; ours is $2.new"
    write "$1" "$2.new" "$3" "$4"
}

write() {
    listed file "$sum" "$2"
    ! cmp -s "$1" "$root$2" || return 0
    changed "write $2"
    [ -n "$dry" ] || replace "$@"
}

replace() {
    save "$2"
    part=$root$2.part
    rm -f "$part"
    (umask 077 && cat <"$1" >"$part") || fail "cannot write $part"
    own "$part" "$3" "$4" || fail "cannot set the rights of $part"
    # A rename: whoever reads it meanwhile has the old one or the new one, whole.
    mv -f -T "$part" "$root$2" || fail "cannot write $root$2"
    part=
}

# Keep the file that is there, to put it back if a later step fails.
save() {
    if [ -e "$root$1" ]; then
        saves=$((saves + 1))
        cp -a "$root$1" "$work/saved.$saves" || fail "cannot keep a copy of $root$1"
        to_undo restore "$1" "$work/saved.$saves"
    else
        to_undo file "$1"
    fi
}

# Remove what the version before had and this one has not, and note what is there now.
put_manifest() {
    [ -z "$dry" ] || return 0
    LC_ALL=C sort -u "$work/manifest" >"$work/sorted"
    if [ -f "$root$manifest" ]; then
        awk 'FNR == NR { now[$3]; next } $1 == "file" && !($3 in now) { print $2, $3 }' \
            "$work/sorted" "$root$manifest" >"$work/leftovers"
        while read -r sum path; do
            remove_leftover
        done <"$work/leftovers"
    fi
    cmp -s "$work/sorted" "$root$manifest" ||
        replace "$work/sorted" "$manifest" 644 root:root
}

remove_leftover() {
    [ -f "$root$path" ] || return 0
    [ "$(checksum "$root$path")" = "$sum" ] || return 0
    changed "remove $path, which this version has not"
    save "$path"
    rm -f "$root$path"
}

# Take back what the journal holds, last step first.
undo() {
    set +e
    [ -s "$work/journal" ] || return 0
    printf 'install.sh: taking back what was done\n' >&2
    tac "$work/journal" >"$work/backwards"
    while read -r what path first second; do
        undo_step
    done <"$work/backwards"
}

undo_step() {
    case $what in
    file) rm -f "$root$path" ;;
    folder) rmdir "$root$path" ;;
    keep | tree) rm -rf "$root$path" ;;
    rights) own "$root$path" "$first" "$second" ;;
    restore) cp -a "$first" "$root$path.part" && mv -f -T "$root$path.part" "$root$path" ;;
    moved) mv -T "$root$first" "$root$path" ;;
    user) userdel "$path" 2>/dev/null ;;
    disown) chown -hR root:root "$state" "$spool" "$settings" ;;
    group) ! getent group "$path" >/dev/null || groupdel "$path" ;;
    unit) systemctl -q disable --now "$path" ;;
    units) systemctl daemon-reload ;;
    restart) ! systemctl -q is-active "$path" || systemctl restart "$path" ;;
    action) "$root$environment/bin/f2b-enrich" action remove ;;
    *) printf 'install.sh: no way back from: %s\n' "$what" >&2 ;;
    esac
}
