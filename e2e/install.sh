#!/usr/bin/env bash
# Installs the client tools that the end-to-end tests (`clients`, and those of Debian that speak to a registry: `registry`) and the
# benchmarks (`bench`) use. Does nothing where they are.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=.tools/venv
readonly PYTHON_PACKAGES=(awscli==1.45.64 boto3==1.43.64)
readonly VENV_STAMP="$VENV/.installed"

# Installs Debian packages whose program is not there yet: program=package …
install_debian() {
  local missing=() pair
  for pair in "$@"; do
    [ -x "/usr/bin/${pair%%=*}" ] || [ -x "/usr/sbin/${pair%%=*}" ] || missing+=("${pair#*=}")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  command -v apt-get >/dev/null || { echo "install: please install: ${missing[*]}" >&2; exit 1; }
  local root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  echo "install: ${missing[*]}"
  "${root[@]}" apt-get update -qq
  # A package that brings a service must not start it here.
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

install_python() {
  [ "$(cat "$VENV_STAMP" 2>/dev/null)" = "${PYTHON_PACKAGES[*]}" ] && return
  echo "install: ${PYTHON_PACKAGES[*]}"
  rm -rf "$VENV"
  python3 -m venv "$VENV" 2>/dev/null || { install_debian ensurepip=python3-venv; rm -rf "$VENV"; python3 -m venv "$VENV"; }
  "$VENV/bin/pip" install --quiet --disable-pip-version-check "${PYTHON_PACKAGES[@]}"
  printf '%s' "${PYTHON_PACKAGES[*]}" >"$VENV_STAMP"
}

case "${1:-clients}" in
  clients)
    install_debian curl=curl rclone=rclone s3cmd=s3cmd aws=awscli python3=python3 strace=strace faketime=faketime mkfs.ext4=e2fsprogs
    install_python
    ;;
  bench) install_debian curl=curl nginx=nginx-light openssl=openssl python3=python3 wrk=wrk ;;
  registry)
    install_debian skopeo=skopeo podman=podman buildah=buildah docker-registry=docker-registry ctr=containerd runc=runc gpg=gnupg
    ;;
  *) echo "usage: $0 [clients|registry|bench]" >&2; exit 2 ;;
esac
