# Looks at a target for the portal, and changes nothing there (the question "writable" tries to write, and cleans up).
#
# Behind the variables of the target come questions: a word, and what it is about. Each is answered by one line "=WORD", and lines that
# begin with "+". A target that has no such tool answers "=without". The last line is "=end": without it the answer before is not whole.

# Programs are read here, and not by people.
export LC_ALL=C GIT_OPTIONAL_LOCKS=0

say() {
    printf '=%s\n' "$1"
    shift
    for line in "$@"; do printf '+%s\n' "$line"; done
}

# Whether a name would be taken for more than one line, or steer a terminal.
is_deceiving() {
    case $1 in
    *[[:cntrl:]]*) true ;;
    *) false ;;
    esac
}

# The first lines of something, whether or not the last one has an end.
first() {
    head -n "$1" | sed 's/^/+/'
    echo
}

# A program that hangs is not waited for: the other questions have their answer.
within() {
    if has timeout; then timeout 3 "$@"; else "$@"; fi </dev/null
}

# The first lines that a program prints, or why it does not.
found() {
    most=$1
    shift
    if ! has "$1"; then
        say without
        return
    fi
    answer=$(within "$@" 2>/dev/null)
    case $? in
    0)
        say yes
        printf '%s\n' "$answer" | first "$most"
        ;;
    124) say no "it did not answer in time" ;;
    *)
        say no
        within "$@" 2>&1 >/dev/null | first 3
        ;;
    esac
}

# $1: hyphen or plugin, $2: the directory, $3: the files, one a line.
services() {
    if ! cd "$2" 2>/dev/null; then
        say no "the directory is not there"
        return
    fi
    files=$3
    IFS='
'
    set -f
    set --
    for file in $files; do set -- "$@" -f "$file"; done
    unset IFS
    set +f
    found 200 $program "$@" config --services
}

# Says that something is not there, or that it cannot be known: a folder on the way to it may not be entered, or a link leads to what
# cannot be seen. Fails when it is there.
absent() {
    [ -e "$1" ] && return 1
    place=$1
    while [ ! -e "$place" ]; do
        if [ -h "$place" ]; then
            say closed "it is a link, or lies behind one, that leads to nothing the user there can see"
            return
        fi
        case $place in
        */*) place=${place%/*} ;;
        *) place=. ;;
        esac
        place=${place:-/}
    done
    if [ -d "$place" ] && ! (cd "$place") 2>/dev/null; then say closed; else say no; fi
}

standing() {
    if absent "$2"; then
        :
    elif [ "$1" "$2" ] && [ -r "$2" ]; then
        say yes
    else
        say closed
    fi
}

# Files in a folder, the newest first: seconds, bytes, path.
listing() {
    if absent "$1"; then
        :
    elif [ ! -d "$1" ]; then
        say no
    elif ! has find || ! has stat; then
        say without
    elif [ ! -r "$1" ]; then
        say closed
    else
        say yes
        # A name with a line feed would be taken for another file, or for more than one.
        within find -L "$1" -maxdepth "$2" -name '*[[:cntrl:]]*' -prune -o -type f -exec stat -L -c '%Y %s %n' {} + 2>/dev/null | sort -rn | first 500
    fi
}

# Where a path leads, in $resolved, with line feeds at the end of its name.
resolve() {
    resolved=$(readlink -f "$1" && echo .) || return
    resolved=${resolved%??}
}

identity() {
    if absent "$1"; then
        :
    elif ! has readlink || ! has stat; then
        say without
    elif ! resolve "$1"; then
        say closed
    elif is_deceiving "$resolved"; then
        say closed "what it leads to has a control character in its name"
    elif seen=$(stat -L -c '%d %i %s %Y' "$resolved" 2>/dev/null); then
        if [ -f "$resolved" ]; then kind=file; else kind=other; fi
        say yes "$resolved" "$kind" "$seen" "$(stat -L -c %y "$resolved" 2>/dev/null)"
        size=${seen#* * }
        if [ $kind = file ] && [ "${size% *}" -le "$2" ] && has sha256sum; then
            sum=$(sha256sum <"$resolved" 2>/dev/null) && printf '+%s\n' "${sum%% *}"
        fi
    else
        say closed
    fi
}

# The first folder that really takes a file with something in it, as the private folder of an attempt has to: a disk may be full, or let
# nobody write. The try is in a folder of its own, which nobody else has made, and is gone again at once.
writable() {
    for folder in "$@"; do
        own=$folder/.runbook-portal-try-$$
        mkdir -m 700 "$own" 2>/dev/null || continue
        if (printf x >"$own/try") 2>/dev/null; then takes=yes; else takes=no; fi
        rm -f "$own/try"
        rmdir "$own"
        if [ $takes = yes ]; then
            say yes "$folder"
            return
        fi
    done
    say no
}

while [ $# -gt 0 ]; do
    question=$1
    shift
    case $question in
    directory)
        standing -d "$1"
        shift
        ;;
    file)
        standing -f "$1"
        shift
        ;;
    tool)
        # The names of this program's own functions are not what is asked for.
        if (unset -f say is_deceiving first has within found services absent standing listing resolve identity writable && command -v "$1" >/dev/null 2>&1); then
            say yes
        else
            say no
        fi
        shift
        ;;
    content)
        if absent "$1"; then
            :
        elif [ ! -f "$1" ] || [ ! -r "$1" ]; then
            say closed
        else
            say yes
            # One byte more than is taken tells a file that is longer.
            head -c "$(($2 + 1))" "$1" | sed 's/^/+/'
            echo
        fi
        shift 2
        ;;
    services)
        if [ "$1" = hyphen ]; then program=docker-compose; else program="docker compose"; fi
        (services "$@")
        shift 3
        ;;
    containers) found 200 docker ps -a --format '{{.Names}}\t{{.Status}}\t{{.Image}}' ;;
    images) found 200 docker images --format '{{.Repository}}:{{.Tag}}\t{{.CreatedSince}}\t{{.Size}}' ;;
    project)
        label=com.docker.compose
        format="{{.Label \"$label.project.working_dir\"}}\\t{{.Label \"$label.service\"}}\\t{{.Names}}\\t{{.Status}}\\t{{.Mounts}}"
        found 200 docker ps -a --no-trunc --filter "label=$label.project.working_dir" --format "$format"
        ;;
    branches)
        format='%(refname:short)%09%(creatordate:relative)%09%(subject)'
        found 60 git -C "$1" for-each-ref --sort=-creatordate --count=60 "--format=$format" refs/heads refs/tags
        shift
        ;;
    commits)
        found 40 git -C "$1" log -n 40 --no-show-signature '--format=%h%x09%cr%x09%s'
        shift
        ;;
    listing)
        listing "$1" "$2"
        shift 2
        ;;
    identity)
        identity "$1" "$2"
        shift 2
        ;;
    space)
        found 2 df -P -k "$1"
        shift
        ;;
    run)
        # A program with one argument, of those that the portal itself names.
        case "$1 $2" in
        "date +%s" | "id -un" | "docker-compose version") found 1 "$1" "$2" ;;
        "docker compose") found 1 docker compose version ;;
        *) say without ;;
        esac
        shift 2
        ;;
    logind)
        logind=org.freedesktop.login1
        found 3 busctl get-property $logind /org/freedesktop/login1 $logind.Manager KillUserProcesses KillExcludeUsers KillOnlyUsers
        ;;
    home) say yes "$Portal_home" ;;
    writable) writable "${Portal_home:-/nowhere}" /var/tmp /tmp /dev/shm ;;
    *) say without ;;
    esac
done
say end
