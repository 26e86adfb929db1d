#!/usr/bin/env bash
# Takes the README's pictures: the dashboard in tmux, with keys pressed, kept by its own :screenshot command.
#
# usage: take.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
program="$PWD/.build/release/raft-tui"
session="raft-tui-screenshots-$$"
trap 'tmux kill-session -t "$session" 2>/dev/null || true' EXIT

wait_for() {
    for _ in $(seq 200); do
        if tmux capture-pane -p -t "$session" | grep -q -- "$1"; then return; fi
        sleep 0.05
    done
    echo "the screen never showed '$1'" >&2
    exit 1
}

open_dashboard() { # COLUMNS ROWS [OPTION...]
    local columns=$1 rows=$2
    shift 2
    tmux kill-session -t "$session" 2>/dev/null || true
    XDG_STATE_HOME=$(mktemp -d) tmux -u new-session -d -s "$session" -x "$columns" -y "$rows" "$program" "$@"
    wait_for 'leader n'
}

type_line() {
    tmux send-keys -t "$session" : && tmux send-keys -t "$session" -l "$1" && tmux send-keys -t "$session" Enter
}

# Five nodes, an hour's lesson in three seconds: the first leader is down, the second has a write on its way.
open_dashboard 120 40 --seed 4 --speed 1
for line in 'set capital Reykjavik' 'incr visits' 'set x 1' 'kill leader'; do
    type_line "$line"
    sleep 0.25
done
wait_for 'leader n'
for line in 'set x 2' 'cut 1>2' 'incr visits'; do
    type_line "$line"
    sleep 0.25
done
type_line 'speed 1/100'
type_line 'set x 3'
sleep 1.5
type_line 'freeze'
wait_for FROZEN
type_line "screenshot $PWD/assets/dashboard.svg"
wait_for 'is kept in'
