# shellcheck shell=bash disable=SC2154
# What was done and what came of it. Read by ./test.

passed=() failed=() skipped=()

# step NAME COMMAND...: runs one check.
step() {
  local name=$1
  shift
  echo "== $name"
  if "$@" </dev/null; then
    passed+=("$name")
  else
    failed+=("$name: $(quoted "$@")")
  fi
}

# run_tests NAME COMMAND...: a step whose output ends with nextest's summary.
run_tests() {
  local name=$1 status line
  shift
  echo "== $name"
  "$@" </dev/null 2>&1 | tee "$work/log"
  status=${PIPESTATUS[0]}
  line=$(sed -n 's/^ *Summary \[[^]]*\] *//p' "$work/log" | tail -n 1)
  if [ "$status" -eq 0 ]; then
    passed+=("$name: ${line:-nothing ran}")
  elif [ "$status" -eq 4 ] && [ ${#names[@]} -gt 0 ]; then
    skip "$name: none of these tests has such a name"
  else
    failed+=("$name: ${line:-did not run to the end, status $status}")
    while read -r line; do
      failed+=("  $line")
    done < <(sed -nE 's/^ *(FAIL|TIMEOUT|ABORT|SIG[A-Z]+|EXECFAIL) \[[^]]*\] *(\( *[0-9]+\/[0-9]+\))? */\1 /p' "$work/log" | sort -u)
  fi
}

# read_skips WHO FILE: tests that said why they could not run, one line for each reason.
read_skips() {
  local who=$1 line
  [ -f "$2" ] || return 0
  while read -r line; do
    skipped+=("$who: $line")
  done < <(sort -u "$2" | awk -F '\t' '{ why = $2 ": " $3; tests[why] = tests[why] ", " $1; count[why]++ }
    END { for (why in tests) { print count[why] " tests lack " why ": " substr(tests[why], 3) } }' | sort)
}

# skip WHAT-AND-WHY: something that was not run on purpose.
skip() {
  skipped+=("$1")
}

# lack COMPONENT WHAT: something that cannot run for lack of COMPONENT; a failure when the caller requires it.
lack() {
  case " ${BOT_BOTTLE_REQUIRE//[,$'\n'$'\t']/ } " in
    *" $1 "*) failed+=("$2 (BOT_BOTTLE_REQUIRE names $1)") ;;
    *) skipped+=("$2") ;;
  esac
}

summary() {
  echo
  echo "== summary"
  [ ${#passed[@]} -eq 0 ] || printf 'passed   %s\n' "${passed[@]}"
  [ ${#skipped[@]} -eq 0 ] || printf 'skipped  %s\n' "${skipped[@]}"
  [ ${#failed[@]} -eq 0 ] || printf 'FAILED   %s\n' "${failed[@]}"
  echo
  if [ ${#failed[@]} -eq 0 ]; then
    echo "passed; ${#skipped[@]} skipped"
    exit 0
  fi
  echo "failed; ${#skipped[@]} skipped"
  exit 1
}

quoted() {
  printf '%q ' "$@"
}
