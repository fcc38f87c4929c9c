#!/bin/sh
# Proves by a system-call trace that an event is on disk before its 200 is written.
# usage: tests/durable_before_ok.sh [PATH OF THE BINARY]     needs: strace, curl
# Every file of the data directory that is written between the arrival of the request and the write of "HTTP/1.1 200"
# must have an fdatasync (or fsync) that returned 0 between its last write and the 200; the journal must be among them.
set -eu
binary=${1:-target/debug/squelch}
dir=$(mktemp -d)
pid=
trap 'test -z "$pid" || kill "$pid" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT

mkdir "$dir/rules"
printf 'store: {min_free: 1MiB}\n' >"$dir/squelch.yaml"
strace -f -y -ttt -s 200 -o "$dir/trace" \
    -e trace=fdatasync,fsync,sync_file_range,write,pwrite64,writev,sendto,sendmsg,recvfrom,read \
    sh -c 'echo $$ >"$0"; exec "$@"' "$dir/pid" "$binary" serve --config "$dir/squelch.yaml" --rules "$dir/rules" --data-dir "$dir/data" --listen 127.0.0.1:0 \
    >"$dir/out" 2>"$dir/log" &
tracer=$!
tries=0
until grep -q 'listens on' "$dir/out"; do
    tries=$((tries + 1))
    if [ $tries -gt 300 ] || ! kill -0 "$tracer" 2>/dev/null; then
        echo "it did not start:" >&2
        cat "$dir/out" "$dir/log" >&2
        exit 1
    fi
    sleep 0.1
done
pid=$(cat "$dir/pid")
url=$(sed -n 's/.*listens on \(http[^ ]*\).*/\1/p' "$dir/out")
curl -fsS "$url/api/v1/events" -H 'Content-Type: application/json' -d '{"source":"proof","check":"durable"}' >"$dir/answer"
kill "$pid"
wait "$tracer" || true
pid=

# strace splits a call that others interrupt in two lines; the call counts from where it is resumed.
awk '
    function file() { match($0, /<[^>]*>/); return substr($0, RSTART + 1, RLENGTH - 2) }
    /POST \/api\/v1\/events/ && !asked { asked = NR }
    !asked { next }
    /(pwrite64|write|writev)\(/ && /<[^>]*\/data\// { written[file()] = NR }
    /(fdatasync|fsync)\(/ && /unfinished/ { pending[$1] = file() }
    /(fdatasync|fsync)\(/ && /= 0$/ { synced[file()] = NR }
    /(fdatasync|fsync) resumed/ && /= 0$/ { synced[pending[$1]] = NR }
    /HTTP\/1.1 200/ { answered = NR; exit }
    END {
        if (!asked || !answered) { print "the request or its 200 is not in the trace"; exit 1 }
        for (name in written) {
            if (synced[name] < written[name]) { print name " was written and not synced before the 200"; bad = 1 }
            else print "line " written[name] ": last write, line " synced[name] ": synced, line " answered ": 200  " name
            if (name ~ /\/sled\/db$/) journal = 1
        }
        if (!journal) { print "the journal was not written before the 200"; bad = 1 }
        exit bad
    }' "$dir/trace"
