#!/usr/bin/env bash
# Runs every fuzz target for the given time (5s) or number of inputs (1000x), and says at the end which failed.
set -euo pipefail

fuzztime=${1:-5s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# go test -list prints the names, then the package they are in.
if ! listing=$(go test -list '^Fuzz' ./...); then
  echo "$listing"
  exit 1
fi
mapfile -t targets < <(awk '/^Fuzz/ {names[n++] = $1} /^ok/ {for (i = 0; i < n; i++) print $2 " " names[i]; n = 0}' <<<"$listing")
if [ ${#targets[@]} -eq 0 ]; then
  echo "There is no fuzz target."
  exit 1
fi

fuzz() {
  go test -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" "$1" >"$log" 2>&1
}

# Go sometimes takes the end of the fuzzing time itself for a failure; it has then found no input.
only_ran_out() {
  grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written' "$log"
}

failed=()
for target in "${targets[@]}"; do
  read -r package name <<<"$target"
  if fuzz "$package" "$name" || { only_ran_out && fuzz "$package" "$name"; }; then
    echo "ok    $package $name: $(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
  else
    echo "FAIL  $package $name"
    cat "$log"
    failed+=("$package $name")
  fi
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'Fuzzing failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "Fuzzed ${#targets[@]} targets for $fuzztime each."
