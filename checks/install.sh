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
  have_program cc || packages+=(gcc libc6-dev)
  have_program node || packages+=(nodejs)
  have_program npm || packages+=(npm)
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
  command -v cargo >/dev/null || return 0
  cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt || lack rustfmt "formatting: no rustfmt"
  cargo clippy --version >/dev/null 2>&1 || rustup component add clippy || lack clippy "clippy: not installed"
  if ! cargo nextest --version >/dev/null 2>&1; then
    echo "== installing cargo-nextest"
    cargo install --locked cargo-nextest </dev/null || failed+=("installing cargo-nextest, which runs the tests")
  fi
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
