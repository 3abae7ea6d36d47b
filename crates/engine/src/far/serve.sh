k=$1 u=$(id -u)
umask 077
say() { printf 'portal-far %s %s\n' "$k" "$*" >&2; }
# Says that nothing is there, and for how many seconds what it would be in has been running: the machine, or this container.
never() {
  read -r l _ </proc/uptime; at=$(born 1)
  [ -z "$at" ] || at=$((${l%.*} - at / 100))
  say never "${at:-0}"; exit 0
}
lives() { [ -d "/proc/$n" ] && { [ -z "$b" ] || [ "$(born "$n")" = "$b" ]; }; }
# The supervisor is no more: what it has logged, and nothing after that, is all that there is.
dead() { lives || say dead "$(($(wc -c <log)))"; }
# The shell is no more, and what is in front of it has not said so in the log, or not yet.
over() { shell; [ -n "$s" ] || [ ! -s shell ] || say over "$(($(wc -c <log)))"; }
r=1
# From now on nothing can begin late, either. Where nothing can be written, nothing can begin.
dir find || { dir make && mkdir "$d" && : >"$d/never"; } 2>/dev/null || never
cd "$d" || exit 0
[ ! -e never ] || never
if [ ! -s mode ]; then
  # What was to begin it has died before it could.
  n= b=; { read -r n b <supervisor; } 2>/dev/null
  [ -z "$n" ] || lives || never
  say not-yet; exit 0
