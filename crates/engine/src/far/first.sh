# Finds the folder of the attempt, or makes room for it: `r` blocks of 4 KiB.
dir() {
  for b in "${HOME:-/nowhere}/.runbook-portal" "/var/tmp/.runbook-portal-$u" "/tmp/.runbook-portal-$u" "/dev/shm/.runbook-portal-$u"; do
    if [ "$1" = make ]; then mkdir -m 700 "$b" 2>/dev/null; fi
    [ -d "$b" ] && [ ! -h "$b" ] && [ -O "$b" ] && [ -w "$b" ] || continue
    if [ "$1" = find ]; then
      [ -d "$b/$k" ] || continue
    else
      dd if=/dev/zero of="$b/.try-$k" bs=4096 count="$r" 2>/dev/null; c=$?; rm -f "$b/.try-$k"; [ "$c" = 0 ] || continue
    fi 2>/dev/null
    d=$b/$k; return 0
  done
  return 1
}
# When a process began, in ticks since the machine did. Its number alone is somebody else's soon: a container that is started again
# counts from 1.
born() { IFS= read -r l <"/proc/$1/stat" && set -- ${l##*) } && echo "${20}"; } 2>/dev/null
