# Shared by up, down and check-image: where things are, and how to tell what runs. Sourced, never run.

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

engine_answers() { docker version --format '{{.Server.Version}}'; }

# still_runs PID_FILE NAME: whether the process that was started for the stack still is the one with that number.
still_runs() {
  [ -r "$1" ] && [ "$(cat "/proc/$(cat "$1")/comm" 2>/dev/null)" = "$2" ]
}

# service_answers URL
service_answers() { curl --silent --fail --output /dev/null --max-time 2 "$1"; }
