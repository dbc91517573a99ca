#!/usr/bin/env bash
# Kills a whole city's drill half-way and starts again on its folder: how long until it serves, whether
# everything still follows from the log before and after, and how large the folder is.
#   benches/kill.sh [SECONDS_UNTIL_THE_KILL]      (default 45)
set -euo pipefail
cd "$(dirname "$0")/.."
swabline="${CARGO_TARGET_DIR:-target}/release/swabline"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

"$swabline" demo --keep "$place" >/dev/null 2>&1 &
drill=$!
sleep "${1:-45}"
kill -KILL "$drill"
wait "$drill" 2>/dev/null || true
echo "killed after ${1:-45} s; verify of the folder as it was left:"
"$swabline" verify "$place/data" --json

begun=$(date +%s.%N)
SWABLINE_LOG__FILTER=error "$swabline" serve --drill --data "$place/data" --keys "$place/keys" \
  --listen 127.0.0.1:0 --metrics 127.0.0.1:0 >"$place/said" &
served=$!
until grep -q listening "$place/said"; do sleep 0.02; done
echo "seconds to serving: $(echo "$(date +%s.%N) - $begun" | bc)"
kill -TERM "$served"
wait "$served"
echo "verify after the restart and a stop in order:"
"$swabline" verify "$place/data" --json
du -sb "$place/data" | awk '{print "bytes in the folder:", $1}'
