# In front of the shell, and there until everything that the shell has left is ended: the terminal lasts as long.
# What it is to run with stays in its arguments ($1 the directory, $4 the session, then the shell), and the two names that it needs
# while the environment is set are its own: a variable of the step may have any other.
if [ -t 0 ]; then
  stty -echo -opost rows "$2" cols "$3"; stty -g >modes; tty >terminal
fi
unset HOME SHELL SHLVL e g k u c m x p b nl v
while IFS= read -r __portal_l <&3; do
  case $__portal_l in
  +*) __portal_v=${__portal_v-}${__portal_l#+} ;;
  # (Some shells keep a name or two for themselves; that ends nothing.)
  =*) __portal_v=$(printf '%b.' "${__portal_v-}"); command export "${__portal_l#=}=${__portal_v%.}" 2>/dev/null; unset __portal_v ;;
  esac
done
exec 3<&-
unset __portal_l OLDPWD
trap : INT HUP TERM
# What this shell itself says, of one that was killed for instance, is no output of the step. (A redirection beside the command
# would be this shell's own, too, while it waits.)
exec 6>&2 2>/dev/null
/bin/sh -c 'exec 2>&6 6>&-; read -r __portal_g <group; [ -z "$__portal_g" ] || echo $$ >"$__portal_g/cgroup.procs" 2>/dev/null
echo "$$ $(IFS= read -r l <"/proc/$$/stat"; set -- ${l##*\) }; echo "${20}")" >shell
cd -- "$1" || exit 126; shift 4; unset __portal_g OLDPWD; exec "$@"' portal-step "$@"
set -- "$?" "$4"
echo "$1" >ended
printf '\033]133;S;%s;%s\007' "$1" "$2"
read -r _ <>over
