while { case $- in *x*) __x="set -x
" ;; *) [ -z "$__t" ] || __x= ;; esac; set +x; } 2>/dev/null; do
  [ -z "$__t" ] || { __at; __mark "D;$__r;$__p;$__t"; __t= __c= __p=; }
  __l=; IFS= read -r __l <&8 || { [ $? -gt 128 ] && continue; __d=; break; }
  case $__l in
  "$__s+"*) __c=$__c${__l#"$__s+"} ;;
  "$__s!"*)
    __c=$(command printf %b "$__c"); __k=
    [ -z "$__v" ] || case $__c in *\\) ;; *"|"*)
      if __w=$( (command eval "set -n
$__c") 2>&1 ) && [ -z "$__w" ]; then __k="
{ __r=\$? __p=\${PIPESTATUS[@]}; } 2>/dev/null"; fi ;; esac
    __t=${__l#"$__s!"}
    __mark "C;$__t"
    case $- in *e*) ;; *) __st "$__r" ;; esac
    command eval "$__x$__c$__k"
    { __z=$?; [ -n "$__k" ] || __r=$__z; } 2>/dev/null ;;
  "$__s="*)
    __w=${__l#"$__s="}; __z=
    if [ -z "$__w" ] || eval "[ -n \"\${$__w+x}\" ] && __z=\$$__w"; then
      command printf '\033]133;V;%s;%s;%s\007%s\000' "$__w" "${#__z}" "$__s" "$__z" >&9
    fi ;;
  "$__s.") __d=; break ;;
  esac
done
[ -z "$__d" ] || eval "$__d"
