#!/bin/sh
# Installs everything into a folder: $1 is a Python 3.10 to 3.13, $2 the folder, $3 the list of packages.
set -eu
python=$1
folder=$2
packages=$3

"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || {
    echo "Python 3.10 to 3.13 is needed, and $python is $("$python" --version 2>&1); name another with: make PYTHON=python3.13 ..." >&2
    exit 1
}
"$python" -c 'import ensurepip, venv' 2>/dev/null || {
    echo "$python lacks venv; on Debian and Ubuntu install the package python3-venv." >&2
    exit 1
}

echo "Installing into $folder (once, a minute or so) ..."
"$python" -m venv --clear "$folder"
"$(dirname "$0")/add_packages.sh" "$folder" "$packages"

# The project's own modules, as an editable install would add them, without a build.
echo "$PWD/src" > "$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/experiment_features.pth"

cat >> "$folder/bin/activate" <<EOF

# Added by scripts/install.sh: dbt finds the profile and the project's own Postgres, unless told otherwise.
export DBT_PROFILES_DIR="\${DBT_PROFILES_DIR:-$PWD/profiles}"
export PGHOST="\${PGHOST:-$("$folder/bin/python" -m experiment_features.postgres socket)}"
EOF
