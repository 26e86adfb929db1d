#!/usr/bin/env bash
# Takes the README's pictures: the dashboard in tmux, with keys pressed, kept by its own :screenshot command.
#
# usage: take.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
program="$PWD/.build/release/raft-tui"
session="raft-tui-screenshots-$$"
trap 'tmux kill-session -t "$session" 2>/dev/null || true' EXIT

rm -f assets/*.svg

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

# Why there is a leader: back to who killed the one before.
type_line 'thaw'
type_line 'speed 1'
tmux send-keys -t "$session" Escape
tmux send-keys -t "$session" / && tmux send-keys -t "$session" -l 'leads term' && tmux send-keys -t "$session" Enter
tmux send-keys -t "$session" e
wait_for 'because'
tmux send-keys -t "$session" :
tmux send-keys -t "$session" -l "screenshot $PWD/assets/why.svg" && tmux send-keys -t "$session" Enter
wait_for 'is kept in'

# A question of a lesson, before its answer: Figure 8 of the paper.
tmux kill-session -t "$session"
XDG_STATE_HOME=$(mktemp -d) tmux -u new-session -d -s "$session" -x 120 -y 40 "$program" lesson figure-8 --speed 1
until tmux capture-pane -p -t "$session" | grep -q 'Is it committed'; do
    wait_for 'Page Down'
    tmux capture-pane -p -t "$session" | grep -q '… ' || tmux send-keys -t "$session" PageDown
    sleep 0.3
done
tmux send-keys -t "$session" 1
type_line "screenshot $PWD/assets/lesson.svg"
wait_for 'is kept in'
