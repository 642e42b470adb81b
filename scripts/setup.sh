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
  # The CUDA provider comes from NuGet by a step of its own (README, "GPU"): never here.
  ONNXRUNTIME_NODE_INSTALL=skip npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi

has_ffmpeg() {
  [ -n "${FFMPEG_PATH:-}" ] && [ -x "$FFMPEG_PATH" ] && return 0
  command -v ffmpeg >/dev/null 2>&1 && return 0
  local static
  static=$(node -e 'try { process.stdout.write(require("ffmpeg-static") ?? "") } catch {}')
  [ -n "$static" ] && [ -x "$static" ]
}

if ! has_ffmpeg; then
  say 'installing ffmpeg'
  sudo=''
  [ "$(id -u)" -eq 0 ] || sudo='sudo'
  if command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || command -v sudo >/dev/null 2>&1; }; then
    $sudo apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends ffmpeg >&2
  fi
  has_ffmpeg || { say 'no ffmpeg found: install it with your package manager, or set FFMPEG_PATH to its path'; exit 1; }
fi

# The library: built when a source is newer than the last build.
if [ ! -f dist/.built ] || [ -n "$(find src tsconfig.json tsconfig.build.json package.json -newer dist/.built -print -quit)" ]; then
  say 'building'
  rm -rf dist
  npx --no-install tsc -p tsconfig.build.json
  chmod +x dist/cli.js
  touch dist/.built
fi
