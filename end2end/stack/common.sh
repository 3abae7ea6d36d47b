# Shared by the commands of this folder: where things are, and how to tell what runs. Sourced, never run.

stack="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$stack/../.." && pwd)"
. "$root/scripts/steps.sh"

# Debian's docker is of the same version as its engine; another one may stand before it on PATH.
export PATH="/usr/sbin:/usr/bin:$PATH"
unset DOCKER_HOST DOCKER_CONTEXT

state="${PRACTICE_STACK_STATE:-$root/target/practice-stack}"
compose_file="$stack/docker/compose.prod.yml"
socket=/var/run/docker.sock
docker_pid_file="$state/dockerd.pid"
prometheus_pid_file="$state/prometheus.pid"
proxy=practice-proxy
image=practice/runbook-portal:current
network=practice
# The practice machine, what stands around it, and where it keeps what its engine has pulled.
machine=practice-machine
around=(practice-registry practice-acme practice-alertmanager)
machine_engine=practice-machine-engine
handed_in="$state/machine"
debian="$tools/practice"
# Images stay from one time to the next where the engine is the stack's own; what is built anew then is what has changed.
engine_data="$tools/practice-engine"
image_base=practice/base:current

engine_answers() { docker version --format '{{.Server.Version}}'; }

# engine_is_ours: whether the engine that answers was started here.
engine_is_ours() { still_runs "$docker_pid_file" dockerd; }

# forget_containers NAME…
forget_containers() { docker rm --force --volumes "$@" >/dev/null 2>&1 || true; }

forget_proxy() { forget_containers "$proxy"; }

# still_runs PID_FILE NAME: whether the process that was started for the stack still is the one with that number.
still_runs() {
  [ -r "$1" ] && [ "$(cat "/proc/$(cat "$1")/comm" 2>/dev/null)" = "$2" ]
}

# service_answers URL
service_answers() { curl --silent --fail --output /dev/null --max-time 2 "$1"; }

is_gone() { ! still_runs "$1" "$2"; }

# stop_process PID_FILE NAME: asks it to end, waits, and ends it by force only when asking did not help.
stop_process() {
  if still_runs "$1" "$2"; then
    local pid
    pid="$(cat "$1")"
    as_root "stopping $2" kill -TERM "$pid"
    wait_until 30 "the end of $2 ($pid)" is_gone "$1" "$2" || as_root "stopping $2" kill -KILL "$pid"
  fi
  rm -f "$1" 2>/dev/null || as_root "removing $1" rm -f "$1"
}

# published CONTAINER PORT: the port here that leads there.
published() { docker port "$1" "$2" | sed -n '1s/.*://p'; }

# ask_registry PATH CURL_ARGUMENT…: as the user that it knows, by the name that its certificate has.
ask_registry() {
  local port path="$1"
  port="$(published practice-registry 443)"
  printf 'user = "%s:%s"\n' "$(cat "$handed_in/registry/user")" "$(cat "$handed_in/registry/token")" |
    curl --config - --silent --show-error --fail --max-time 10 --cacert "$handed_in/ca.pem" --resolve "ghcr.io:$port:127.0.0.1" \
      "https://ghcr.io:$port$path" "${@:2}"
}

# name_registry: has the machine know the registry by its address. A name that is only in Docker's own name service would be asked of the
# world while the registry is down, and the world has a ghcr.io.
name_registry() {
  local address
  address="$(docker inspect --format "{{(index .NetworkSettings.Networks \"$network\").IPAddress}}" practice-registry)"
  docker exec "$machine" bash -c "sed '/ ghcr.io\$/d' /etc/hosts >/tmp/hosts && echo '$address ghcr.io' >>/tmp/hosts && cat /tmp/hosts >/etc/hosts"
}

registry_answers() { ask_registry /v2/; }

# publish SERVICE VERSION: what the tag `current` of a service's image names from now on.
publish() {
  local kind=application/vnd.docker.distribution.manifest.v2+json manifest
  manifest="$(ask_registry "/v2/brainbytes/$1/manifests/$2" --header "Accept: $kind"; echo .)"
  # The bytes must be the same: they are what is named.
  ask_registry "/v2/brainbytes/$1/manifests/current" --request PUT --header "Content-Type: $kind" --data-binary "${manifest%.}"
}
