# Asks one question of a check at a target, and changes nothing there. Of the words that are given one becomes code: the text of a
# command, which the rules class as one that reads.
#
# Behind the variables comes the question: a word, and what it is about. It is answered by one line, "=ended CODE", "=late",
# "=without PROGRAM" or "=nowhere", and by what was printed, in lines that begin with "+". The last line is "=end": without it there was
# more than anybody reads.
#
# The variables of this program begin with Portal_ as well: those of a run's values do not.

# Seconds after which a program is given up.
Portal_limit=8
Portal_begun=$(date +%s)

within() {
    if ! has timeout; then
        "$@"
    elif timeout -k 1 1 true 2>/dev/null; then
        timeout -k 1 $Portal_limit "$@"
    else
        timeout $Portal_limit "$@"
    fi </dev/null
}

# Whether a code is that of a program that was given up.
is_late() {
    case $1 in
    124 | 137 | 143) [ $(($(date +%s) - Portal_begun)) -ge $Portal_limit ] ;;
    *) false ;;
    esac
}

# $1: the code, $2: what was printed.
tell() {
    if is_late "$1"; then
        echo =late
        return
    fi
    printf '=ended %s\n' "$1"
    printf '%s\n' "$2" | sed 's/^/+/'
}

# The status of an address; its body is not read.
http() {
    if has curl; then
        Portal_told=$(within curl -q -sS -g --proto '=http,https' --connect-timeout 5 --max-time 7 -o /dev/null -w '%{http_code}' --url "$1" 2>&1)
    elif has wget; then
        Portal_told=$(within wget -q -S -T 7 -O /dev/null "$1" 2>&1)
    else
        echo "=without curl or wget"
        return
    fi
    tell $? "$Portal_told"
}

# What an address answers.
get() {
    if has curl; then
        Portal_told=$(within curl -q -sS -g --proto '=http,https' --connect-timeout 5 --max-time 7 --url "$1" 2>&1)
    elif has wget; then
        Portal_told=$(within wget -q -T 7 -O - "$1" 2>&1)
    else
        echo "=without curl or wget"
        return
    fi
    tell $? "$Portal_told"
}

# The state of a container, or of the containers of a Compose service: a line for each.
container() {
    if ! has docker; then
        echo "=without docker"
        return
    fi
    Portal_format='{{.Name}}{{"\t"}}{{.State.Status}}{{"\t"}}{{if .State.Health}}{{.State.Health.Status}}{{end}}{{"\t"}}{{.RestartCount}}{{"\t"}}{{.State.StartedAt}}'
    Portal_told=$(within docker inspect --type container --format "$Portal_format" -- "$1" 2>&1)
    Portal_code=$?
    if [ $Portal_code != 0 ] && Portal_names=$(within docker ps -aq --filter "label=com.docker.compose.service=$1" 2>/dev/null) && [ -n "$Portal_names" ]; then
        Portal_told=$(within docker inspect --type container --format "$Portal_format" $Portal_names 2>&1)
        Portal_code=$?
    fi
    tell $Portal_code "$Portal_told"
}

# $1: host and port, $2: the host alone.
certificate() {
    if ! has openssl; then
        echo "=without openssl"
        return
    fi
    Portal_told=$(within openssl s_client -connect "$1" -servername "$2" 2>&1)
    Portal_code=$?
    if Portal_end=$(printf '%s\n' "$Portal_told" | openssl x509 -noout -enddate 2>/dev/null); then
        tell 0 "$Portal_end"
    else
        tell $Portal_code "$(printf '%s\n' "$Portal_told" | head -n 20)"
    fi
}

# $1: the directory, $2: a word that nobody knows, and then a shell with its words. Of what is printed the last 30 KiB are read.
command_of() {
    Portal_mark=$2
    if ! cd "$1" 2>/dev/null; then
        echo =nowhere
        return
    fi
    shift 2
    Portal_told=$({
        within "$@" 2>&1
        printf '\n%s %s\n' "${Portal_mark}c" $?
    } | tail -c 30720)
    case $Portal_told in
    *"${Portal_mark}c 124" | *"${Portal_mark}c 137" | *"${Portal_mark}c 143") tell "${Portal_told##* }" "$Portal_told" ;;
    *) tell 0 "$Portal_told" ;;
    esac
}

Portal_question=$1
shift
case $Portal_question in
command) command_of "$@" ;;
*)
    # Programs are read here, and not by people.
    export LC_ALL=C
    case $Portal_question in
    http | get | container | certificate) $Portal_question "$@" ;;
    *) echo "=without an answer to this question" ;;
    esac
    ;;
esac
echo =end
