#!/usr/bin/env python3
"""How raft-tui does beside other Rafts, on this machine, in turn.

usage: peers.py [--seconds 5] [--rounds 1] [--json FILE] [--raft-tui FILE] [--go-cluster DIR]

What an option doesn't say is taken from SECONDS, ROUNDS, JSON, RAFT_TUI and GO_CLUSTER in the environment.

Durable: three servers on 127.0.0.1 with `raft-tui bench`, hashicorp/raft with BoltDB, and three processes of etcd over
gRPC; in memory: `raft-tui bench --memory` and hashicorp/raft with its own store. Clients wait for one write before the
next; a write is a short key and a value of 64 bytes. Over HTTP: three processes of `raft-tui node`, and of the teaching
cluster amaanx86/raft-implementation, which keeps nothing on disk. GO_CLUSTER is a checkout of that; without one its row
is left out. `make setup-peers` installs the others.

Each figure is measured on a fresh cluster, with nobody else's in between but those it is compared with. Of several
rounds the best counts, for everybody: what else a machine does makes a program slower, never faster. Beside them stands
what the machine itself takes for a write to three disks that two have synced (Peers/floor.c).
"""
import argparse, collections, contextlib, json, os, shutil, signal, socket, subprocess, sys, tempfile, time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../.."))
BUILT = os.path.join(ROOT, ".build/peers")
VALUE_SIZE = 64
OURS, HASHICORP, ETCD, GO, FLOOR = "raft-tui", "hashicorp/raft", "etcd", "Go teaching cluster", "bare wire and disks"
# A run that takes so much longer than it measures is stuck.
PATIENCE = 60


class Missing(Exception):
    """Something can't be measured: what, where, what to do."""


# What is compared

def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    set_to = os.environ.get
    parser.add_argument("--seconds", type=int, default=set_to("SECONDS") or 5)
    parser.add_argument("--rounds", type=int, default=set_to("ROUNDS") or 1)
    parser.add_argument("--json", default=set_to("JSON"))
    parser.add_argument("--raft-tui", default=set_to("RAFT_TUI") or os.path.join(ROOT, ".build/release/raft-tui"))
    parser.add_argument("--go-cluster", default=set_to("GO_CLUSTER"))
    return parser.parse_args()


def round_of_runs():
    """What is run in a round, in order: section, who, servers, clients."""
    for clients in (1, 16, 64, 256):
        for who in (OURS, HASHICORP, ETCD, FLOOR):
            yield "durable", who, 3, clients
    yield "durable", OURS, 3, 1024
    yield "durable", OURS, 5, 256
    for clients in (1, 64, 256):
        for who in (OURS, HASHICORP):
            yield "memory", who, 3, clients
    for clients in (1, 16, 64):
        for who in (OURS, GO):
            yield "http", who, 3, clients


def rate(figures):
    return figures["ops_per_second"]


def p50(figures):
    return figures["latency_us"]["p50"]


def targets():
    """What is asked of raft-tui: what, two runs, which of their figures is divided, and the most or least it may be."""
    def ours(section, clients, nodes=3): return section, OURS, nodes, clients
    def theirs(section, who, clients): return section, who, 3, clients
    yield (
        "durable, 1 client: p50 to hashicorp/raft's",
        ours("durable", 1), theirs("durable", HASHICORP, 1), p50, "most", 1 / 3)
    yield (
        "durable, 256 clients: writes to hashicorp/raft's",
        ours("durable", 256), theirs("durable", HASHICORP, 256), rate, "least", 10)
    yield (
        "in memory, 256 clients: writes to hashicorp/raft's",
        ours("memory", 256), theirs("memory", HASHICORP, 256), rate, "least", 5)
    for clients in (16, 64):
        yield (
            f"HTTP, {clients} clients: writes to the Go teaching cluster's",
            ours("http", clients), theirs("http", GO, clients), rate, "least", 1)
    yield (
        "durable, 256 clients: writes of 5 nodes to those of 3",
        ours("durable", 256, nodes=5), ours("durable", 256), rate, "least", 0.6)
    yield (
        "durable: writes of 1,024 clients to those of 64",
        ours("durable", 1024), ours("durable", 64), rate, "least", 1)