fi
b=; read -r g <group; read -r n b <supervisor
say here "$(cat mode)"
dead
# Only one follows. The one before may not have noticed that its link is gone: an engine that is started again does not tell.
{ s= at=; read -r s at <server; [ -z "$at" ] || [ "$(born "$s")" != "$at" ] || { kill "$s"; kill -CONT "$s"; }; echo "$$ $(born $$)" >server; } 2>/dev/null
# What a login prints comes before this line, and is none of the log.
printf 'portal-far %s log\n' "$k"
# Where the kernel does not tell that a file has grown, over the layers of a container for one, a tail that can looks ten times a
# second; others once.
often=; tail -s 0.1 -n 0 /dev/null 2>/dev/null && often='-s 0.1'
tail $often -c "+$(($2 + 1))" -f log & t=$!
trap 'kill $t 2>/dev/null' EXIT
trap exit HUP INT TERM
# The shell, as long as it lives.
shell() {
  s= at=; read -r s at <shell
  [ -z "$at" ] || [ "$(born "$s")" = "$at" ] || s=
} 2>/dev/null
# pid, parent, group, session, foreground group and name of every process of the attempt, the shell first.
family() {
  shell
  { printf '%s\n' "$a" | grep -lsF -f - /proc/[0-9]*/environ | sed 's|/proc/\([0-9]*\)/.*|r \1|'
    [ -z "$g" ] || sed 's/^/r /' "$g/cgroup.procs"
    grep -Hs '' /proc/[0-9]*/stat; } 2>/dev/null | awk -v shell="$s" '
    # The name of a program may hold anything, line feeds as well: what belongs together is what comes from the same file.
    $1 == "r" { root[$2]; next }
    { at = index($0, ":"); of = substr($0, 1, at); text = substr($0, at + 1)
      if (of == last) line = line " " text; else { one(line); last = of; line = text } }
    function one(line,   at, f, pid, name) {
      at = match(line, /\)[^)]*$/); split(substr(line, at + 2), f, " ")
      pid = line + 0; name = substr(line, index(line, "(") + 1); sub(/\)[^)]*$/, "", name)
      if (f[1] != "Z" && f[1] != "X") { parent[pid] = f[2]; rest[pid] = f[2] " " f[3] " " f[6] " " name } }
    function ours(pid,   n) {
      for (n = 0; pid > 1 && n < 1000; n++) { if (pid in root || pid == shell) return 1; pid = parent[pid] }
      return 0 }
    END { one(line); for (pid in rest) if (ours(pid)) print pid, rest[pid] }'
}
pids() { family | while read -r p _; do [ "$p" = "$1" ] || echo "$p"; done; }
names() { family | while read -r p _ _ _ c; do [ "$p" = "$1" ] || printf '%s (pid %s)\n' "$c" "$p"; done; }
hit() { for p in $(pids "$2"); do kill "-$1" "$p"; [ "$1" = KILL ] || kill -CONT "$p"; done; } 2>/dev/null
front() {
  shell; IFS= read -r l <"/proc/$s/stat" || return
  set -- ${l##*) }
  if [ "$6" -gt 0 ]; then echo "$6"; else echo "$3"; fi
} 2>/dev/null
# Whether a process of the group in front sleeps in a read of its terminal, or waits for nothing else. A thread beside its first counts
# behind an unfinished line only, and so does a process that nobody may look into.
waits() {
  case $(uname -m) in x86_64) calls='0 19 7 271 23 270' ;; aarch64) calls='63 65 - 73 - 72' ;; *) return 1 ;; esac
  set -- $calls
  open=$(tail -c 1 log)
  family | while read -r p _ w _ _; do
    [ "$w" = "$f" ] || continue
    read -r n <"/proc/$p/syscall" || { [ -z "$open" ] || [ ! -e "/proc/$p/stat" ] || echo 1; continue; }
    for t in "/proc/$p/syscall" ${open:+"/proc/$p/task"/*/syscall}; do
      read -r n x y _ <"$t" || continue
      case $n in
      "$1" | "$2") fd=$((x)) ;;
      "$3" | "$4") [ "$((y))" = 1 ] || continue; fd=0 ;;
      "$5" | "$6") [ "$((x))" = 1 ] || continue; fd=0 ;;
      *) continue ;;
      esac
      case $(readlink "/proc/$p/fd/$fd") in "$tty" | /dev/tty) echo 1; break 2 ;; esac
    done
  done | grep -q 1
} 2>/dev/null
look() {
  tty= w=0 raw=0 signals=1
  if [ -s terminal ]; then
    read -r tty <terminal; m=$(stty -a <"$tty" 2>/dev/null); f=$(front)
    case $m in *-icanon*) raw=1 ;; esac
    case $m in *-isig*) signals=0 ;; esac
    waits && w=1
  fi
  say look "$w" "$raw" "$signals"
  dead
  over
}
# What is still there without the shell gets SIGTERM, and after a while is killed; until nothing is left.
finish() {
  [ -n "$g" ] || read -r g <group
  held=$(names) rounds=0
  if [ -n "$held" ]; then
    sleep 0.1; held=$(names)
    [ -z "$held" ] || hit TERM
    i=0; while [ -n "$(pids)" ] && [ $i -lt "$1" ]; do sleep 0.1; i=$((i + 1)); done
    while [ -n "$(pids)" ] && [ $rounds -lt 40 ]; do
      [ -z "$g" ] || echo 1 >"$g/cgroup.kill"
      hit KILL; rounds=$((rounds + 1)); sleep 0.05
    done 2>/dev/null
  fi
  printf '%s\n' "$held" | while IFS= read -r l; do [ -z "$l" ] || say held "$l"; done
  names | while IFS= read -r l; do say survivor "$l"; done
  # What is in front of the shell lets go of the terminal, and with its supervisor the log is whole.
  i=0; while lives && [ $i -lt 40 ]; do [ $i -gt 0 ] || echo 1<>over; i=$((i + 1)); sleep 0.05; done
  say finished "$(($(wc -c <log)))"
}
a=PORTAL_ATTEMPT=$k bye=
while IFS= read -r l; do
  case $l in
  'feed '*)
    l=${l#feed }; i=${l%% *}
    case $i in c*) [ ! -s modes ] || stty "$(cat modes)" <"$(cat terminal)" 2>/dev/null ;; esac
    # What has its name is fed, and not ended in between.
    trap 'bye=1' HUP INT TERM
    mkdir "fed/$i" 2>/dev/null && printf %b "${l#* }" 1<>feed
    trap exit HUP INT TERM
    [ -z "$bye" ] || exit
    [ ! -d "fed/$i" ] || say fed "$i" ;;
  interrupt) kill -INT "-$(front)" 2>/dev/null ;;
  below\ *) shell; hit "${l#below }" "$s" ;;
  void\ *) mkdir "fed/${l#void }" 2>/dev/null; say fed "${l#void }" ;;
  kill) shell; kill -KILL "$s" 2>/dev/null ;;
  look) look ;;
  finish\ *) finish "${l#finish }" ;;
  clean)
    [ -n "$g" ] || read -r g <group
    i=0; while [ -d "$g" ] && [ $i -lt 40 ] && ! rmdir "$g" 2>/dev/null; do i=$((i + 1)); sleep 0.05; done
    cd / && rm -rf "$d"; say cleaned; exit 0 ;;
  esac
done
