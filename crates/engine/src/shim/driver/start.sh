# $1 token of the session, $2 words: "tty" when the far terminal still needs its modes, "pipefail". $3 the loop.
__s=$1 __d=$3 __r=0 __p= __t= __c= __x= __k= __l= __w= __z= __v=${BASH_VERSION-}
case " $2 " in *" where "*) __f=1 ;; *) __f= ;; esac
case " $2 " in *" pipefail "*) (set -o pipefail) 2>/dev/null && set -o pipefail ;; esac
exec 8<&0 9>&1 2>&1
if [ ! -t 8 ]; then exec </dev/null
else case " $2 " in *" tty "*) stty -echo -opost <&8 2>/dev/null ;; esac; fi
set --
__at() { [ -z "$__f" ] || command printf '\033]133;V;PWD;%s;%s\007%s\000' "${#PWD}" "$__s" "$PWD" >&9; }
__mark() { command printf '\033]133;%s\007' "$1" >&9 || exit; }
__st() { __r=0; return "$1"; }
trap '{ __r=$?; [ "$__r" -ne 0 ] || __r=130; break 9999; } 2>/dev/null' INT
trap '{ __z=$?; set +x; } 2>/dev/null; [ -z "$__t" ] || { __at; __mark "X;$__z;;$__t"; }' EXIT
__mark "A;$__s"
eval "$__d"
exit "$__r"
