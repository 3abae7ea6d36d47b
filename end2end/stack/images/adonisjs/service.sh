#!/bin/sh
# The backend: /health, /metrics for Prometheus, and a log with every level. Its mail relay really does not exist, so the
# errors it logs, and the alert that Prometheus derives from its metrics, are true.
service=adonisjs
. /log.sh

started="$(date +%s)"
waiting=0
relay_up=0

write_metrics() {
  cat >/www/metrics.new <<METRICS
# HELP adonisjs_start_time_seconds When this process started.
# TYPE adonisjs_start_time_seconds gauge
adonisjs_start_time_seconds $started
# HELP adonisjs_mail_relay_up Whether the mail relay answered when it was last tried.
# TYPE adonisjs_mail_relay_up gauge
adonisjs_mail_relay_up $relay_up
# HELP adonisjs_mails_waiting Mails that wait for the relay.
# TYPE adonisjs_mails_waiting gauge
adonisjs_mails_waiting $waiting
METRICS
  mv /www/metrics.new /www/metrics
}

try_relay() {
  if nc -w 1 127.0.0.1 1025 </dev/null >/dev/null 2>&1; then
    relay_up=1
    waiting=0
    return
  fi
  relay_up=0
  waiting=$((waiting + 1))
  log ERROR "mail relay 127.0.0.1:1025 refused the connection"
  if [ "$waiting" -ge 3 ]; then log WARN "$waiting mails are waiting for the mail relay"; fi
}

version="$(cat /version)"
log INFO "starting version $version"
# As every backend does that finds its key empty; where there is none at all, as in the small project, it needs none.
if [ -z "${APP_KEY-none}" ]; then
  log ERROR "missing environment variable APP_KEY"
  exit 1
fi
printf '{"status":"ok","service":"adonisjs","version":"%s","started":%s}\n' "$version" "$started" >/www/health
write_metrics
serve 3333
log INFO "listening on port 3333"

tick=0
while kill -0 "$httpd_pid" 2>/dev/null; do
  if [ $((tick % 10)) -eq 0 ]; then try_relay; fi
  if [ $((tick % 5)) -eq 0 ]; then log INFO "up for $(($(date +%s) - started)) s"; fi
  log DEBUG "tick $tick"
  write_metrics
  tick=$((tick + 1))
  pause 1
done
log ERROR "the HTTP server is gone"
exit 1
