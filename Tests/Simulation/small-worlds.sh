#!/usr/bin/env bash
# Whether every way that a small cluster can go is safe, and whether it would be noticed if one was not: with a rule
# switched off, the walk finds a broken property. Prints a table of what was found, after how many states, and in how
# many steps.
#
# usage: small-worlds.sh [PROGRAM]
set -euo pipefail
program=${1:-.build/release/raft-tui}
status=0

row() { # RULE OPTION...
    local rule=$1 found result=0
    shift
    found=$("$program" explore --without "$rule" "$@") || result=$?
    if [ "$result" -ne 1 ]; then
        echo "NOT FOUND: nothing is broken without $rule in explore $*" >&2
        status=1
        return
    fi
    local property states steps
    steps=$(sed -n 's/^ *\([0-9]*\)\. n.*/\1/p' <<<"$found" | tail -n 1)
    property=$(sed -n 's/^\([a-z-]*\): .*/\1/p' <<<"$found" | tail -n 1)
    states=$(sed -n 's/^\([0-9,]*\) states, .*/\1/p' <<<"$found")
    echo "| \`$rule\` | $property | $states | $steps |"
}

safe() { # OPTION...
    "$program" explore "$@" || status=1
}

echo "| without | broken | states | steps |"
echo "| --- | --- | --- | --- |"
for rule in stepDownOnLaterTerm refuseEarlierTerm majorityElects voteOncePerTerm electionRestriction logMatching \
    truncateOnlyOnConflict majorityCommits commitOnlyProven; do
    row "$rule"
done
row persistBeforeReply --disk-steps
row oneChangeAtATime --commands 1 --crashes 0 --changes 2
safe --commands 2 --crashes 0
safe --commands 1 --crashes 1
safe --commands 1 --crashes 0 --noop
safe --commands 0 --crashes 1 --disk-steps
safe --nodes 2 --terms 3
safe --commands 1 --crashes 0 --snapshots 1
safe --commands 0 --crashes 1 --changes 1
exit $status
