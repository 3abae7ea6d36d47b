#!/bin/sh
# The frontend: asks the backend over the project's network every second, and logs what came back.
service=nextjs
. /log.sh

# Not wget's own -T: it crashes a busybox that is linked statically.
backend_answers() { timeout 1 wget -q -O /dev/null http://adonisjs:3333/health 2>/dev/null; }

log INFO "starting"
printf '<!doctype html><title>nextjs</title><p>The practice frontend.\n' >/www/index.html
printf '{"status":"ok","service":"nextjs"}\n' >/www/health
serve 3100
log INFO "listening on port 3100"

while kill -0 "$httpd_pid" 2>/dev/null; do
  if backend_answers; then
    log INFO "the backend answered"
  else
    log ERROR "the backend at http://adonisjs:3333/health does not answer"
  fi
  pause 1
done
log ERROR "the HTTP server is gone"
exit 1
