#!/usr/bin/env bash
# A real Apache Kafka broker for tests: one node (KRaft), from Maven Central, without Docker. Linux only.
#
#   kafka.sh check            whether it can run here: silent and 0, or 69 and what to install
#   kafka.sh fetch            only the jars, into the user's cache (about 43 MB, once)
#   kafka.sh start [DIR] [NAME=VALUE …]
#                             starts one with its data in DIR (else in a fresh temporary folder) and waits until it
#                             serves; prints KAFKA_BROKERS, KAFKA_PID and KAFKA_DIR: export $(scripts/kafka.sh start).
#                             DIR with data: the same broker again, same port. Running already: only prints.
#                             NAME=VALUE are broker settings, for a new folder; SCRAM-SHA-512=[name=…,password=…]
#                             is a user.
#   kafka.sh stop DIR         ends it gently and waits
#   kafka.sh kill DIR         kill -9: what a crash is like
#
# KAFKA_PORT    port of a new broker; else a free one
# KAFKA_OWNER   a process id: when that process ends, the broker is killed and DIR removed
set -euo pipefail
umask 077

version=4.4.0
jars="${TINYLLAVA_STREAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tinyllava-stream}/kafka-$version"
java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
# Starting fast matters more here than running fast.
jvm=(-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.showDateTime=true
  -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS)

say() { printf 'kafka: %s\n' "$*" >&2; }
missing() { say "$1. Install it: $2"; exit 69; }

check() {
  local major
  # (awk reads to the end: leaving early would break java's pipe, which pipefail takes for a failure.)
  major="$("$java" -version 2>&1 | awk -F'"' '/version/ && !found { split($2, part, "."); found = part[1]; print found }' || true)"
  [ "${major:-0}" -ge 17 ] 2>/dev/null || missing 'no Java >= 17' 'apt-get install -y openjdk-17-jre-headless'
  [ -d "$jars" ] || command -v mvn >/dev/null || missing 'no Maven' 'apt-get install -y maven'
}

fetch() {
  [ -d "$jars" ] && return
  mkdir -p "$(dirname "$jars")"
  exec 8>"$jars.lock"
  flock 8
  if [ ! -d "$jars" ]; then
    say "fetching Apache Kafka $version"
    local part="$jars.part"
    rm -rf "$part"
    mkdir "$part"
    cat >"$part/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tinyllava-stream</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
    MAVEN_OPTS="-Djansi.mode=strip ${MAVEN_OPTS:-}" mvn -q -B -ntp -f "$part/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$part" >&2
    # The folder appears whole or not at all.
    mv -T "$part" "$jars"
  fi
  exec 8>&-
}

# Two ports that are free now: the first may be given.
free_ports() {
  node -e '
    const servers = [Number(process.argv[1]), 0].map(port => require("node:net").createServer().listen(port, "127.0.0.1"))
    const ports = servers.map(server => new Promise((done, fail) => server.on("error", fail).on("listening", () => done(server.address().port))))
    Promise.all(ports).then(all => { console.log(...all); servers.forEach(server => server.close()) })
  ' "${KAFKA_PORT:-0}"
}

format() {
  local dir="$1" port controller setting users=()
  shift
  read -r port controller < <(free_ports)
  [ -n "${controller:-}" ] || { say "port ${KAFKA_PORT:-} is not free"; exit 1; }
  cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:$controller
log.dirs=$dir/data
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=5
group.initial.rebalance.delay.ms=0
# After kill -9 the broker comes back only when its earlier session is over.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
auto.create.topics.enable=false
PROPERTIES
  # A setting given twice: the last one wins.
  for setting in "$@"; do
    case "$setting" in
      SCRAM-*) users+=(--add-scram "$setting") ;;
      *) printf '%s\n' "$setting" >>"$dir/server.properties" ;;
    esac
  done
  "$java" "${jvm[@]}" -cp "$jars/*" kafka.tools.StorageTool format --standalone --cluster-id="$(node -p 'crypto.randomBytes(16).toString("base64url")')" \
    "${users[@]}" -c "$dir/server.properties" >"$dir/format.log" 2>&1 || { cat "$dir/format.log" >&2; rm "$dir/server.properties"; exit 1; }
  echo "$port" >"$dir/port"
}

# Whether the process of the pid file lives, and is this broker, not another process that got its number.
runs() {
  pid="$(cat "$1/pid" 2>/dev/null)" && [ -n "$pid" ] &&
    [[ "$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")" == *" kafka.Kafka $1/server.properties "* ]]
}

launch() {
  local dir="$1"
  # Own session: Ctrl-C in the terminal is for the tests, which end the broker themselves. Descriptor 9 is the lock.
  setsid "$java" "${jvm[@]}" -cp "$jars/*" kafka.Kafka "$dir/server.properties" >"$dir/kafka.log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid" >"$dir/pid"
  if [ -n "${KAFKA_OWNER:-}" ]; then
    setsid "$0" watch "$dir" "$KAFKA_OWNER" >/dev/null 2>&1 </dev/null 9>&- &
  fi
  until grep -q 'Kafka Server started' "$dir/kafka.log"; do
    kill -0 "$pid" 2>/dev/null || { rm "$dir/pid"; tail -n 30 "$dir/kafka.log" >&2; say "it ended while starting, see $dir/kafka.log"; exit 1; }
    sleep 0.1
  done
}

# Outlives the owner, so that nothing else does, however the owner ended. A folder has one watcher: an earlier one makes
# room for it, and each ends with the folder.
watch() {
  echo $$ >"$1/watcher"
  while kill -0 "$2" 2>/dev/null; do
    [ "$(cat "$1/watcher" 2>/dev/null)" = $$ ] || exit 0
    sleep 0.5
  done
  if runs "$1"; then kill -9 "$pid"; fi
  rm -rf "$1"
}

start() {
  local dir="${1:-}"
  [ $# -eq 0 ] || shift
  check
  fetch
  [ -n "$dir" ] || dir="$(mktemp -d "${TMPDIR:-/tmp}/kafka-XXXXXX")"
  mkdir -p "$dir"
  dir="$(cd "$dir" && pwd -P)"
  exec 9>"$dir/lock"
  flock 9
  [ -f "$dir/port" ] || format "$dir" "$@"
  runs "$dir" || launch "$dir"
  printf 'KAFKA_BROKERS=127.0.0.1:%s\nKAFKA_PID=%s\nKAFKA_DIR=%s\n' "$(cat "$dir/port")" "$pid" "$dir"
}

# Sends the signal and waits for the end: 30 s, then kill -9.
end() {
  local dir pid waited=0
  dir="$(cd "$2" && pwd -P)"
  if runs "$dir"; then
    kill "$1" "$pid"
    while kill -0 "$pid" 2>/dev/null; do
      sleep 0.1
      waited=$((waited + 1))
      [ "$waited" -ne 300 ] || { say 'it does not stop: kill -9'; kill -9 "$pid"; }
    done
  fi
  rm -f "$dir/pid"
}

usage() { say 'usage: kafka.sh check | fetch | start [DIR] [NAME=VALUE …] | stop DIR | kill DIR'; exit 64; }

command="${1:-}"
[ $# -eq 0 ] || shift
case "$command" in
  check) check ;;
  fetch) check; fetch ;;
  start) start "$@" ;;
  stop) [ $# -eq 1 ] || usage; end -TERM "$1" ;;
  kill) [ $# -eq 1 ] || usage; end -KILL "$1" ;;
  watch) watch "$@" ;; # internal
  *) usage ;;
esac
