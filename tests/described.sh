#!/usr/bin/env bash
# Whatever schemathesis makes of /openapi.json, against the real binary: no status of the 500s, and no answer that is not
# described. At most a minute; the seed is fixed.
# usage: tests/described.sh SQUELCH ST
set -euo pipefail
squelch=$(realpath "$1") st=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
home=$(mktemp -d)
trap 'kill "$life" 2>/dev/null || true; wait "$life" 2>/dev/null || true; rm -rf "$home"' EXIT
mkdir "$home/rules"
printf 'store: {min_free: 1MiB}\nlimits: {per_source: 1000000 events/s}\n' >"$home/squelch.yaml"
"$squelch" serve --listen 127.0.0.1:0 --config "$home/squelch.yaml" --rules "$home/rules" --data-dir "$home/data" \
    >"$home/out" 2>"$home/log" &
life=$!
for _ in $(seq 100); do
    url=$(sed -n 's/.*\(http:\/\/[0-9.:]*\).*/\1/p' "$home/out" | head -1)
    [ -n "$url" ] && break
    sleep 0.1
done
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance
hooks=$(cd "$(dirname "$0")" && pwd)
cd "$home"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$hooks SCHEMATHESIS_HOOKS=described "$st" run "$url/openapi.json" --checks "$checks" --phases examples,coverage,fuzzing --max-examples 20 --max-time 45 --seed 7 \
    --suppress-health-check all --no-shrink --no-color --warnings off --generation-database none
