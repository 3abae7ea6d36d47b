#!/bin/sh
# The database, as far as it can be had: a folder of files, one for each collection, and a port by which the stand-ins for MongoDB's tools
# reach it from outside. A connection brings a line with the length of what follows and the tool with its arguments; the answer ends with the
# tool's exit code on a line of its own.
service=mongo
. /log.sh

if [ "${1:-}" = connection ]; then
  read -r length tool
  case "$tool" in
  "mongorestore --drop --gzip --archive" | "mongodump --gzip --archive")
    head -c "$length" | /tools/$tool 2>&1
    printf '\nexit %s\n' $?
    ;;
  *) printf 'the stand-in knows --drop --gzip --archive[=FILE] only, and got: %s\nexit 2\n' "$tool" ;;
  esac
  exit 0
fi

echo /data/db >/tools/database
mkdir -p /data/db
log INFO "starting"
nc -ll -p 27017 -e /bin/sh /service.sh connection &
nc_pid=$!
trap 'log INFO "asked to stop, closing the port"; kill "$nc_pid"; exit 0' TERM INT
log INFO "waiting for connections on port 27017"
while kill -0 "$nc_pid" 2>/dev/null; do
  pause 5
  log DEBUG "$(ls /data/db | wc -l) collections"
done
log ERROR "the port is gone"
exit 1