# How each is run

def run(command):
    """Runs a program that prints JSON until it ends or is stuck."""
    name, patience = os.path.basename(command[0]), said.seconds * 4 + PATIENCE
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        output, errors = process.communicate(timeout=patience)
    except BaseException as error:
        # With everything that it has started.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Missing(f"{name} was stuck, it did not end within {patience} s: {' '.join(command)}")
        raise
    if process.returncode != 0:
        raise Missing(f"{' '.join([name, *command[1:2]])} ended with status {process.returncode}: {why(errors)}")
    try:
        return json.loads(output)
    except ValueError:
        raise Missing(f"{name} printed no JSON, but {output[:60]!r}")


def why(errors):
    """What a program has said of its end."""
    lines = errors.strip().splitlines() or ["it said nothing"]
    # Where arguments are refused, usage comes after the error; elsewhere the error is the last thing that is said.
    return next((line for line in lines if line.startswith("Error: ")), lines[-1])


def closed_loop(program, nodes, clients, data, *more):
    return run(program + [
        "--nodes", str(nodes), "--clients", str(clients), "--seconds", str(said.seconds),
        "--value-size", str(VALUE_SIZE), "--data-dir", data, *more])[0]


def measure(section, who, nodes, clients, data):
    if section == "http":
        start = our_servers if who == OURS else go_servers
        with servers(start, nodes, data) as port:
            return run([built("http-load"), str(port), str(clients), str(said.seconds), str(VALUE_SIZE)])[0]
    if who == FLOOR:
        # One second tells it, and the disk is asked twice besides.
        floor = run([built("floor"), data, "1", str(clients)])
        return dict(floor["majority"][0], fdatasync_us=floor["fdatasync_us"]["p50"])
    program = [ours(), "bench", "--json"] if who == OURS else [built({HASHICORP: "hashicorp", ETCD: "etcd"}[who])]
    return closed_loop(program, nodes, clients, data, *(["--memory"] if section == "memory" else []))


def ours():
    if not os.access(said.raft_tui, os.X_OK):
        raise Missing(f"{said.raft_tui} is not there: `make build` makes it, or name another with RAFT_TUI")
    return said.raft_tui


def our_servers(number, raft, http, peers, directory):
    return [
        ours(), "node", "--id", str(number), "--raft", raft, "--http", http, "--peers", peers, "--data-dir", directory]


def go_servers(number, raft, http, peers, _):
    return [built("go-cluster"), f"-id={number}", f"-rpc={raft}", f"-http={http}", f"-peers={peers}"]


@contextlib.contextmanager
def servers(command, nodes, data):
    """Starts servers, each a process of its own. Answers the HTTP port of the one that leads."""
    with contextlib.ExitStack() as sockets:
        # All are held until all are known, or a port could come twice.
        held = [sockets.enter_context(socket.socket()) for _ in range(2 * nodes)]
        for each in held:
            each.bind(("127.0.0.1", 0))
        ports = [each.getsockname()[1] for each in held]
    raft = {number: f"127.0.0.1:{ports[2 * number - 2]}" for number in range(1, nodes + 1)}
    http = {number: ports[2 * number - 1] for number in raft}
    processes, errors, disks = [], os.path.join(data, "errors"), os.path.join(data, "disks")
    os.mkdir(disks)
    try:
        with open(errors, "w") as log:
            for number in raft:
                peers = ",".join(f"{other}={address}" for other, address in raft.items() if other != number)
                processes.append(subprocess.Popen(
                    command(number, raft[number], f"127.0.0.1:{http[number]}", peers, disks),
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True))
        yield leader(http, processes, errors)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def leader(http, processes, errors):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for process in processes:
            if process.poll() is not None:
                with open(errors) as log:
                    raise Missing(f"{process.args[0]} ended with status {process.returncode}: {why(log.read())}")
        for number, port in http.items():
            with contextlib.suppress(OSError, ValueError):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=1) as answer:
                    status = json.load(answer)
                if "leader" in (status.get("state"), status.get("role")):
                    return port
        time.sleep(0.05)
    raise Missing(f"none of {len(http)} processes of {processes[0].args[0]} said at /status that it leads within 20 s")


