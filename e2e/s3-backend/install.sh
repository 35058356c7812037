#!/usr/bin/env bash
# Builds the S3 servers that the s3 storage driver is tested against, from Go modules by name, under .tools/s3-backend/.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly TARGET="$PWD/.tools/s3-backend"
readonly OLDEST_GO=1.25

# name, command
readonly SERVERS=(
  'versitygw github.com/versity/versitygw/cmd/versitygw'
  'minio github.com/minio/minio'
)

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

command -v go >/dev/null || fail "no 'go' found. Install Go $OLDEST_GO or newer, then run make again."

for server in "${SERVERS[@]}"; do
  read -r name command <<<"$server"
  stamp="$TARGET/.$name-$(cat "e2e/s3-backend/go/$name/go.mod" "e2e/s3-backend/go/$name/go.sum" | sha256sum | cut -c1-16)"
  [ -e "$stamp" ] && [ -x "$TARGET/$name" ] && continue
  echo "install: building $name (some minutes, once)"
  mkdir -p "$TARGET"
  (cd "e2e/s3-backend/go/$name" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$TARGET/$name" "$command")
  touch "$stamp"
done
