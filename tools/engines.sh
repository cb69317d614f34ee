#!/bin/sh
# Make sure there are a PostgreSQL and a Java (for Spark) that the tests of engines can start.
set -eu
wanted=""
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || wanted="postgresql"
command -v java >/dev/null 2>&1 || [ -n "${JAVA_HOME:-}" ] || wanted="$wanted openjdk-17-jre-headless"
[ -z "$wanted" ] && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing Debian's packages for the tests of engines:$wanted."
  # The tests start a cluster of their own; Debian's would only take a port.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null
  exit 0
fi
echo "There is no$wanted; the tests of these engines will be skipped. Install the packages to run them."
