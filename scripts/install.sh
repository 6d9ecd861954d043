#!/bin/sh
# Installs what is not there yet: $1 is a Python 3.10 to 3.13, $2 the name of the folder, the others are lists of packages.
# The folder is made in FEATURES_HOME, by default in the project. Both may be moved, and hold any character but a colon.
set -eu
python=$1
name=$2
shift 2
cd -P -- .
home=${FEATURES_HOME:-$PWD}

refuse() {
    echo "$1" >&2
    exit 1
}

# Runs a command, and says in one sentence why it fails.
try() {
    said=$("$@" 2>&1) && return
    case $said in
        *"No space left"* | *"quota exceeded"*)
            refuse "There is no space left for what is installed in $home; free a gigabyte, or name another folder: FEATURES_HOME=/some/folder make ..." ;;
        *Connection* | *"name resolution"* | *"timed out"* | *"SSLError"* | *"ProxyError"*)
            refuse "The packages cannot be fetched, because the package index does not answer; check the network (or PIP_INDEX_URL) and start this again." ;;
        *) refuse "Installing failed: $(printf %s "$said" | tail -n 1)" ;;
    esac
}

case $home$PWD in
    *:* | *"
"*) refuse "The path of the project, or of FEATURES_HOME, holds a colon or a line break, which no list of paths can hold: $PWD, $home" ;;
esac
{ mkdir -p -- "$home" && [ -w "$home" ]; } 2>/dev/null ||
    refuse "$home cannot be written; name a folder for what is installed and stored: FEATURES_HOME=/some/folder make ..."
home=$(CDPATH='' cd -P -- "$home" && pwd)
folder=$home/$name
place="$PWD in $home"

# Each list that is installed leaves a mark, and the place of the project and the folder another one.
is_installed() {
    [ -x "$folder/bin/python" ] && [ "$folder/placed" -nt scripts/place.sh ] && [ "$(cat -- "$folder/placed")" = "$place" ] || return 1
    for list; do
        mark=$folder/installed-${list##*/}
        [ "$mark" -nt "$list" ] && [ "$mark" -nt scripts/add_packages.sh ] || return 1
    done
}

is_installed "$@" && exit

# Of two at once, the second finds what the first has installed. The lock goes with this process.
exec 9>>"$folder.lock"
"$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' 2>/dev/null || refuse "$python does not run; install Python 3.10 to 3.13, or name one that is installed: make PYTHON=python3.13 ..."

first=$1
mark=$folder/installed-${1##*/}
if ! { [ -x "$folder/bin/python" ] && [ "$mark" -nt "$1" ] && [ "$mark" -nt scripts/add_packages.sh ]; }; then
    "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' ||
        refuse "Python 3.10 to 3.13 is needed, and $python is $("$python" --version 2>&1); name another with: make PYTHON=python3.13 ..."
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        refuse "$python lacks venv; on Debian and Ubuntu install the package python3-venv."
    echo "Installing into $name (once, a minute or so) ..."
    try "$python" -m venv --clear "$folder"
fi
for list; do
    mark=$folder/installed-${list##*/}
    [ "$mark" -nt "$list" ] && [ "$mark" -nt scripts/add_packages.sh ] && continue
    use=${list##*/}
    [ "$list" = "$first" ] || echo "Installing ${use%.lock} into $name (once) ..."
    try scripts/add_packages.sh "$folder" "$list"
    touch "$mark"
done
scripts/place.sh "$folder"
echo "$place" > "$folder/placed"
