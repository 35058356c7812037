#!/usr/bin/env bash
# Builds the S3 servers that the s3 storage driver is tested against, from Go modules by name, under .tools/s3-backend/.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=e2e/goBuild.sh
source e2e/goBuild.sh

# name, command
readonly SERVERS=(
  'versitygw github.com/versity/versitygw/cmd/versitygw'
  'minio github.com/minio/minio'
)

for server in "${SERVERS[@]}"; do
  read -r name command <<<"$server"
  build_go "$PWD/e2e/s3-backend/go" "$PWD/.tools/s3-backend" "$name" "$command"
done
