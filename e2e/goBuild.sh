# shellcheck shell=bash
# For the scripts that build programs from Go modules by name; they source this file in the root of the checkout.

readonly OLDEST_GO=1.26

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

require_go() {
  command -v go >/dev/null || fail "no 'go' found. Install Go $OLDEST_GO or newer, then run make again."
}

# Stands for all the versions that a module's own files pin: stamp_of MODULES TARGET NAME.
stamp_of() {
  echo "$2/.$3-$(cat "$1/$3/go.mod" "$1/$3/go.sum" | sha256sum | cut -c1-16)"
}

# Whether TARGET/NAME is there, built with the versions that MODULES/NAME/go.mod pins: is_built MODULES TARGET NAME.
is_built() {
  [ -e "$(stamp_of "$@")" ] && [ -x "$2/$3" ]
}

# build_go MODULES TARGET NAME COMMAND: builds COMMAND as TARGET/NAME with the versions that MODULES/NAME/go.mod pins. Does nothing
# where that was done before. A build that broke off goes on where it was: Go keeps what it has got and compiled.
build_go() {
  local modules="$1" target="$2" name="$3" command="$4" begin=$SECONDS
  is_built "$modules" "$target" "$name" && return
  require_go
  echo "install: building $name$(pinned_version "$modules/$name" "$command") (some minutes, once)"
  mkdir -p "$target"
  (cd "$modules/$name" && CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags '-s -w' -o "$target/$name.new" "$command") ||
    fail "$name could not be built. What is done is kept: see to what is said above, then run the same make again."
  rm -f "$target/.$name"-*
  mv "$target/$name.new" "$target/$name"
  touch "$(stamp_of "$modules" "$target" "$name")"
  echo "install: built $name in $((SECONDS - begin)) s, $(($(stat -c %s "$target/$name") / 1048576)) MiB"
}

# The version that a module's go.mod requires of the module with the command.
pinned_version() {
  local required version
  while read -r _ required version _; do
    case "$2/" in "$required"/*) echo " $version" && return ;; esac
  done < <(grep -E '^require [^(]' "$1/go.mod")
}
