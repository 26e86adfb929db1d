#!/usr/bin/env python3
"""What the dashboard costs while nobody touches it: share of a core, bytes to the terminal, memory.

usage: idle.py [SECONDS [COLUMNS ROWS]]

Starts the release binary in a pseudo-terminal as a user does (five nodes, live at 1/10), watches it, freezes it with
the space key, and watches again.
"""
import os, select, sys, time

import dashboard

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10
columns, rows = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (120, 40)

child, terminal = dashboard.start(columns, rows)


def read_for(length):
    count, end = 0, time.monotonic() + length
    while (rest := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], rest)[0]:
            count += len(os.read(terminal, 65536))
    return count


def cpu():
    fields = open(f"/proc/{child}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch(name):
    before = cpu()
    count = read_for(seconds)
    print(f"{name}: {100 * (cpu() - before) / seconds:.2f} % of a core, {count / seconds:.0f} bytes/s")


read_for(3)
watch("live at 1/10")
os.write(terminal, b" ")
read_for(1)
watch("frozen")
memory = next(line for line in open(f"/proc/{child}/status") if line.startswith("VmRSS"))
print(f"memory: {int(memory.split()[1]) / 1024:.1f} MB resident")
dashboard.stop(child, terminal)