# What has to be built

def built(name):
    if name not in programs:
        try:
            programs[name] = build(name)
        except (Missing, OSError) as error:
            programs[name] = error
    if isinstance(programs[name], Exception):
        raise Missing(str(programs[name]))
    return programs[name]


def build(name):
    source, program = os.path.join(HERE, "Peers"), os.path.join(BUILT, name)
    if name in ("http-load", "floor"):
        return make(program, ["cc", "-O2", "-o", program, os.path.join(source, f"{name}.c")])
    if name == "go-cluster":
        if not said.go_cluster:
            raise Missing(
                "the Go teaching cluster is left out: GO_CLUSTER=DIR names a checkout of amaanx86/raft-implementation")
        # Its own `make build` leaves it here: whoever has built it, with whatever Go, is taken at his word.
        there = os.path.join(os.path.abspath(said.go_cluster), "bin/raftkv")
        if os.access(there, os.X_OK):
            return there
        return make(program, ["go", "build", "-o", program, "./cmd/raftkv"], cwd=said.go_cluster)
    if name == "etcd" and not shutil.which("etcd"):
        raise Missing("etcd is left out: there is no program of that name, `make setup-peers` installs it")
    files = [os.path.join(source, file) for file in (f"{name}.go", "load.go")]
    # Debian's packages are source trees below one directory, from before modules.
    environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOFLAGS="")
    return make(program, ["go", "build", "-o", program, *files], env=environment)


def make(program, command, **options):
    os.makedirs(BUILT, exist_ok=True)
    if not shutil.which(command[0]):
        raise Missing(
            f"{os.path.basename(program)} can't be built: there is no {command[0]}, `make setup-peers` installs it")
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        # Go names the package first, then what is wrong, and that it is too old for it at the end.
        known = " ".join(lines[:2] + [line for line in lines[2:] if line.startswith("note: ")])
        raise Missing(f"{os.path.basename(program)} can't be built, and is left out: {known}")
    return program


# What is printed

def machine():
    """What the figures were taken with."""
    def ask(*command):
        with contextlib.suppress(OSError):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0 and done.stdout.strip():
                return done.stdout.split("\n")[0].strip()
        return "unknown"
    return {
        "cores": len(os.sched_getaffinity(0)), "load_before": os.getloadavg()[0], "system": " ".join(os.uname()[0:3:2]),
        HASHICORP: ask("dpkg-query", "-W", "-f", "${Version}", "golang-github-hashicorp-raft-dev"),
        ETCD: ask("etcd", "--version").removeprefix("etcd Version: "), "go": ask("go", "version"),
    }


def short(microseconds):
    if microseconds < 1000:
        return f"{microseconds:.0f} µs"
    return f"{microseconds / 1000:.1f} ms" if microseconds < 100_000 else f"{microseconds / 1000:.0f} ms"


def table(title, section, rows, counts, best):
    if not any(key[0] == section for key in best):
        return
    width = max(len(row[0]) for row in rows) + 2
    print(f"\n{title}")
    print(" " * width + "".join(f"{count:,} client{'s' if count > 1 else ''}".rjust(20) for count in counts))
    for name, who, nodes in rows:
        cells = [best.get((section, who, nodes, count)) for count in counts]
        if not any(cells):
            continue
        print(name.ljust(width) + "".join(
            (f"{rate(cell):,.0f}/s {short(p50(cell)):>8}" if cell else "").rjust(20) for cell in cells))
        if who == OURS:
            continue
        pairs = [(best.get((section, OURS, nodes, count)), cell) for count, cell in zip(counts, cells)]
        if any(mine and cell for mine, cell in pairs):
            print("  ours / theirs".ljust(width) + "".join(
                (f"{rate(mine) / rate(cell):.2f}×  {p50(mine) / p50(cell):>6.2f}×" if mine and cell else "").rjust(20)
                for mine, cell in pairs))


