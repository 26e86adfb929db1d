#!/usr/bin/env bash
# What three nodes in processes of their own do, with the commands that anybody can type: a write at one node, a read at
# another, the leader killed, and everything still there. Expects that `make cluster` has started them.
set -euo pipefail
cd "$(dirname "$0")/../.."

run=.run
bold='' plain=''
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# Shows a command as it can be typed, and does it.
try() {
    local word words=()
    for word in "$@"; do
        case $word in *[!A-Za-z0-9_./:=,-]*) words+=("'$word'") ;; *) words+=("$word") ;; esac
    done
    printf '$ %s\n' "${words[*]}"
    "$@"
}
fail() { echo "the demo stops: $*" >&2; exit 1; }
milliseconds() { date +%s%3N; }

# The number of the node that leads, as any node that answers says.
leader() {
    local id number
    for id in 1 2 3; do
        number=$(curl -s -m 1 "http://127.0.0.1:900$id/status" | sed -n 's/.*"leader": *\([0-9]\).*/\1/p') || continue
        [ -z "$number" ] || { echo "$number"; return; }
    done
}

say "A key is set at node 2, whoever leads, and read at node 3."
try curl -sf -X POST -d '{"key":"demo","value":"world"}' http://127.0.0.1:9002/set || fail "node 2 took no write: make logs says why"
try curl -sf 'http://127.0.0.1:9003/get?key=demo'

old=$(leader)
[ -n "$old" ] || fail "nobody leads: make status says who is there"
say "Node $old leads. Its process is killed, without a warning."
try kill -9 "$(cat "$run/node-$old.pid")"
killed=$(milliseconds)
other=$((old % 3 + 1))
say "Node $other is asked, and answers as soon as there is a new leader."
try curl -sf -m 10 "http://127.0.0.1:$((9000 + other))/get?key=demo" || fail "there was no answer within ten seconds"
echo "($(($(milliseconds) - killed)) ms after the kill)"
new=$(leader)
[ "$new" != "$old" ] || fail "node $old still leads, though it is gone"
say "Node $new leads now, and takes writes while node $old is away."
try curl -sf -X POST -d '{"key":"while","value":"away"}' "http://127.0.0.1:$((9000 + other))/set"

say "Node $old starts again, from its disk, and is told what it missed."
try make --no-print-directory cluster
for _ in $(seq 100); do
    missed=$(curl -s -m 1 "http://127.0.0.1:900$old/get?key=while&read=local") && [ "$missed" = away ] && break
    sleep 0.1
done
try curl -sf "http://127.0.0.1:900$old/get?key=while&read=local" || fail "node $old doesn't have what it missed"

say "The keys are taken away again."
try curl -sf 'http://127.0.0.1:9001/del?key=demo'
try curl -sf 'http://127.0.0.1:9001/del?key=while'
try curl -s 'http://127.0.0.1:9002/get?key=demo'
say "make status shows the nodes, make stop ends them."
