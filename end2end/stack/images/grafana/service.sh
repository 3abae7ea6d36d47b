#!/bin/sh
# What stands where Grafana would: a page that names the dashboards, so that its address answers. There are no dashboards.
service=grafana
. /log.sh

log INFO "starting"
cat >/www/index.html <<'PAGE'
<!doctype html><title>Grafana (stand-in)</title><h1>Grafana is not here</h1><p>This page stands where the dashboards would be:
<ul><li>System Overview<li>Application Performance<li>Database Metrics<li>Container Resources</ul>
PAGE
serve 3000
log INFO "listening on port 3000"
while kill -0 "$httpd_pid" 2>/dev/null; do pause 5; done
log ERROR "the HTTP server is gone"
exit 1
