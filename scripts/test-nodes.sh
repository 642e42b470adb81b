#!/usr/bin/env bash
# Runs a pipeline written in TypeScript on each supported Node, taken from npm.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
for major in 20 22 24; do
  printf 'Node %s: ' "$major"
  npx --yes --loglevel=error -p "node@$major" node -e 'process.stdout.write(process.version + "\n")'
  (cd "$(mktemp -d)" && npx --yes --loglevel=error -p "node@$major" node "$OLDPWD/dist/cli.js" run "$OLDPWD/pipelines/describe-file.ts")
done
