#!/usr/bin/env bash
# A real RTSP server for tests: GStreamer's, from Debian's packages (see rtsp-server.py). Linux only.
#
#   rtsp-server.sh check    whether it can run here: silent and 0, or 69 and what to install
#   rtsp-server.sh setup    installs what is missing; does nothing where all is there
#   rtsp-server.sh start DIR [--port N] [--user NAME --password TEXT]
#                           starts one that serves what DIR/mounts names, waits until it does, and prints
#                           RTSP_PORT and RTSP_PID. Without a port it takes a free one. Its output is DIR/server.log.
#
# It ends by a signal to its process, or with RTSP_OWNER, a process id: when that process ends, so does the server.
set -euo pipefail
cd "$(dirname "$0")"

packages=(python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)

say() { printf 'rtsp-server: %s\n' "$*" >&2; }

# Debian's own Python is the one that knows Debian's packages; another may come first in PATH.
has_all() {
  /usr/bin/python3 - <<'PYTHON' 2>/dev/null
import gi
gi.require_version('GstRtspServer', '1.0')
from gi.repository import Gst, GstRtspServer
Gst.init(None)
needed = ['fdsrc', 'queue', 'tsdemux', 'h264parse', 'h265parse', 'aacparse', 'rtph264pay', 'rtph265pay', 'rtpmp4apay']
raise SystemExit(not all(Gst.ElementFactory.find(name) for name in needed))
PYTHON
}

check() {
  has_all && return
  say "no GStreamer RTSP server. Install it: apt-get install -y --no-install-recommends ${packages[*]}"
  exit 69
}

setup() {
  has_all && return
  local sudo=''
  [ "$(id -u)" -eq 0 ] || sudo='sudo'
  if command -v apt-get >/dev/null; then
    say 'installing GStreamer'
    $sudo apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
  fi
  check
}

start() {
  local dir="$1" port pid
  shift
  : >"$dir/server.log"
  # A session of its own: Ctrl-C in the terminal is for the tests, which end it themselves.
  setsid /usr/bin/python3 rtsp-server.py --mounts "$dir/mounts" ${RTSP_OWNER:+--owner "$RTSP_OWNER"} "$@" >"$dir/server.log" 2>&1 </dev/null &
  pid=$!
  until port="$(awk '/^ready / { print $2 }' "$dir/server.log")" && [ -n "$port" ]; do
    kill -0 "$pid" 2>/dev/null || { cat "$dir/server.log" >&2; say 'it ended while starting'; exit 1; }
    sleep 0.05
  done
  printf 'RTSP_PORT=%s\nRTSP_PID=%s\n' "$port" "$pid"
}

command="${1:-}"
[ $# -eq 0 ] || shift
case "$command" in
  check) check ;;
  setup) setup ;;
  start) [ $# -ge 1 ] || { say 'start needs a folder'; exit 64; }; start "$@" ;;
  *) say 'usage: rtsp-server.sh check | setup | start DIR [--port N] [--user NAME --password TEXT]'; exit 64 ;;
esac
