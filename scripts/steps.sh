# Shared by the scripts of this folder: say what is done, and how long it took.
# Sourced, never run. Expects `root` to be the workspace's folder.

tools="${PORTAL_TOOLS:-$root/.tools}"

say() { printf '%s\n' "$*"; }

# Ends the script with one plain sentence.
stop() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Both kinds of step below hear how their command ended, and bash switches `set -e` off inside a function that is heard:
# functions that are run as a step join what must not go on with `&&`.

# step WHAT COMMAND…: says WHAT, runs the command with its own output, says how long it took.
step() {
  local what="$1" began="$SECONDS" status=0
  shift
  say "==> $what"
  "$@" || status=$?
  if [ "$status" -ne 0 ]; then
    say "==> $what: stopped after $((SECONDS - began)) s with exit code $status"
    return "$status"
  fi
  say "==> $what: $((SECONDS - began)) s"
}

# quiet_step WHAT COMMAND…: as `step`, but the output goes to a file that is shown only when something goes wrong.
quiet_step() {
  local what="$1" began="$SECONDS" status=0 log
  shift
  mkdir -p "$tools/logs"
  log="$tools/logs/$(printf '%s' "$what" | tr -c 'A-Za-z0-9' '-' | cut -c1-60).log"
  say "==> $what"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 40 "$log" >&2
    say "==> $what: stopped after $((SECONDS - began)) s with exit code $status; everything it printed is in $log"
    return "$status"
  fi
  say "==> $what: $((SECONDS - began)) s"
}

# as_root WHY COMMAND…: runs the command as root, by sudo where that is needed.
as_root() {
  local why="$1"
  shift
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    stop "Not done: $why. It needs root, and neither are you root nor is there a sudo. As root, run: $*"
  fi
}

# wait_until SECONDS WHAT COMMAND…: asks again and again until the command succeeds; gives up after SECONDS.
wait_until() {
  local deadline=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "Waited in vain for $what." >&2
      return 1
    fi
    sleep 0.1
  done
}

# at_least WANTED FOUND: whether version FOUND is WANTED or later.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }
