#!/usr/bin/env bash
# Kills a whole city's drill half-way and starts again on its folder: how long until it serves, whether
# everything still follows from the log before and after, and how large the folder is.
#   benches/kill.sh [SECONDS_UNTIL_THE_KILL]      (default 45)
set -euo pipefail
seconds="${1:-45}"
if ! [[ $seconds =~ ^[0-9]+([.][0-9]+)?$ ]]; then
  echo "benches/kill.sh: '$seconds' is no number of seconds" >&2
  exit 64
fi
cd "$(dirname "$0")/.."
swabline="${CARGO_TARGET_DIR:-target}/release/swabline"
place=$(mktemp -d)
running=
# Whatever is still running when this ends, ends with it; and nothing is left in the folder.
ended() {
  if [ -n "$running" ]; then
    kill -KILL "$running" 2>/dev/null || true
    wait "$running" 2>/dev/null || true
  fi
  rm -rf "$place"
}
trap ended EXIT

"$swabline" demo --keep "$place" >/dev/null 2>&1 &
running=$!
sleep "$seconds"
kill -KILL "$running" || { echo "the drill had ended before $seconds s" >&2; exit 1; }
wait "$running" 2>/dev/null || true
running=
echo "killed after $seconds s; verify of the folder as it was left:"
"$swabline" verify "$place/data" --json

begun=$(date +%s.%N)
SWABLINE_LOG__FILTER=error "$swabline" serve --drill --data "$place/data" --keys "$place/keys" \
  --listen 127.0.0.1:0 --metrics 127.0.0.1:0 >"$place/said" &
running=$!
until grep -q listening "$place/said"; do
  kill -0 "$running" 2>/dev/null || { echo "the service ended without listening" >&2; exit 1; }
  sleep 0.02
done
echo "seconds to serving: $(echo "$(date +%s.%N) - $begun" | bc)"
kill -TERM "$running"
wait "$running"
running=
echo "verify after the restart and a stop in order:"
"$swabline" verify "$place/data" --json
du -sb "$place/data" | awk '{print "bytes in the folder:", $1}'
