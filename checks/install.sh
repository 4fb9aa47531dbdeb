# shellcheck shell=bash disable=SC2154
# Installs what the tests need and this machine lacks. Read by ./test.

install_what_is_missing() {
  local packages=()
  # Users' own tests cannot use what lies in somebody's home, hence the system's python3 and git.
  have_program newuidmap || packages+=(uidmap)
  [ -x /usr/bin/python3 ] || packages+=(python3)
  have_program git || packages+=(git)
  have_program ssh || packages+=(openssh-client)
  have_program runuser || packages+=(util-linux)
  have_program ip || packages+=(iproute2)
  have_program cc || packages+=(gcc libc6-dev)
  have_program node || packages+=(nodejs)
  have_program npm || packages+=(npm)
  # Whatever is to trust a session's authority: `docs/guide/certificates.md`.
  have_program curl || packages+=(curl ca-certificates)
  have_program wget || packages+=(wget)
  have_program openssl || packages+=(openssl)
  have_program testssl || packages+=(testssl.sh)
  have_program ruby || packages+=(ruby)
  have_program go || packages+=(golang-go)
  have_program javac || packages+=(default-jdk-headless ca-certificates-java)
  /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
  # An engine of the tests' own and an image for it: `checks/docker.sh`.
  have_program dockerd || packages+=(docker.io)
  have_program mmdebstrap || packages+=(mmdebstrap)
  # gVisor, as a runtime of that engine.
  have_program runsc || packages+=(runsc)
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
  command -v cargo >/dev/null || return 0
  cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt || lack rustfmt "formatting: no rustfmt"
  cargo clippy --version >/dev/null 2>&1 || rustup component add clippy || lack clippy "clippy: not installed"
  if ! cargo nextest --version >/dev/null 2>&1; then
    echo "== installing cargo-nextest"
    cargo install --locked cargo-nextest </dev/null || failed+=("installing cargo-nextest, which runs the tests")
  fi
}

# libFuzzer, which the fuzz targets are linked with, is C++.
install_fuzzer() {
  have_program c++ || install_packages g++
}

have_program() {
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null
}

install_packages() {
  local as=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      lack packages "tests that need these packages: $* (install them: sudo apt-get install $*)"
      return
    fi
    as=(sudo -n)
  fi
  if ! command -v apt-get >/dev/null; then
    lack packages "tests that need these packages: $* (this machine has no apt-get; install them its way)"
    return
  fi
  echo "== installing $*"
  local install=(${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends)
  "${install[@]}" update </dev/null && "${install[@]}" install "$@" </dev/null && return
  lack packages "tests that need these packages, which apt-get could not install: $*"
}

# The agents' own programs, from npm, in a folder of their own; tests that start them find it in BOT_BOTTLE_TEST_AGENTS.
install_agents() {
  local cache="${XDG_CACHE_HOME:-$HOME/.cache}/bot-bottle-test/agents" wanted
  mapfile -t wanted < <(grep -v '^#' "$PROJECT/checks/agents.txt")
  if [ "$(cat "$cache/installed" 2>/dev/null)" != "${wanted[*]}" ]; then
    if ! have_program npm; then
      lack agents "tests with the agents' own programs: no npm"
      return
    fi
    echo "== installing ${wanted[*]}"
    rm -rf "$cache"
    mkdir -p "$cache"
    if ! npm install --global --prefix "$cache" --allow-scripts=@anthropic-ai/claude-code --no-audit --no-fund --no-update-notifier --loglevel=error "${wanted[@]}" </dev/null; then
      lack agents "tests with the agents' own programs: npm could not install ${wanted[*]}"
      return
    fi
    echo "${wanted[*]}" >"$cache/installed"
  fi
  export BOT_BOTTLE_TEST_AGENTS=$cache
}

# Toolchains that trust a session's authority, from pip and npm, and compiled; tests find them in BOT_BOTTLE_TEST_TOOLCHAINS. Each
# step is tried by itself: what is missing skips its own tests.
install_toolchains() {
  local cache="${XDG_CACHE_HOME:-$HOME/.cache}/bot-bottle-test/toolchains" sources="$PROJECT/checks/toolchains" wanted packages complete=yes
  wanted=$(cat "$sources"/* /etc/debian_version 2>/dev/null | cksum)
  if [ "$(cat "$cache/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "== installing toolchains"
    rm -rf "$cache"
    mkdir -p "$cache/java"
    # In a folder of its own instead of a virtual environment, which could not be copied for other users.
    { /usr/bin/python3 -m venv "$work/venv" &&
      "$work/venv/bin/pip" install --quiet --disable-pip-version-check --target "$cache/python" -r "$sources/python.txt"; } </dev/null ||
      lack_toolchain "tests with Python's packages: pip could not install them"
    mapfile -t packages <"$sources/npm.txt"
    npm install --global --prefix "$cache/npm" --allow-scripts=deno --no-audit --no-fund --no-update-notifier --loglevel=error \
      "${packages[@]}" </dev/null || lack_toolchain "tests with Deno: npm could not install ${packages[*]}"
    javac -d "$cache/java" "$sources/Fetch.java" || lack_toolchain "tests with Java: javac could not compile Fetch.java"
    GOCACHE="$work/go" go build -o "$cache/fetch-go" "$sources/fetch.go" || lack_toolchain "tests with Go: go could not build fetch.go"
    [ -z "$complete" ] || echo "$wanted" >"$cache/installed"
  fi
  export BOT_BOTTLE_TEST_TOOLCHAINS=$cache
}

# Tried again at the next run.
lack_toolchain() {
  complete=''
  lack toolchains "$1"
}
