#!/bin/sh
# Install the proxies and the pooler that the tests need: only those that are missing, and only where apt-get is and we are root.
set -eu
PATH="$PATH:/usr/local/sbin:/usr/sbin"
missing=""
command -v haproxy >/dev/null || missing="haproxy"
command -v nginx >/dev/null || missing="$missing nginx-light"
command -v pgbouncer >/dev/null || missing="$missing pgbouncer"
if [ -z "$missing" ] || ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# installed, not started: the tests start their own, on ports of their own
RUNLEVEL=1
export RUNLEVEL
# shellcheck disable=SC2086  # each word is a package
install() { apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
# the lists of packages may be missing or old on a fresh machine
install 2>/dev/null || { apt-get update -qq && install; } || echo "could not install: $missing" >&2
