#!/usr/bin/env bash
# What tests run against that is real: Java and Maven for Apache Kafka, GStreamer's RTSP server, a browser. Installs what
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

if ! command -v chromium >/dev/null && [ -z "${CHROMIUM:-}" ]; then
  sudo=''
  [ "$(id -u)" -eq 0 ] || sudo='sudo'
  $sudo apt-get update -qq >&2
  # Ubuntu's package is called otherwise.
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium >&2 ||
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium-browser >&2
fi
