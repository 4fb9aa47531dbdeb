# shellcheck shell=bash disable=SC2154
# An engine of the tests' own, with an image made from Debian's packages: there is no registry. Read by ./test, as root.

# The name that tests find it by.
readonly DOCKER_IMAGE=bot-bottle-test-base:bookworm

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
}

# gVisor's own network is switched off: an old runsc takes the network namespace of a new kernel for the host's. Containers
# of these tests have none anyway.
docker_configuration() {
  if have_program runsc; then
    echo '{"runtimes":{"runsc":{"path":"'"$(command -v runsc)"'","runtimeArgs":["--network=none","--fsgofer-host-uds"]}}}'
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
    if ! mmdebstrap --variant=minbase --include=python3,git,ca-certificates,curl bookworm "$archive.part" </dev/null >"$work/log" 2>&1; then
      tail -n 20 "$work/log"
      lack docker "tests on docker: mmdebstrap cannot make an image here"
      return 1
    fi
    mv "$archive.part" "$archive"
  fi
  if ! docker -H "unix://$1" import "$archive" "$DOCKER_IMAGE" </dev/null >"$work/log" 2>&1; then
    cat "$work/log"
    lack docker "tests on docker: the engine does not take the image"
    return 1
  fi
}

stop_docker() {
  [ -n "${docker_pid:-}" ] || return 0
  kill "$docker_pid" 2>/dev/null
  wait "$docker_pid" 2>/dev/null
  docker_pid=''
}
