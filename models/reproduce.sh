#!/usr/bin/env bash
# Trains hedgerow-3m again, or goes on where it was stopped: models/reproduce.sh DIR
set -eu
[ $# -eq 1 ] || { echo "usage: $0 DIR (a folder to make)" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
exec "$root/espalier" train --out "$1" --name hedgerow-3m \
    --vocabulary 1024 --hidden 256 --intermediate 512 --blocks 5 --heads 4 --kv-heads 2 --context 512 \
    --story-seed 20261125 --stories 34000 --batch 4 --steps 3600 --learning-rate 2e-3 --warm-up 150 --seed 1
