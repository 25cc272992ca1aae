#!/usr/bin/env bash
# Measures every recipe on the shipped model and, where the data folder is there, on stories260k; rewrites docs/catalogue.md.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
data=${ESPALIER_DATA:-$root/../shared/data}
subjects=()
for model in "$root"/models/*/; do
    subjects+=("$(basename "$model")" "$model" "$model/calibration.txt" "$model/held-out.txt")
done
if [ -d "$data/lm-stories260k" ]; then
    texts=$(mktemp -d)
    trap 'rm -rf "$texts"' EXIT
    head -c 60000 "$data/text-tinystories/sample.txt" >"$texts/held-out.txt"
    tail -c 100000 "$data/text-tinystories/sample.txt" >"$texts/calibration.txt"
    subjects+=(stories260k "$data/lm-stories260k" "$texts/calibration.txt" "$texts/held-out.txt")
fi
"$root/bench/run" Catalogue "$root/docs/catalogue.md" "${subjects[@]}"
