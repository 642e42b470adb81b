#!/usr/bin/env bash
# The real servers that tests run against: Java and Maven for Apache Kafka, GStreamer's RTSP server. Installs what
# is missing, on Debian and Ubuntu; ends with an error where something can't be had. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! bash scripts/kafka.sh check 2>/dev/null; then
  sudo=''
  [ "$(id -u)" -eq 0 ] || sudo='sudo'
  $sudo apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless maven >&2 ||
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends default-jre-headless maven >&2
fi
bash scripts/kafka.sh check
bash scripts/kafka.sh fetch
bash scripts/rtsp-server.sh setup
