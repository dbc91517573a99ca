#!/usr/bin/env bash
# Installs what is missing and runs every test; ends with a summary and fails when anything failed.
# Real city files and laboratory files beside the checkout are used when they are there:
# SWABLINE_SHARED names their folder (default ../shared).
set -uo pipefail
cd "$(dirname "$0")/.."

results=()
failed=0
# Runs one step. A failed step does not stop the others: one run shows all that is wrong.
step() {
  local name="$1" begun="$SECONDS" verdict=passed
  shift
  printf '\n== %s\n' "$name"
  "$@" || { verdict=FAILED; failed=1; }
  results+=("$(printf '%-44s %s (%d s)' "$name" "$verdict" "$((SECONDS - begun))")")
}
absent() { results+=("$(printf '%-44s NOT RUN: %s' "$1" "$2")"); }

deploy/bootstrap.sh --tests || exit 1

shared="${SWABLINE_SHARED:-../shared}"
if [ -d "$shared" ]; then
  SWABLINE_SHARED="$(cd "$shared" && pwd)"
  export SWABLINE_SHARED
else
  absent "tests on extra real input" "no folder $shared; set SWABLINE_SHARED"
fi

# Second opinions: the same assignment by HiGHS, the same lab by SimPy. The tests say loudly when they are not there.
oracle="${XDG_CACHE_HOME:-$HOME/.cache}/swabline/venv-figures/bin/python"
answers="$(mktemp)"
trap 'rm -f "$answers"' EXIT
if deploy/bootstrap.sh --oracles && "$oracle" tests/oracle/assign.py "$answers"; then
  export SWABLINE_SIMPY="$oracle" SWABLINE_ASSIGN_ORACLE="$answers"
else
  absent "HiGHS and SimPy as second opinions" "their Python could not be installed or run"
fi

step "Rust tests" cargo test --release --workspace
step "client in Python, by reflection" tests/python/run.sh
if [ -x tests/promises.sh ]; then
  step "promises, each broken on purpose" tests/promises.sh
else
  absent "promises, each broken on purpose" "no tests/promises.sh"
fi

printf '\n== summary\n'
printf '%s\n' "${results[@]}"
exit "$failed"
