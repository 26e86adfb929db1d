// What hashicorp.go and etcd.go have in common: their arguments, a closed loop of clients, and what is printed about
// it. Each is built together with this file, see peers.py.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Clients begin this long before anything is counted: the first writes pay for connections and empty buffers.
const warmUp = time.Second

// Keys are written again and again, so that the maps they go to stay small and the log is what is measured.
const keys = 1000

var (
	nodes     = flag.Int("nodes", 3, "how many servers")
	clients   = flag.String("clients", "1,16,64,256", "how many clients write at once, one figure after the other")
	seconds   = flag.Float64("seconds", 5, "how long each is measured")
	valueSize = flag.Int("value-size", 64, "how many bytes a value has")
	dataDir   = flag.String("data-dir", "", "where disks go")
)

type latency struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

type figures struct {
	Clients          int      `json:"clients"`
	OpsPerSecond     float64  `json:"ops_per_second"`
	Latency          latency  `json:"latency_us"`
	FsyncsPerOp      *float64 `json:"fsyncs_per_op,omitempty"`
	EntriesPerAppend *float64 `json:"entries_per_append,omitempty"`
	Failures         int      `json:"failures"`
}

// A counter reads how often all servers together have synced, and how many messages with how many entries the leader has
// sent, where that is known.
type counter func() (syncs, appends, entries float64)

// A cluster that can be written to.
type cluster struct {
	// write writes once for a client and waits until that is committed and applied.
	write func(client int, key string, value []byte) error
	count counter
	stop  func()
}

// each measures a fresh cluster for each number of clients, and prints the figures.
func each(start func(directory string) (*cluster, error)) {
	flag.Parse()
	if *dataDir == "" {
		fail("--data-dir is missing: name a directory on the disk that is to be measured")
	}
	all := []figures{}
	for _, field := range strings.Split(*clients, ",") {
		number, err := strconv.Atoi(field)
		if err != nil || number < 1 {
			fail("--clients has %q: write numbers from 1 up, with commas", field)
		}
		directory, err := os.MkdirTemp(*dataDir, "peer-")
		if err != nil {
			fail("no directory in --data-dir: %v", err)
		}
		started, err := start(directory)
		if err != nil {
			os.RemoveAll(directory)
			fail("the cluster did not start: %v", err)
		}
		result := measure(started, number)
		started.stop()
		os.RemoveAll(directory)
		if result.OpsPerSecond == 0 {
			fail("none of %d clients' writes succeeded in %v s, %d failed", number, *seconds, result.Failures)
		}
		all = append(all, result)
	}
	json.NewEncoder(os.Stdout).Encode(all)
}

func measure(cluster *cluster, number int) figures {
	latencies := make([][]time.Duration, number)
	failures := make([]int, number)
	value := []byte(strings.Repeat("v", *valueSize))
	begin := time.Now().Add(warmUp)
	end := begin.Add(time.Duration(*seconds * float64(time.Second)))
	var done sync.WaitGroup
	for client := 0; client < number; client++ {
		done.Add(1)
		go func(client int) {
			defer done.Done()
			for i := client; ; i += number {
				key := fmt.Sprintf("k%015d", i%keys)
				sent := time.Now()
				if !sent.Before(end) {
					return
				}
				err := cluster.write(client, key, value)
				now := time.Now()
				if now.Before(begin) || !now.Before(end) {
					continue
				}
				if err != nil {
					failures[client]++
				} else {
					latencies[client] = append(latencies[client], now.Sub(sent))
				}
			}
		}(client)
	}
	time.Sleep(time.Until(begin))
	// What setting up has left behind is not the cluster's to clean up while it is measured.
	runtime.GC()
	syncsBefore, appendsBefore, entriesBefore := cluster.count()
	time.Sleep(time.Until(end))
	syncs, appends, entries := cluster.count()
	done.Wait()

	result := figures{Clients: number}
	sorted := []time.Duration{}
	for client := range latencies {
		sorted = append(sorted, latencies[client]...)
		result.Failures += failures[client]
	}
	if len(sorted) == 0 {
		return result
	}
	sort.Slice(sorted, func(a, b int) bool { return sorted[a] < sorted[b] })
	at := func(share float64) float64 {
		return float64(sorted[int(share*float64(len(sorted)-1))].Nanoseconds()) / 1000
	}
	result.OpsPerSecond = float64(len(sorted)) / *seconds
	result.Latency = latency{at(0.5), at(0.99), at(0.999), at(1)}
	perOp := (syncs - syncsBefore) / float64(len(sorted))
	result.FsyncsPerOp = &perOp
	if appends > appendsBefore {
		perAppend := (entries - entriesBefore) / (appends - appendsBefore)
		result.EntriesPerAppend = &perAppend
	}
	return result
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}
