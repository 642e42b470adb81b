#!/usr/bin/env bash
# Makes a fresh clone ready: npm packages, ffmpeg, and the built library. Safe to run again; does
# only what is missing or stale.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }

node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  { say "Node >= 20.19 is needed, this is $(node --version). Install a newer one from https://nodejs.org."; exit 1; }

# npm packages: stale when package-lock.json differs from the one that was installed.
stamp=node_modules/.tinyllava-stream-lock
if ! cmp -s package-lock.json "$stamp"; then
  say 'installing npm packages'
  # Its post-install step would fetch a CUDA provider from NuGet, which nothing here uses, and fail where
  # NuGet can't be reached.
  ONNXRUNTIME_NODE_INSTALL=skip npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi

# ffmpeg 5.1 brought -fps_mode, which exact timestamps need.
# (grep reads to the end: leaving early would break ffmpeg's pipe, which pipefail takes for a failure.)
is_new_enough() { [ -n "$1" ] && "$1" -hide_banner -h long 2>/dev/null | grep -e '-fps_mode' >/dev/null; }

has_ffmpeg() {
  if [ -n "${FFMPEG_PATH:-}" ]; then is_new_enough "$FFMPEG_PATH"; return; fi
  is_new_enough "$(node -e 'try { process.stdout.write(require("ffmpeg-static") ?? "") } catch {}')" ||
    is_new_enough "$(command -v ffmpeg || true)"
}

if ! has_ffmpeg; then
  say 'installing ffmpeg'
  sudo=''
  [ "$(id -u)" -eq 0 ] || sudo='sudo'
  if command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || command -v sudo >/dev/null 2>&1; }; then
    $sudo apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends ffmpeg >&2
  fi
  has_ffmpeg || { say 'no ffmpeg >= 5.1 found: install one, run "npm install ffmpeg-static", or set FFMPEG_PATH to one'; exit 1; }
fi

# The library: built when a source is newer than the last build.
if [ ! -f dist/.built ] || [ -n "$(find src tsconfig.json tsconfig.build.json package.json -newer dist/.built -print -quit)" ]; then
  say 'building'
  npm run --silent build
fi
