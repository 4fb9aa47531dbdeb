# shellcheck shell=bash disable=SC2154
# The tests of the smolmachines backend on the real smolvm, on an emulated machine. Read by ./test.

# Tests run one after another: the machine has two slow processors, and each test boots a machine of its own.
tests_in_rig() {
  local in=$work/rig
  if [ "$(id -u)" -ne 0 ]; then
    lack rig "tests in the rig: building it needs root"
    return
  fi
  step "building the rig" tests/rig/rig build
  step "building the tests for the rig" cargo build --workspace --tests --bins --locked --quiet
  mkdir -p "$in/target/debug/deps"
  cp "$(rig_tests)" "$in/target/debug/deps/it"
  cp target/debug/probe "$in/target/debug/"
  cp tests/rig/suite "$in/"
  step "smolmachines in the rig" tests/rig/rig run -t "${RIG_LIMIT:-5400}" -i "$in" -- ./suite ${names[@]+"${names[@]}"}
}

# The backend's tests, by what cargo says of them.
rig_tests() {
  cargo test --package backend-smolmachines --test it --no-run --locked --message-format json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\/it-[^"]*\)".*/\1/p' | tail -n 1
}
