if [ -t 0 ]; then
  stty -echo -opost rows "$2" cols "$3"; stty -g >modes; tty >terminal
fi
read -r g <group; [ -z "$g" ] || echo $$ >"$g/cgroup.procs" 2>/dev/null
echo $$ >shell
d=$1; shift 3
unset HOME SHELL SHLVL OLDPWD e g k u c m x p r b nl
v=
while IFS= read -r l <&3; do
  case $l in
  +*) v=$v${l#+} ;;
  =*) v=$(printf '%b.' "$v"); export "${l#=}=${v%.}"; v= ;;
  esac
done
exec 3<&-
cd -- "$d" || exit 126
unset d l v
exec "$@"
