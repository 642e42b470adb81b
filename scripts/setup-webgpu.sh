#!/usr/bin/env bash
# A GPU made of software for tests of WebGPU: lavapipe, Mesa's Vulkan driver for processors. Linux on x64 only.
#
#   setup-webgpu.sh check    whether it is here: silent and 0, or 69 and what to do
#   setup-webgpu.sh setup    fetches it; does nothing where it is here
#   setup-webgpu.sh env      prints what a process must have in its environment to use it, and nothing else
#
# ONNX Runtime needs Mesa 25, Debian 12 has 22 and a newer one in its backports. That is unpacked into the user's cache
# and used by the processes that are told to: the system keeps its own drivers and its list of sources.
set -euo pipefail

folder="${TINYLLAVA_STREAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tinyllava-stream}/lavapipe-25"

say() { printf 'setup-webgpu: %s\n' "$*" >&2; }
fail() { say "$*"; exit 69; }

# The file that tells Vulkan's loader about the driver: ours, or the system's where that is new enough.
manifest() {
  local found version
  found="$folder/lvp_icd.json"
  [ ! -f "$found" ] || { printf '%s\n' "$found"; return; }
  version="$(dpkg-query -W -f '${Version}' mesa-vulkan-drivers 2>/dev/null || true)"
  [ -n "$version" ] && dpkg --compare-versions "$version" ge 25 || return 1
  for found in /usr/share/vulkan/icd.d/lvp_icd*.json; do
    [ ! -f "$found" ] || { printf '%s\n' "$found"; return; }
  done
  return 1
}

check() { manifest >/dev/null || fail 'no lavapipe of Mesa 25 or newer. Debian 12: run scripts/setup-webgpu.sh setup; others: install mesa-vulkan-drivers >= 25'; }

# The mirror that this machine's Debian comes from.
# (awk reads to the end: leaving early would break apt's pipe, which pipefail takes for a failure.)
mirror() { apt-get indextargets --format '$(SITE)' 'Origin: Debian' 'Codename: bookworm' 'Created-By: Packages' | awk 'NR == 1'; }

# apt as set up here, but for one more source, and lists and packages in a folder of their own.
apt_backports() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/backports.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" "$@" >&2
}

download() {
  local uri
  uri="$(mirror)"
  if [ -z "$uri" ]; then
    run_as_root apt-get update -qq >&2
    uri="$(mirror)"
  fi
  [ -n "$uri" ] || fail 'apt has no Debian 12 among its sources'
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s bookworm-backports main\n' "$uri" >"$work/backports.list"
  apt_backports update
  (cd "$work" && apt_backports download mesa-vulkan-drivers)
}

run_as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

has_libraries() {
  local linked known
  linked="$(ldd "$1")"
  known="$(ldconfig -p)"
  [[ "$linked" != *'not found'* && "$known" == *libvulkan.so.1* ]]
}

# What the driver is linked with comes from Debian 12 itself.
install_libraries() {
  local package="$1" names
  names="$(dpkg-deb -f "$package" Depends | tr ',' '\n' | sed 's/[(|].*//; s/ //g')"
  run_as_root apt-get update -qq >&2
  # shellcheck disable=SC2086 # One name a word.
  DEBIAN_FRONTEND=noninteractive run_as_root apt-get install -y -qq --no-install-recommends $names >&2
}

setup() {
  manifest >/dev/null && return
  # shellcheck source=/dev/null
  [ "$(. /etc/os-release 2>/dev/null && printf '%s-%s' "${VERSION_CODENAME:-}" "$(uname -m)")" = bookworm-x86_64 ] || check
  say 'fetching lavapipe from the backports'
  mkdir -p "$(dirname "$folder")"
  local library package
  # Known to the end of the script, when it is removed.
  work="$(mktemp -d "$folder.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  download
  package="$(echo "$work"/mesa-vulkan-drivers_*.deb)"
  dpkg-deb -x "$package" "$work/package"
  library=usr/lib/x86_64-linux-gnu/libvulkan_lvp.so
  has_libraries "$work/package/$library" || install_libraries "$package"
  mkdir "$work/driver"
  mv "$work/package/$library" "$work/driver/"
  printf '{ "file_format_version": "1.0.0", "ICD": { "api_version": "1.4.305", "library_path": "%s" } }\n' \
    "$folder/libvulkan_lvp.so" >"$work/driver/lvp_icd.json"
  # The folder appears whole or not at all; of two that fetch at once one is first.
  mv -T "$work/driver" "$folder" 2>/dev/null || manifest >/dev/null
  check
}

case "${1:-}" in
  check) check ;;
  setup) setup ;;
  # Loaders before 1.3.207 know the second name only.
  env) check; printf 'VK_DRIVER_FILES=%s\nVK_ICD_FILENAMES=%s\n' "$(manifest)" "$(manifest)" ;;
  *) say 'usage: setup-webgpu.sh check | setup | env'; exit 64 ;;
esac
