#!/usr/bin/env python3
"""How long writes stay away when the leader is killed: from the kill to the next write that succeeds.

usage: failover.py [RUNS]

Plays a script on five real nodes at rate 1 with the release binary, each run with its own seed, and reads the moments
in its trace. Prints minimum, median and maximum in milliseconds. Election timeouts are 150 to 300 ms.
"""
import json, os, statistics, subprocess, sys, tempfile

runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
binary = os.path.join(os.path.dirname(__file__), "../../.build/release/raft-tui")
script = "wait leader\nset before 1\nkill leader\nset after 1\nget after\n"


def measure(seed):
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as trace:
        command = [binary, "run", "-", "--seed", str(seed), "--trace", trace.name]
        subprocess.run(command, input=script, text=True, check=True, stdout=subprocess.DEVNULL)
        events = [json.loads(line) for line in open(trace.name)]
    killed = next(event["at"] for event in events if event.get("text") == "kill leader")
    returned = [event for event in events if event["event"] == "client-return"]
    assert [event["result"] for event in returned] == ["ok", "ok", "ok"] and returned[2]["value"] == "1", returned
    return (returned[1]["at"] - killed) / 1e6


figures = [measure(seed) for seed in range(1, runs + 1)]
print(
    f"next write after a kill: min {min(figures):.1f} ms, median {statistics.median(figures):.1f} ms, "
    f"max {max(figures):.1f} ms")
