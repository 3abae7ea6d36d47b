# In front of the shell, and there until everything that the shell has left is ended: the terminal lasts as long.
d=$1 s=$4
if [ -t 0 ]; then
  stty -echo -opost rows "$2" cols "$3"; stty -g >modes; tty >terminal
fi
shift 4
unset HOME SHELL SHLVL e g k u c m x p b nl v
while IFS= read -r l <&3; do
  case $l in
  +*) v=${v-}${l#+} ;;
  =*) v=$(printf '%b.' "${v-}"); export "${l#=}=${v%.}"; unset v ;;
  esac
done
exec 3<&-
unset l OLDPWD
trap : INT HUP TERM
# What this shell itself says, of one that was killed for instance, is no output of the step. (A redirection beside the command
# would be this shell's own, too, while it waits.)
exec 6>&2 2>/dev/null
/bin/sh -c 'exec 2>&6 6>&-; read -r g <group; [ -z "$g" ] || echo $$ >"$g/cgroup.procs" 2>/dev/null
echo "$$ $(IFS= read -r l <"/proc/$$/stat"; set -- ${l##*\) }; echo "${20}")" >shell; d=$1; shift; cd -- "$d" || exit 126; unset d g OLDPWD; exec "$@"' portal-step "$d" "$@"
r=$?
echo "$r" >ended
printf '\033]133;S;%s;%s\007' "$r" "$s"
read -r _ <>over
