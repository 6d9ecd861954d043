#!/bin/sh
# Lets the installed folder $1 find the project, which is the folder that this runs in, and the shell find both.
set -eu
folder=$1
home=${folder%/*}

quoted() {
    printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

# The project's own modules, as an editable install would add them, without a build.
[ "$home" = "$PWD" ] && source=../../../../src || source=$PWD/src
# An interrupt ends dbt without a traceback even while Python loads it. Looking for garbage among what it loads, which lasts as
# long as the process, would take a tenth of that time.
cat > "$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/experiment_features.pth" <<EOF
$source
import gc, signal as s, sys; sys.orig_argv[1:2] and sys.orig_argv[1].endswith("/dbt") and (gc.set_threshold(200_000, 20, 100), s.getsignal(s.SIGINT) == s.default_int_handler and s.signal(s.SIGINT, s.SIG_DFL))
EOF

[ -e "$folder/bin/activate.venv" ] || cp -- "$folder/bin/activate" "$folder/bin/activate.venv"
{
    cat <<EOF
# Written by scripts/place.sh. bash and zsh say where this file is, also after a move; for others it is where make last saw it.
case \${BASH_SOURCE:-\${ZSH_VERSION:+\$0}} in
    "") _venv=$(quoted "$folder") ;;
    *) _venv=\$(CDPATH='' cd -- "\$(dirname -- "\${BASH_SOURCE:-\$0}")/.." && pwd) ;;
esac
EOF
    sed 's|^\( *\)\(export \)\{0,1\}VIRTUAL_ENV=.*|\1export VIRTUAL_ENV="$_venv"|' "$folder/bin/activate.venv"
    if [ "$home" = "$PWD" ]; then
        echo '_project=${_venv%/*}'
    else
        cat <<EOF
_project=$(quoted "$PWD")
export FEATURES_HOME="\${_venv%/*}"
export DBT_TARGET_PATH="\${DBT_TARGET_PATH:-\$FEATURES_HOME/target}" DBT_LOG_PATH="\${DBT_LOG_PATH:-\$FEATURES_HOME/logs}"
export DUCKDB_FILE="\${DUCKDB_FILE:-\$FEATURES_HOME/experiment_features.duckdb}" SPARK_FOLDER="\${SPARK_FOLDER:-\$FEATURES_HOME/.spark}"
EOF
    fi
    cat <<'EOF'
# dbt finds the profile and the project's own Postgres, unless told otherwise.
export DBT_PROFILES_DIR="${DBT_PROFILES_DIR:-$_project/profiles}"
export PGHOST="${PGHOST:-$("$VIRTUAL_ENV/bin/python" -m experiment_features.postgres socket)}"
unset _project _venv
EOF
} > "$folder/bin/activate.new"
mv -- "$folder/bin/activate.new" "$folder/bin/activate"
