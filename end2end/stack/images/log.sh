# Sourced by both services: log lines, and a prompt end when docker stops the container.

log() {
  level="$1"
  shift
  printf '%s %-5s %s: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$level" "$service" "$*"
}

# Serves /www on a port and writes one log line per request.
serve() {
  httpd -f -v -p "$1" -h /www &
  httpd_pid=$!
  trap 'log INFO "asked to stop, closing the port"; kill "$httpd_pid"; exit 0' TERM INT
}

# Sleeps so that a signal is heard at once.
pause() {
  sleep "$1" &
  wait $!
}
