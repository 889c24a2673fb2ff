#!/usr/bin/env bash
# Installs the programs that some tests compare with. Without root, or where there is no apt-get, it only says which are missing: the
# tests that need them are then skipped.
set -euo pipefail

# program:Debian package
needed=(sipp:sip-tester turnserver:coturn sox:sox)

missing() {
  local entry
  for entry in "${needed[@]}"; do
    command -v "${entry%%:*}" >/dev/null || echo "${entry##*:}"
  done
}

mapfile -t packages < <(missing)
[ ${#packages[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Not installed, so tests that need them are skipped: ${packages[*]} (Debian packages)"
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! apt-get -qq update >"$log" 2>&1; then
  echo "apt-get update failed:"
  tail -n 5 "$log"
fi
for package in "${packages[@]}"; do
  if apt-get -qq install -y --no-install-recommends "$package" >"$log" 2>&1; then
    echo "Installed $package"
  else
    echo "Could not install $package:"
    tail -n 5 "$log"
  fi
done

mapfile -t packages < <(missing)
if [ ${#packages[@]} -gt 0 ]; then
  echo "Still not installed, so tests that need them are skipped: ${packages[*]}"
fi
