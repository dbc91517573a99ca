#!/usr/bin/env bash
# Installs what is missing and runs every test; ends with a summary and fails when anything failed, or when a step could not
# be run. With SWABLINE_MAY_SKIP=1 a step that cannot be run here is named and is no failure.
# Published tables beside the checkout are used when they are there: SWABLINE_SHARED names their folder (default ../shared).
set -uo pipefail
cd "$(dirname "$0")/.."

answers="$(mktemp)" said="$(mktemp)"
trap 'rm -f "$answers" "$said"' EXIT
results=()
failed=0
not_run=0
# Runs one step. A failed step does not stop the others: one run shows all that is wrong.
step() {
  local name="$1" begun="$SECONDS" verdict=passed
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$said" || { verdict=FAILED; failed=1; }
  results+=("$(printf '%-44s %s (%d s)' "$name" "$verdict" "$((SECONDS - begun))")")
  # Tests that found that they cannot be made here.
  while IFS= read -r line; do
    not_run=$((not_run + 1))
    results+=("  $line")
  done < <(grep -E '^(!!! )?NOT RUN' "$said")
}
# A step that cannot be run here, and why.
absent() {
  not_run=$((not_run + 1))
  results+=("$(printf '%-44s NOT RUN: %s' "$1" "$2")")
}

deploy/bootstrap.sh --tests || exit 1

# Not in the repository, so a machine without them lacks nothing, unless it names a folder that is not there.
shared="${SWABLINE_SHARED:-../shared}"
if [ -d "$shared" ]; then
  SWABLINE_SHARED="$(cd "$shared" && pwd)"
  export SWABLINE_SHARED
elif [ -n "${SWABLINE_SHARED-}" ]; then
  absent "published tables beside the checkout" "SWABLINE_SHARED is $shared, and there is no such folder"
  unset SWABLINE_SHARED
else
  results+=("$(printf '%-44s left out: no folder %s' "published tables beside the checkout" "$shared")")
fi

# Second opinions: the same assignment by HiGHS, the same lab by SimPy. The tests say loudly when they are not there.
oracle="${XDG_CACHE_HOME:-$HOME/.cache}/swabline/venv-figures/bin/python"
if deploy/bootstrap.sh --oracles && "$oracle" tests/oracle/assign.py "$answers"; then
  export SWABLINE_SIMPY="$oracle" SWABLINE_ASSIGN_ORACLE="$answers"
else
  unset SWABLINE_SIMPY SWABLINE_ASSIGN_ORACLE
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
if [ "$not_run" -gt 0 ]; then
  printf '\nNOT RUN: %d of the above.' "$not_run"
  if [ "${SWABLINE_MAY_SKIP-}" = 1 ]; then
    printf ' SWABLINE_MAY_SKIP=1 allows that: what they prove is not proven by this run.\n'
  else
    printf ' That counts as a failure; with SWABLINE_MAY_SKIP=1 it does not.\n'
    failed=1
  fi
fi
exit "$failed"
