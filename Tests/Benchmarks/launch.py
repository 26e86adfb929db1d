#!/usr/bin/env python3
"""How long raft-tui takes from its start to its first painted screen, and to its first leader.

usage: launch.py [RUNS [COLUMNS ROWS]]

Starts the release binary in a pseudo-terminal, reads what it writes, and prints minimum, median and maximum in
milliseconds. The clock runs at rate 1 with the dashboard's usual latency; each run has its own seed.
"""
import os, re, select, statistics, sys, time

import dashboard

runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
columns, rows = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (120, 40)


def measure(seed):
    start = time.monotonic()
    child, terminal = dashboard.start(columns, rows, "--speed", "1", "--seed", str(seed))
    seen, painted, leader = b"", None, None
    while leader is None and time.monotonic() - start < 5:
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 65536)
            if painted is None and b"raft-tui" in seen and b"help" in seen:
                painted = time.monotonic() - start
            if re.search(rb"leader n[0-9]", seen):
                leader = time.monotonic() - start
    dashboard.stop(child, terminal)
    return painted * 1000, leader * 1000


results = [measure(seed) for seed in range(1, runs + 1)]
for name, figures in zip(("first screen", "first leader"), zip(*results)):
    print(f"{name}: min {min(figures):.1f} ms, median {statistics.median(figures):.1f} ms, max {max(figures):.1f} ms")
