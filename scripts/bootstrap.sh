#!/usr/bin/env bash
# Sets up what `make` needs, once: the pinned Node under .tools/, then the locked modules under node_modules/.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly NODE_VERSION=24.21.0
readonly OLDEST_NODE=20
readonly NODE_DIR=.tools/node24
readonly NODE_STAMP="$NODE_DIR/.installed-$NODE_VERSION"
readonly MODULES_STAMP=node_modules/.installed

fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

require_node() {
  command -v node >/dev/null || fail "no 'node' found. Install Node.js $OLDEST_NODE or newer with npm, then run make again."
  command -v npm >/dev/null || fail "no 'npm' found. Install npm (it comes with Node.js; on Debian: apt install npm), then run make again."
  local major
  major="$(node -p 'process.versions.node.split(".")[0]')"
  [ "$major" -ge "$OLDEST_NODE" ] || fail "Node.js $(node -v) is too old. Install Node.js $OLDEST_NODE or newer, then run make again."
}

# npm's `node` package carries the runtime of this machine's architecture; its install script puts it in place.
install_node() {
  [ -e "$NODE_STAMP" ] && return
  require_node
  echo "setup: installing Node.js $NODE_VERSION under $NODE_DIR"
  mkdir -p "$NODE_DIR"
  npm install --prefix "$NODE_DIR" --no-fund --no-audit --loglevel=error --save-exact --ignore-scripts=false "node@$NODE_VERSION"
  local installed
  installed="$("$NODE_DIR/node_modules/node/bin/node" -v)" || fail "the Node.js that npm installed under $NODE_DIR does not start."
  [ "$installed" = "v$NODE_VERSION" ] || fail "npm installed Node.js $installed under $NODE_DIR, not v$NODE_VERSION."
  touch "$NODE_STAMP"
}

install_modules() {
  local locked
  locked="$(cat package-lock.json package.json ./*/package.json | sha256sum) $NODE_VERSION"
  [ "$(cat "$MODULES_STAMP" 2>/dev/null)" = "$locked" ] && return
  command -v npm >/dev/null || require_node
  echo 'setup: installing the locked modules'
  npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
  node -e 'new (require("better-sqlite3"))(":memory:").close()' ||
    fail 'better-sqlite3 does not load: it ships no prebuilt binary for this machine.'
  printf '%s\n' "$locked" >"$MODULES_STAMP"
}

# Two makes at once wait for each other.
mkdir -p .tools
if command -v flock >/dev/null; then
  exec 9>.tools/.lock
  flock 9
fi
install_node
PATH="$PWD/$NODE_DIR/node_modules/node/bin:$PATH"
install_modules
