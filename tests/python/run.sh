#!/usr/bin/env bash
# Starts a server on a folder of its own, lets a client that knows only the address record a tube and
# read it back, and stops the server in order; then one with a city, and lets the client plan. Needs `deploy/bootstrap.sh --tests`.
set -euo pipefail
cd "$(dirname "$0")/../.."

python="${XDG_CACHE_HOME:-$HOME/.cache}/swabline/venv/bin/python"
[ -x "$python" ] || { echo "python: no $python; run deploy/bootstrap.sh --tests" >&2; exit 1; }

cargo build --release --bin swabline
target="$(cargo metadata --no-deps --format-version 1 |
  "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')"

folder="$(mktemp -d)"
log="$folder/log"
server=
finish() {
  [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
fail() {
  echo "python: $*; the server's log:" >&2
  cat "$log" >&2
  exit 1
}

# start NAME VARIABLE=VALUE...: a server of its own folder; sets `server` and `address`.
start() {
  local name=$1
  shift
  # A configuration of the machine's own must not reach the test.
  cd "$folder"
  : >"$log"
  env "$@" "$target/release/swabline" serve --drill --data "$folder/$name" --keys "$folder/keys-$name" \
    --listen 127.0.0.1:0 --metrics 127.0.0.1:0 >"$log" 2>&1 &
  server=$!
  cd - >/dev/null
  address=
  for _ in $(seq 300); do
    address="$(sed -nE 's/.*listening.*grpc"?[=:]"?([0-9.]+:[0-9]+).*/\1/p' "$log" | head -n 1)"
    [ -n "$address" ] && break
    kill -0 "$server" 2>/dev/null || fail "the server ended before it listened"
    sleep 0.1
  done
  [ -n "$address" ] || fail "the server did not listen within 30 s"
}
stop() {
  kill -TERM "$server"
  local code=0
  wait "$server" || code=$?
  server=
  [ "$code" = 0 ] || fail "the server ended with $code after SIGTERM, expected 0"
  echo "python: the server stopped in order"
}

start data
"$python" tests/python/client.py "$address" || fail "the client failed"
stop

# The same with a city to plan for: Jiyuan, whose code is 419001.
start planned SWABLINE_PLANNER__CITY="$PWD/deploy/cities/jiyuan.toml"
"$python" tests/python/client.py --planning 419001 "$address" || fail "the client failed to plan"
stop
