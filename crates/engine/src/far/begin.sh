k=$1 u=$(id -u) nl='
'
umask 077
say() { printf 'portal-far %s %s\n' "$k" "$*"; }
e= l=
while IFS= read -r l && [ "$l" != . ]; do e=$e$l$nl; done
[ "$l" = . ] || exit 0
cd -- "$3" 2>/dev/null || { say no-directory; exit 0; }
(PATH=$4; command -v "$5") >/dev/null 2>&1 || { say no-shell; exit 0; }
r=16
dir make || { say no-folder; exit 0; }
# What ended a week ago and was never fetched.
find "${d%/*}" -mindepth 2 -maxdepth 2 \( -name ended -o -name never \) -mtime +7 \
  -exec sh -c 'f=${1%/*}; [ ! -p "$f/over" ] || echo 1<>"$f/over"; rm -rf "$f"' x {} \; 2>/dev/null
# From here on the end of the link ends nothing any more, not even in the middle of an answer. (Caught, and so not inherited.)
trap : HUP INT TERM PIPE
mkdir "$d" 2>/dev/null || { say again; exit 0; }
undo() { cd /; rm -rf "$d"; [ -z "$g" ] || { echo "$$" >"${g%/*}/cgroup.procs"; rmdir "$g"; }; } 2>/dev/null
g=
cd "$d" && mkdir fed && mkfifo feed over && : >log && echo "$$ $(born $$)" >supervisor || { undo; say no-fifo; exit 0; }
exec 4<>feed 5<>over
m=pipe
if [ "$2" = tty ]; then script -qefc 'exit 7' /dev/null </dev/null >/dev/null 2>&1; [ $? = 7 ] && m=tty; fi
for c in /sys/fs/cgroup /sys/fs/cgroup/unified; do
  if [ -w "$c/cgroup.procs" ] && mkdir "$c/portal-$k" 2>/dev/null; then
    if (read -r p _ </proc/self/stat; echo "$p" >"$c/portal-$k/cgroup.procs") 2>/dev/null; then g=$c/portal-$k; break; fi
    rmdir "$c/portal-$k"
  fi
done
x=
limit() {
  [ -z "$2" ] && return
  [ -n "$g" ] && { echo "$2" >"$g/$3"; } 2>/dev/null || x=$x$1,
}
limit processes "$6" pids.max
limit memory "$7" memory.max
# Whoever finds no mode takes it for not begun.
{ printf '%s' "$g" >group && echo $m >mode; } 2>/dev/null || { undo; say no-fifo; exit 0; }
say begun "$m" "${x:--}"
exec </dev/null >/dev/null 2>&1
if [ $m = tty ]; then
  printf '%s' "$e" | SHELL=/bin/sh script -qefc "$8" /dev/null 3<&0 <&4 >>log 2>&1 4<&- 5<&-
else
  printf '%s' "$e" | /bin/sh -c "$8" 3<&0 <&4 >>log 2>&1 4<&- 5<&-
fi
# Only when what is in front of the shell could not say it.
r=$?; [ -e ended ] || { echo "$r" >ended; printf '\033]133;S;%s;%s\007' "$(cat ended)" "$9" >>log; }
