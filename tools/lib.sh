# What the scripts in this folder share. Sourced, not run; needs bash, and on a bare machine Debian's packages.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Debian packages by what needs them.
build_packages=(
  g++ meson ninja-build pkgconf ccache
  libsodium-dev libssl-dev libfmt-dev libasio-dev libprotozero-dev libmsgpack-cxx-dev libcli11-dev
  nlohmann-json3-dev libjemalloc-dev libtomlplusplus-dev libsqlite3-dev libarchive-dev libzstd-dev
)
test_packages=(doctest-dev librapidcheck-dev)
fuzz_packages=(clang-19 libclang-rt-19-dev)

say() { printf '\n== %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Prints those of the given packages that are not installed.
missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qxF "installed $package" <<<"$installed" || printf '%s\n' "$package"
  done
}

# Installs those of the given packages that are missing. Needs no network, no root and no sudo when there are none.
require_packages() {
  local missing as_root=()
  if ! command -v dpkg-query >/dev/null; then
    printf 'Not a Debian system: what the build needs is listed in docs/dependencies.md.\n' >&2
    return
  fi
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  say "Installing ${missing[*]}"
  if [[ $EUID -ne 0 ]]; then
    command -v sudo >/dev/null ||
      fail "not root, and there is no sudo. As root, run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
  "${apt[@]}" update || fail "apt-get cannot read the package lists: is the network up?"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" || fail "apt-get cannot install ${missing[*]}"
}

# Configures the build directory $1 with the given options, unless it is configured already.
configure() {
  local directory=$1
  shift
  # Meson finds ccache by itself; one that has nowhere to write would fail each compilation.
  mkdir -p "${CCACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/ccache}" 2>/dev/null ||
    export CCACHE_DISABLE=1
  [[ -f $directory/build.ninja ]] || meson setup "$directory" "$root" "$@"
}
