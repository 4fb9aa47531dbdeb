# shellcheck shell=bash disable=SC2154
# An engine of the tests' own, with an image made from Debian's packages: there is no registry. Read by ./test, as root.

# The names that tests find them by: a bare one, and one that the project's own Dockerfiles can begin with.
readonly DOCKER_IMAGE=bot-bottle-test-base:bookworm DOCKER_NODE_IMAGE=bot-bottle-test-node:bookworm

start_docker() {
  local folder="$work/docker" socket="$work/docker/docker.sock" try
  if [ "$(id -u)" -ne 0 ]; then
    lack docker "tests on docker: start ./test as root"
    return
  fi
  if ! have_program dockerd || ! have_program mmdebstrap; then
    lack docker "tests on docker: no dockerd or no mmdebstrap"
    return
  fi
  mkdir -p "$folder"
  docker_configuration >"$folder/daemon.json"
  # Nothing of the host's network is touched: bottles have none. Its own folders and socket, beside any engine that runs.
  dockerd --config-file "$folder/daemon.json" --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
    --host "unix://$socket" --iptables=false --ip6tables=false --bridge=none --ip-forward=false --ip-masq=false \
    >"$folder/log" 2>&1 </dev/null &
  docker_pid=$!
  for try in $(seq 1 120); do
    docker -H "unix://$socket" version >/dev/null 2>&1 && break
    kill -0 "$docker_pid" 2>/dev/null || break
    sleep 0.5
  done
  if ! docker -H "unix://$socket" version >/dev/null 2>&1; then
    tail -n 20 "$folder/log"
    lack docker "tests on docker: dockerd does not start here (its last words are above)"
    return
  fi
  make_docker_image "$socket" || return
  export BOT_BOTTLE_TEST_DOCKER="unix://$socket" BOT_BOTTLE_TEST_IMAGE=$DOCKER_IMAGE
  make_node_image "$socket" && export BOT_BOTTLE_TEST_NODE_IMAGE=$DOCKER_NODE_IMAGE
}

# gVisor's own network is switched off: an old runsc takes the network namespace of a new kernel for the host's. Containers
# of these tests have none anyway.
docker_configuration() {
  if have_program runsc; then
    # Which of the two names of the option this runsc knows.
    local path uds=--fsgofer-host-uds
    path=$(command -v runsc)
    runsc flags 2>&1 | grep -q -- '-host-uds value' && uds=--host-uds=open
    echo '{"runtimes":{"runsc":{"path":"'"$path"'","runtimeArgs":["--network=none","'"$uds"'"]},'
    echo '"runsc-without-sockets":{"path":"'"$path"'","runtimeArgs":["--network=none"]}}}'
  else
    lack gvisor "tests under gVisor: no runsc"
    echo '{}'
  fi
}

# Kept as an archive between runs: it takes minutes to make.
make_docker_image() {
  local cache="${XDG_CACHE_HOME:-$HOME/.cache}/bot-bottle-test/image" archive="${XDG_CACHE_HOME:-$HOME/.cache}/bot-bottle-test/image/base.tar"
  if [ ! -f "$archive" ]; then
    echo "== making the base image with mmdebstrap"
    mkdir -p "$cache"
    # Its name does not say what is to be made, and a folder would be made of it.
    if ! mmdebstrap --format=tar --variant=minbase --include=python3,git,ca-certificates,curl bookworm "$archive.part" </dev/null >"$work/log" 2>&1; then
      tail -n 20 "$work/log"
      lack docker "tests on docker: mmdebstrap cannot make an image here"
      return 1
    fi
    rm -rf "$archive"
    mv "$archive.part" "$archive"
  fi
  if ! docker -H "unix://$1" import "$archive" "$DOCKER_IMAGE" </dev/null >"$work/log" 2>&1; then
    cat "$work/log"
    lack docker "tests on docker: the engine does not take the image"
    return 1
  fi
}

# The scenarios again, with their bottles in containers, on the host's kernel and on gVisor's; without those that start none.
tests_on_docker() {
  local name base=${BOT_BOTTLE_TEST_NODE_IMAGE:-} toolchains="$work/toolchains"
  [ -n "$base" ] || return 0
  for name in claude codex command; do
    # Each session builds its image; from here on that takes no time.
    docker -H "$BOT_BOTTLE_TEST_DOCKER" build --network host --build-arg "BASE=$base" - <"images/$name/Dockerfile" >"$work/log" 2>&1 && continue
    tail -n 20 "$work/log"
    lack docker "tests on docker: the engine does not build images/$name"
    return
  done
  # Below root's home they would be closed, because an image's /root is.
  [ -z "${BOT_BOTTLE_TEST_TOOLCHAINS:-}" ] || cp -a "$BOT_BOTTLE_TEST_TOOLCHAINS" "$toolchains"
  scenarios_in_containers runc "$toolchains"
  # What the engine does not know was said when it was started.
  ! have_program runsc || scenarios_in_containers runsc "$toolchains"
}

# scenarios_in_containers RUNTIME TOOLCHAINS
scenarios_in_containers() {
  BOT_BOTTLE_TEST_BACKEND=docker BOT_BOTTLE_TEST_RUNTIME=$1 BOT_BOTTLE_TEST_TOOLCHAINS=${BOT_BOTTLE_TEST_TOOLCHAINS:+$2} \
    BOT_BOTTLE_TEST_SKIPS="$work/skips-$1" \
    run_tests "scenarios in containers ($1)" cargo nextest run --workspace --locked \
    -E "package(bot-bottle) & binary(it) - test(/^(listing|policy|prompts)::/)${names[*]:+ & ($(printf ' + test(%s)' "${names[@]}" | cut -c4-))}"
  read_skips "in containers ($1)" "$work/skips-$1"
}

# What the registry's `node` images have, from this machine: node, npm, the user node, and whom the machine trusts.
make_node_image() {
  local context="$work/node-image" node npm roots=/etc/ssl/certs/ca-certificates.crt
  node=$(command -v node) && npm=$(readlink -f "$(command -v npm)") || return 1
  mkdir -p "$context"
  cp -L "$node" "$context/node"
  cp -a "${npm%/bin/*}" "$context/npm"
  cp -L "$roots" "$context/roots.crt"
  cat >"$context/Dockerfile" <<END
FROM $DOCKER_IMAGE
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY roots.crt $roots
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && useradd --create-home --uid 1000 --shell /bin/bash node
ENV NPM_CONFIG_CAFILE=$roots
END
  docker -H "unix://$1" build --tag "$DOCKER_NODE_IMAGE" "$context" </dev/null >"$work/log" 2>&1 && return
  tail -n 20 "$work/log"
  lack docker "tests on docker: the engine does not build the image with node"
  return 1
}

stop_docker() {
  [ -n "${docker_pid:-}" ] || return 0
  kill "$docker_pid" 2>/dev/null
  wait "$docker_pid" 2>/dev/null
  # An engine that ran something in the host's network leaves that mounted.
  umount "$work"/docker/exec/netns/* 2>/dev/null
  docker_pid=''
}
