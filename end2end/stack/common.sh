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
image_base=practice/base:current

engine_answers() { docker version --format '{{.Server.Version}}'; }

forget_proxy() { docker rm --force --volumes "$proxy" >/dev/null 2>&1 || true; }

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
