# shellcheck shell=bash disable=SC2154
# Runs the tests as ordinary users, from a copy that they can read: root's home, its toolchain and its target folder are closed
# to them. Read by ./test, as root.

# Crates whose tests depend on who runs them.
readonly USERS_CRATES='package(backend-native) | package(provision) | package(session) | package(bot-bottle)'
# What an ordinary user cannot be asked to have.
readonly ROOTS_OWN='root cgroup users cargo'

tests_as_users() {
  local archive="$work/tests.tar.zst"
  echo "== packing the tests for other users"
  if ! { cargo build --workspace --bins --locked --quiet && cargo nextest archive --workspace --locked --archive-file "$archive"; } \
    </dev/null >"$work/log" 2>&1; then
    cat "$work/log"
    failed+=("packing the tests for other users")
    return
  fi
  tests_as bot-bottle-test without "$archive"
  tests_as bot-bottle-subid with "$archive"
}

# tests_as USER with|without ARCHIVE
tests_as() {
  local user=$1 ids=$2 archive=$3 folder name="tests as $1, $2 subordinate ids"
  if ! make_user "$user" "$ids"; then
    lack users "$name: this user cannot be made here"
    return
  fi
  folder=$(getent passwd "$user" | cut -d: -f6)/test-run
  rm -rf "$folder"
  copy_for "$user" "$folder" "$archive"
  run_tests "$name" as_user "$user" "$folder" "$folder/cargo-nextest" nextest run --archive-file "$folder/tests.tar.zst" \
    --extract-to "$folder/built" --workspace-remap "$folder/project" -E "$(filter)"
  read_skips "as $user" "$folder/skips"
  rm -rf "$folder"
}

# make_user USER with|without
make_user() {
  local user=$1 file
  touch /etc/subuid /etc/subgid || return 1
  if ! id "$user" >/dev/null 2>&1; then
    useradd -m -s /bin/bash -c 'runs tests of bot-bottle' -K SUB_UID_COUNT=0 -K SUB_GID_COUNT=0 "$user" || return 1
  fi
  for file in /etc/subuid /etc/subgid; do
    if [ "$2" = without ]; then
      sed -i "/^$user:/d" "$file" || return 1
    elif ! grep -q "^$user:" "$file"; then
      # Behind the last range that anybody has.
      awk -F: -v user="$user" '{ end = $2 + $3; if (end > last) last = end } END { if (last < 100000) last = 100000
        print user ":" last ":65536" }' "$file" >"$work/range" && cat "$work/range" >>"$file" || return 1
    fi
  done
}

# copy_for USER FOLDER ARCHIVE: the built tests, the project's files, the test runner, the agents' programs and the toolchains.
copy_for() {
  local user=$1 folder=$2 archive=$3
  mkdir -p "$folder/project" "$folder/built" "$folder/tmp"
  cp "$archive" "$folder/tests.tar.zst"
  cp "$(command -v cargo-nextest)" "$folder/cargo-nextest"
  git -c safe.directory="$PROJECT" ls-files -z --cached --others --exclude-standard |
    tar --null --ignore-failed-read --warning=no-failed-read -cf - -T - | tar -xf - -C "$folder/project"
  [ -z "${BOT_BOTTLE_TEST_AGENTS:-}" ] || cp -a "$BOT_BOTTLE_TEST_AGENTS" "$folder/agents"
  [ -z "${BOT_BOTTLE_TEST_TOOLCHAINS:-}" ] || cp -a "$BOT_BOTTLE_TEST_TOOLCHAINS" "$folder/toolchains"
  chown -R "$user:" "$folder"
  chmod 0700 "$folder"
}

# as_user USER FOLDER COMMAND...: with an environment like that of a fresh login.
as_user() {
  local user=$1 folder=$2 component required=''
  shift 2
  for component in ${BOT_BOTTLE_REQUIRE//,/ }; do
    case " $ROOTS_OWN " in
      *" $component "*) ;;
      *) [ "$component" = subid ] && [ "$user" = bot-bottle-test ] || required+=" $component" ;;
    esac
  done
  local programs=()
  [ ! -d "$folder/agents" ] || programs=("BOT_BOTTLE_TEST_AGENTS=$folder/agents")
  [ ! -d "$folder/toolchains" ] || programs+=("BOT_BOTTLE_TEST_TOOLCHAINS=$folder/toolchains")
  (cd "$folder/project" && exec runuser -u "$user" -- env -i HOME="$(dirname "$folder")" USER="$user" LOGNAME="$user" SHELL=/bin/bash \
    PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 TMPDIR="$folder/tmp" CARGO_TERM_COLOR=never INSTA_WORKSPACE_ROOT="$folder/project" \
    ${CI:+CI="$CI"} BOT_BOTTLE_REQUIRE="$required" BOT_BOTTLE_TEST_SKIPS="$folder/skips" \
    BOT_BOTTLE_TEST_HELPER="$folder/built/target/debug/bot-bottle-helper" ${programs[@]+"${programs[@]}"} "$@")
}

# The tests to run, as nextest's filter expression.
filter() {
  local name expression=''
  for name in ${names[@]+"${names[@]}"}; do
    expression+="${expression:+ | }test($name)"
  done
  echo "($USERS_CRATES)${expression:+ & ($expression)}"
}
