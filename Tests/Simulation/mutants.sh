#!/usr/bin/env bash
# Whether the simulator would notice: with any rule switched off, or a disk that lies, it finds a broken property within
# the seeds, and with all rules kept it finds none in the same seeds. Prints the README's table.
#
# usage: mutants.sh [PROGRAM [SEEDS]]
set -euo pipefail
program=${1:-.build/release/raft-tui}
seeds=${2:-1...150}
status=0

row() { # NAME OPTION...
    local name=$1 found
    shift
    if found=$("$program" simulate --seeds "$seeds" "$@"); then
        echo "NOT FOUND: nothing is broken without $name in seeds $seeds" >&2
        status=1
    else
        sed -n 's/^seed \([0-9]*\): \(n[0-9]*[^:]*\|[a-z-]*\)\(:\| \).*/\1 \2/p' <<<"$found" | head -n 1 |
            { read -r seed property; echo "| \`$name\` | $property | $seed |"; }
    fi
}

echo "| without | broken | seeds needed |"
echo "| --- | --- | --- |"
for rule in $("$program" rules | cut -d ' ' -f 1); do row "$rule" --without "$rule"; done
for fault in lying-sync forgotten-vote; do row "$fault" --sabotage "$fault"; done
"$program" simulate --seeds "$seeds" || status=1
exit $status