def judge(best):
    print("\nWhat is asked of it")
    judged = []
    for name, mine, theirs, value, bound, limit in targets():
        ratio = value(best[mine]) / value(best[theirs]) if mine in best and theirs in best else None
        met = None if ratio is None else ratio <= limit if bound == "most" else ratio >= limit
        judged.append({"what": name, "ratio": ratio, bound: limit, "met": met})
        found = "–  not measured" if met is None else f"{'✓' if met else '✗'}  {ratio:.2f}×"
        print(f"{found:<17}at {bound} {limit:.2g}×   {name}")
    return judged


def main():
    about = machine()
    print(
        f"{about['cores']} cores, load {about['load_before']:.1f} before, {about['go']}; "
        f"{said.rounds} × {said.seconds} s, values of {VALUE_SIZE} bytes")
    rounds, sentences, syncs = collections.defaultdict(list), [], []
    if about["load_before"] > about["cores"] / 2:
        sentences.append("others were at work on this machine before it began: measure again when it is quiet")
    # Not in the system's temporary directory, which may be no disk at all.
    os.makedirs(BUILT, exist_ok=True)
    for _ in range(said.rounds):
        for key in round_of_runs():
            section, who, nodes, clients = key
            if sys.stderr.isatty():
                now = f"{section}: {who}, {nodes} nodes, {clients} clients ..."
                print(f"\r\033[K{now}", end="", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix="data-", dir=BUILT, ignore_cleanup_errors=True) as data:
                try:
                    figures = measure(*key, data)
                except (Missing, OSError) as error:
                    if str(error) not in sentences:
                        sentences.append(str(error))
                    continue
            rounds[key].append(figures)
            if figures.get("failures"):
                sentences.append(
                    f"{figures['failures']} writes failed, and aren't counted: {who}, {section}, {clients} clients")
            if "fdatasync_us" in figures:
                syncs.append(figures["fdatasync_us"])
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    best = {key: max(figures, key=rate) for key, figures in rounds.items()}

    if syncs:
        syncs.sort()
        middle, least, most = (short(figure) for figure in (syncs[len(syncs) // 2], syncs[0], syncs[-1]))
        print(f"fdatasync beside them: p50 {middle}, in the quietest run {least}, in the busiest {most}")
    table(
        "Durable, three nodes: writes a second, p50", "durable",
        [(OURS, OURS, 3), (f"{OURS}, five nodes", OURS, 5), (f"{HASHICORP} {about[HASHICORP]}, BoltDB", HASHICORP, 3),
         (f"{ETCD} {about[ETCD]}, gRPC", ETCD, 3), (FLOOR, FLOOR, 3)], (1, 16, 64, 256, 1024), best)
    table(
        "In memory, three nodes: writes a second, p50", "memory",
        [(OURS, OURS, 3), (f"{HASHICORP} {about[HASHICORP]}", HASHICORP, 3)], (1, 64, 256), best)
    table(
        "HTTP, three processes: writes a second, p50", "http",
        [(f"{OURS}, durable", OURS, 3), (f"{GO}, not durable", GO, 3)], (1, 16, 64), best)
    judged = judge(best)
    for sentence in sentences:
        print(f"! {sentence}")
    if said.json:
        with open(said.json, "w") as file:
            json.dump({
                "machine": about, "seconds": said.seconds, "value_size": VALUE_SIZE, "targets": judged,
                "runs": [
                    dict(zip(("section", "who", "nodes", "clients"), key), rounds=figures)
                    for key, figures in rounds.items()]}, file, indent=2)
            file.write("\n")


said, programs = arguments(), {}
# Servers and their disks go, too, when this is ended.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
main()
