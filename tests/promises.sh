#!/usr/bin/env bash
# Proves each promise by breaking it: the program is built with switches that break one promise
# each, and the promise's test must then fail. Prints promise, switch, test, and what happened.
set -uo pipefail
cd "$(dirname "$0")/.."

build=(cargo test --release --features breaks)
"${build[@]}" --no-run || exit 1
passed=0 failed=0

# try PROMISE SWITCH TARGET TEST: without the switch the test passes, with it the test fails.
try() {
  local promise=$1 switch=$2 target=$3 test=$4 whole broken
  whole=$(SWABLINE_BREAK='' timeout 300 "${build[@]}" $target "$test" -- --exact --nocapture 2>&1)
  local whole_code=$?
  broken=$(SWABLINE_BREAK=$switch timeout 300 "${build[@]}" $target "$test" -- --exact --nocapture 2>&1)
  local broken_code=$?
  if ! grep -q '^test result: ok\. 1 passed' <<<"$whole" || [ $whole_code -ne 0 ]; then
    echo "FAULT  $promise: the test $test does not pass unbroken"; failed=$((failed + 1))
    tail -20 <<<"$whole"
  elif grep -q 'NOT RUN' <<<"$whole"; then
    echo "NOT RUN $promise: this machine cannot run $test"
  elif [ $broken_code -eq 0 ]; then
    echo "FAULT  $promise: broken by $switch, and $test did not notice"; failed=$((failed + 1))
  else
    echo "proven $promise | switch $switch | test $test | failed as it must"; passed=$((passed + 1))
  fi
}

try "no acknowledgement before fsync" ack_before_fsync "--test suite" \
  powercut::no_power_cut_takes_what_was_acknowledged
try "the log is the truth, everything else a fold of it" figures_drift "--test suite" \
  service::queries_and_progress_show_what_was_recorded_and_no_identity_is_on_the_disk
try "a question sees what was acknowledged before it" seen_in_files_only "--test suite" \
  seen::every_question_sees_what_was_acknowledged_before_it
try "a question answered from memory sees it too" seen_in_files_only "--test suite" \
  memory::an_answer_from_memory_is_the_answer_of_the_files
try "a tube that stands in a file is never taken for a new one" known_tubes_forgotten "--test suite" \
  seen::every_question_sees_what_was_acknowledged_before_it
try "nor is one that its event alone knows" known_tubes_forgotten "--test suite" \
  seen::a_tube_that_was_only_collected_is_known_after_a_restart_however_its_folder_was_left
try "a thing that happened is never refused" unknown_desk_refused "--test suite" \
  folder::what_comes_after_the_close_is_recorded_and_flagged
try "order does not matter" order_of_arrival "--lib" \
  domain::tests::order::order_repetition_and_batches_change_nothing
try "same fact id, same outcome" duplicates_recorded_again "--test suite" \
  folder::the_same_fact_has_the_same_outcome_also_after_a_restart
try "no acknowledged fact twice" duplicates_recorded_again "--test suite" \
  sigkill::twenty_kills_under_load_lose_nothing_acknowledged_and_double_nothing
try "parts = total" a_part_is_forgotten "--test suite" \
  service::queries_and_progress_show_what_was_recorded_and_no_identity_is_on_the_disk
try "no identity in the log" identity_in_the_log "--test suite" \
  service::queries_and_progress_show_what_was_recorded_and_no_identity_is_on_the_disk
try "a storage fault stops intake" acknowledged_after_a_fault "--test suite" \
  limits::a_full_disk_stops_intake_with_its_cause_and_loses_nothing_acknowledged
try "every limit has a name and is met" queue_without_limit "--test suite" \
  limits::more_than_the_queue_holds_is_refused_at_once_with_a_time_to_come_back
try "a damaged line of the forecasts is named and not used" forecast_lines_unchecked "--lib" \
  store::forecasts::tests::a_changed_byte_costs_one_line_and_is_named
# What lies in the target folder must be whole again: somebody may install it from there.
cargo build --release --quiet || failed=$((failed + 1))
# The planner only proposes (it names no engine), and names on disk and wire are for ever: both are
# rules about the text of the program, which tests/tidy.rs reads; it plants a breach of each itself.
echo "promises: $passed proven, $failed not"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
