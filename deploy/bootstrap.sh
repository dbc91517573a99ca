#!/usr/bin/env bash
# Installs what building swabline needs and this machine lacks. Made for Debian 12; does nothing when
# nothing is missing, so it may stand in front of any command.
#
#   deploy/bootstrap.sh           a C++ compiler and libclang: RocksDB is built from source
#   deploy/bootstrap.sh --tests   also Python with gRPC in a folder of its own, for the client test
#   deploy/bootstrap.sh --oracles also Python with SimPy and HiGHS in a folder of its own: the planner's
#                                 second opinions, for tests/all.sh
#   deploy/bootstrap.sh --figures also PostgreSQL 15, and Python with SimPy and HiGHS in a folder of
#                                 its own, which `loadtest figures` and tests/oracle measure against
#
# Changes: Debian packages by apt-get (with sudo unless root), the Python folders
# ${XDG_CACHE_HOME:-$HOME/.cache}/swabline/venv and venv-figures, and with --figures a line in
# /etc/postgresql-common/createcluster.conf that keeps the package from making and starting a
# database of its own. Nothing else. Needs a Rust toolchain already there.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'bootstrap: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

tests=no
figures=no
oracles=no
case "${1-}" in
  "") ;;
  --tests) tests=yes ;;
  --oracles) oracles=yes ;;
  --figures) figures=yes oracles=yes ;;
  -h | --help) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) fail "unknown argument '$1'; known: --tests, --oracles, --figures, --help" ;;
esac

# A toolchain that was just installed is often not on the path of this shell yet.
if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
  fail "cargo is installed but not on the path; run: . \"${CARGO_HOME:-$HOME/.cargo}/env\""
fi
command -v cargo >/dev/null || fail "cargo is missing; install a Rust toolchain (1.89 or newer) with rustup first"

# bindgen opens libclang while building, and reads clang's own headers (stddef.h).
has_libclang() {
  { [ -n "${LIBCLANG_PATH-}" ] || compgen -G '/usr/lib/llvm-*/lib/libclang.so*' ||
    compgen -G '/usr/lib/*/libclang-[0-9]*.so*'; } >/dev/null &&
    compgen -G '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' >/dev/null
}
# Is the Python folder $1 there, made from the requirements $2?
has_python() { cmp -s "$2" "$1/.ready" && "$1/bin/python" -c '' 2>/dev/null; }
has_postgres() { [ -x /usr/lib/postgresql/15/bin/postgres ] && [ -x /usr/lib/postgresql/15/bin/psql ]; }
has_venv() { command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null; }

missing=()
{ command -v c++ && command -v cc; } >/dev/null || missing+=(g++)
has_libclang || missing+=(libclang-dev)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)

cache="${XDG_CACHE_HOME:-$HOME/.cache}/swabline"
# By folder, its requirements and what it holds.
pythons=()
[ "$tests" = yes ] && pythons+=("$cache/venv|tests/python/requirements.txt|gRPC")
[ "$oracles" = yes ] && pythons+=("$cache/venv-figures|tests/oracle/requirements.txt|SimPy and HiGHS")
for one in ${pythons[@]+"${pythons[@]}"}; do
  IFS='|' read -r folder wanted _ <<<"$one"
  has_python "$folder" "$wanted" || has_venv || { missing+=(python3 python3-venv); break; }
done

clusters=/etc/postgresql-common/createcluster.conf
if [ "$figures" = yes ] && ! has_postgres; then
  missing+=(postgresql-15)
fi

if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null ||
    fail "missing: ${missing[*]} (Debian's names); there is no apt-get here, install them by hand"
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "missing: ${missing[*]}; run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  if [ "$figures" = yes ] && ! has_postgres; then
    # The common part first: it asks the setting before the server's package makes a cluster.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends postgresql-common >/dev/null
    "${as_root[@]}" sed -i -E 's/^#?[[:space:]]*create_main_cluster.*/create_main_cluster = false/' "$clusters"
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

for one in ${pythons[@]+"${pythons[@]}"}; do
  IFS='|' read -r folder wanted what <<<"$one"
  has_python "$folder" "$wanted" && continue
  # A Python of one's own (pyenv and the like) may come without venv: the system's then has it.
  python=python3
  has_venv || python=/usr/bin/python3
  say "making $folder: Python with $what"
  rm -rf "$folder"
  "$python" -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted"
  # Written last: a half-made folder is made again.
  cp "$wanted" "$folder/.ready"
done
say "nothing is missing"
