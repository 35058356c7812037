#!/usr/bin/env bash
# Gets what speaks to a container registry: clients, the conformance suite, and other registries to compare with. Programs of Debian
# are installed; the others are built from Go modules by name, smallest first, under .tools/registry/. `check` only looks whether all
# are there, in the versions that are pinned.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=e2e/goBuild.sh
source e2e/goBuild.sh

readonly MODULES="$PWD/e2e/registry/go"
readonly TARGET="$PWD/.tools/registry"

# name, command
readonly PROGRAMS=(
  'conformance github.com/opencontainers/distribution-spec/conformance'
  'crane github.com/google/go-containerregistry/cmd/crane'
  'regctl github.com/regclient/regclient/cmd/regctl'
  'oras oras.land/oras/cmd/oras'
  'registry github.com/distribution/distribution/v3/cmd/registry'
  'helm3 helm.sh/helm/v3/cmd/helm'
  'helm4 helm.sh/helm/v4/cmd/helm'
  'buildctl github.com/moby/buildkit/cmd/buildctl'
  'buildkitd github.com/moby/buildkit/cmd/buildkitd'
  'cosign3 github.com/sigstore/cosign/v3/cmd/cosign'
  'cosign2 github.com/sigstore/cosign/v2/cmd/cosign'
)

readonly DEBIAN_PROGRAMS=(skopeo podman buildah docker-registry containerd ctr runc gpg)

missing_programs() {
  local program name
  for program in "${PROGRAMS[@]}"; do
    read -r name _ <<<"$program"
    is_built "$MODULES" "$TARGET" "$name" || echo "$name"
  done
  for name in "${DEBIAN_PROGRAMS[@]}"; do
    [ -x "/usr/bin/$name" ] || [ -x "/usr/sbin/$name" ] || echo "$name"
  done
}

case "${1:-install}" in
  install)
    ./e2e/install.sh registry
    for program in "${PROGRAMS[@]}"; do
      read -r name command <<<"$program"
      build_go "$MODULES" "$TARGET" "$name" "$command"
    done
    ;;
  check)
    mapfile -t missing < <(missing_programs)
    [ "${#missing[@]}" -eq 0 ] || fail "not there, or not in the version that is pinned: ${missing[*]}. Run make e2e-tools first."
    ;;
  *) echo "usage: $0 [install|check]" >&2; exit 2 ;;
esac
