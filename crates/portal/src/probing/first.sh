# How every program begins with which the portal looks at a target: it stands before each. What it is given are words: $1, $2 … never
# become code. First come variables: their number, and each as NAME=value; then what is asked.
#
# What is kept here has names that begin with Portal_: a variable that is given takes the place of none of them.

# The home of whoever the portal is there, whatever the variables say.
Portal_home=$HOME
Portal_count=$1
shift
while [ "$Portal_count" -gt 0 ]; do
    export "$1"
    shift
    Portal_count=$((Portal_count - 1))
done

has() {
    command -v "$1" >/dev/null 2>&1
}

