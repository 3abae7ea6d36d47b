# The part of `up` that starts the practice machine and what stands around it. Sourced, never run.

# certificate NAME: a key and a certificate of that name, by the stack's own authority.
certificate() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$handed_in/$1.key" &&
    openssl req -new -key "$handed_in/$1.key" -subj "/CN=$1" -out "$handed_in/$1.request" &&
    openssl x509 -req -in "$handed_in/$1.request" -CA "$handed_in/ca.pem" -CAkey "$handed_in/ca.key" -CAcreateserial -days 30 \
      -extfile <(printf 'subjectAltName=DNS:%s\n' "$1") -out "$handed_in/$1.pem" && rm "$handed_in/$1.request"
}

secret() { openssl rand -hex 20; }

# What is handed in to the machine and its neighbours; every time anew, so that a secret that is found anywhere is one of this time.
make_secrets() {
  rm -rf "$handed_in" && mkdir -p "$handed_in"/{keys,registry,docker} && chmod 700 "$handed_in" || return
  local key
  for key in host operator jdoe; do
    ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$handed_in/keys/$key" || return
  done
  cat "$handed_in"/keys/{operator,jdoe}.pub >"$handed_in/keys/authorized_keys"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=Practice authority' \
    -keyout "$handed_in/ca.key" -out "$handed_in/ca.pem" || return
  certificate ghcr.io && certificate acme.practice || return
  echo brainbytes-deploy >"$handed_in/registry/user"
  printf 'ghp_%s' "$(secret)" >"$handed_in/registry/token"
  cp "$stack"/around/{registry.yml,pebble.json,alertmanager.yml} "$handed_in/"
}

write_environment() {
  cat >"$handed_in/environment" <<ENVIRONMENT
COMPOSE_PROJECT_NAME=brainbytes
ALERTMANAGER=$1:9093
APP_KEY=$(secret)
MONGO_PASSWORD=$(secret)
SESSION_SECRET=$(secret)
GHCR_READ_TOKEN=$(secret)
MAIL_HOST=smtp.brainbytes.example
ENVIRONMENT
}

import_debian() {
  local name
  name="practice/servers:$(cat "$debian/debian-name")"
  docker image inspect "$name" >/dev/null 2>&1 || docker import "$debian/servers.tar" "$name" || return
  docker images --format '{{.Repository}}:{{.Tag}}' practice/servers | sed "\\#^$name\$#d" | xargs -r docker image rm
  docker tag "$name" practice/servers:current && docker build --quiet --tag practice/machine:current "$stack/machine"
}

gateway() { docker network inspect --format '{{(index .IPAM.Config 0).Gateway}}' "$network"; }

# start_beside NAME OPTION…: a container of the machine's neighbours.
start_beside() {
  docker run --detach --name "practice-$1" --volume "$handed_in:/practice:ro" --restart unless-stopped "${@:2}"
}

start_around() {
  start_beside registry --network "$network" --network-alias ghcr.io --publish 127.0.0.1::443 practice/servers:current bash -euc '
    htpasswd -Bbn "$(cat /practice/registry/user)" "$(cat /practice/registry/token)" >/tmp/passwords
    exec docker-registry serve /practice/registry.yml' &&
    start_beside acme --network "$network" --network-alias acme.practice --env PEBBLE_VA_NOSLEEP=1 --env PEBBLE_WFE_NONCEREJECT=0 \
      practice/servers:current pebble -config /practice/pebble.json &&
    # In the network of this machine: it tells its alerts to a portal that listens here only.
    start_beside alertmanager --network host practice/servers:current prometheus-alertmanager --config.file /practice/alertmanager.yml \
      --web.listen-address "$1:9093" --cluster.listen-address= --storage.path /tmp/alertmanager --log.level warn
}

# Everything that an engine within a container needs but one thing: where this one may not raise limits itself, it cannot give that away, as
# --privileged would.
free=(--cap-add ALL --cap-drop SYS_RESOURCE --device-cgroup-rule 'a *:* rwm' --security-opt seccomp=unconfined --security-opt apparmor=unconfined
  --security-opt systempaths=unconfined)

start_practice_machine() {
  local node pnpm
  node="$(readlink -f "$debian/npm/node_modules/node-linux-"*/bin/node)"
  pnpm="$debian/npm/node_modules/pnpm"
  docker run --detach --name "$machine" --hostname production-server "${free[@]}" --restart no --stop-timeout 30 \
    --network "$network" --network-alias brainbytes.example --network-alias grafana.brainbytes.example \
    --add-host brainbytes.example:127.0.0.1 --add-host grafana.brainbytes.example:127.0.0.1 \
    --publish 127.0.0.1::22 --volume "$handed_in:/practice" --volume "$machine_engine:/var/lib/docker" --volume "$debian:/opt/images:ro" \
    --volume "$tools/bin/traefik:/opt/traefik/traefik:ro" --volume "$node:/usr/local/bin/node:ro" --volume "$pnpm:/opt/pnpm:ro" \
    practice/machine:current
}

# push SERVICE IMAGE TAG
push() {
  local name
  name="127.0.0.1:$(published practice-registry 443)/brainbytes/$1:$3"
  docker tag "practice/$1:$2" "$name" && docker --config "$handed_in/docker" push --quiet "$name" && docker image rm "$name" >/dev/null
}

fill_registry() {
  wait_until 30 "the registry" registry_answers &&
    docker --config "$handed_in/docker" login "127.0.0.1:$(published practice-registry 443)" --username "$(cat "$handed_in/registry/user")" \
      --password-stdin <"$handed_in/registry/token" || return
  local service
  for service in adonisjs nextjs mongo grafana; do push "$service" current v1 && publish "$service" v1 || return; done
  for service in adonisjs nextjs; do push "$service" next v2 || return; done
}

write_facts() {
  local port
  port="$(published "$machine" 22)"
  printf '[127.0.0.1]:%s %s\n' "$port" "$(cat "$handed_in/keys/host.pub")" >"$handed_in/known_hosts"
  jq --null-input --arg here "$handed_in" --argjson port "$port" --arg alertmanager "http://$1:9093" --arg user "$(cat "$handed_in/registry/user")" '{
    ssh: { host: "127.0.0.1", port: $port, user: "deploy", identity_file: "\($here)/keys/operator", known_hosts: "\($here)/known_hosts" },
    tests: { user: "ci", directory: "/home/ci/brainbytes" },
    docker_host: "unix://\($here)/docker.sock",
    project: "/srv/brainbytes", backups: "/srv/backups", domain: "brainbytes.example",
    registry: { user: $user, token_file: "\($here)/registry/token" },
    environment_file: "\($here)/environment", authority: "\($here)/ca.pem", alertmanager: $alertmanager
  }' >"$handed_in/facts.json"
}

machine_ready() { docker exec "$machine" bash -c 'docker version >/dev/null 2>&1 && [ -s /run/sshd.pid ]'; }

start_machine() {
  if machine_ready >/dev/null 2>&1 && [ -r "$handed_in/facts.json" ]; then return; fi
  forget_containers "$machine" "${around[@]}"
  docker network inspect "$network" >/dev/null 2>&1 || docker network create "$network" || return
  local at
  at="$(gateway)"
  make_secrets && write_environment "$at" && import_debian && start_around "$at" && start_practice_machine && name_registry &&
    build_more_images && fill_registry && wait_until 60 "the engine of the practice machine" machine_ready &&
    docker exec "$machine" /opt/practice/reset first && write_facts "$at"
}
