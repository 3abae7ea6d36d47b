# The portal as an image: the binary that `make build` made, and nothing that is compiled here.
#
#   make build && docker build --tag runbook-portal .
#   docker run --publish 127.0.0.1:3000:3000 --volume portal-data:/data runbook-portal
#
# BASE must have a C library as new as the machine's that built the binary, and what the runbooks call: bash, curl, git, jq,
# ssh, docker and docker-compose. On a Debian base they are installed here; any other base has to bring them.
ARG BASE=debian:bookworm-slim
FROM ${BASE}

RUN if command -v apt-get >/dev/null; then \
      apt-get update && \
      apt-get install --yes --no-install-recommends \
        bash ca-certificates curl docker-compose docker.io git jq openssh-client && \
      rm -rf /var/lib/apt/lists/*; \
    fi

# An entry by hand, because not every base has useradd; ssh wants to know whom it runs as.
RUN echo 'portal:x:10001:10001:Runbook Portal:/data:/bin/bash' >>/etc/passwd && \
    echo 'portal:x:10001:' >>/etc/group && \
    mkdir -p /data /runbooks && \
    chown 10001:10001 /data

COPY runbooks /runbooks
COPY target/release/runbook-portal /usr/local/bin/runbook-portal

# In a container the portal is reached through the container's own address.
ENV PORTAL_LISTEN=0.0.0.0:3000 \
    PORTAL_DATA=/data \
    PORTAL_RUNBOOKS=/runbooks

USER 10001:10001
WORKDIR /data
VOLUME ["/data", "/runbooks"]
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
  CMD ["curl", "--silent", "--fail", "--output", "/dev/null", "http://127.0.0.1:3000/healthz"]

ENTRYPOINT ["/usr/local/bin/runbook-portal"]
CMD ["serve"]
