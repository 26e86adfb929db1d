// A cluster of hashicorp/raft on 127.0.0.1 in this process, written to at its leader by clients that each wait for one
// write before the next. Prints what `raft-tui bench --json` does.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb"
)

// BoltDB syncs a commit's pages, then the page that makes them count.
const syncsPerCommit = 2

var (
	memory = flag.Bool("memory", false, "keep logs in memory: nothing is durable")
	cache  = flag.Int("log-cache", 512, "entries that are kept in memory in front of BoltDB, as Consul does; 0 for none")
)

func main() { each(start) }

func start(directory string) (*cluster, error) {
	logger := hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Error})
	counters := make([]counters, *nodes)
	var members []raft.Server
	var transports []*raft.NetworkTransport
	for id := 1; id <= *nodes; id++ {
		transport, err := raft.NewTCPTransportWithLogger("127.0.0.1:0", nil, 4, 10*time.Second, logger)
		if err != nil {
			return nil, err
		}
		transports = append(transports, transport)
		server := raft.ServerID(fmt.Sprintf("n%d", id))
		members = append(members, raft.Server{ID: server, Address: transport.LocalAddr()})
	}
	var rafts []*raft.Raft
	var closers []io.Closer
	for i, transport := range transports {
		var logs raft.LogStore
		var stable raft.StableStore
		if *memory {
			store := raft.NewInmemStore()
			logs, stable = &counted{store, &counters[i]}, store
		} else {
			home := filepath.Join(directory, string(members[i].ID))
			if err := os.MkdirAll(home, 0o755); err != nil {
				return nil, err
			}
			store, err := raftboltdb.NewBoltStore(filepath.Join(home, "raft.db"))
			if err != nil {
				return nil, err
			}
			closers = append(closers, store)
			logs, stable = &counted{store, &counters[i]}, store
			if *cache > 0 {
				if logs, err = raft.NewLogCache(*cache, logs); err != nil {
					return nil, err
				}
			}
		}
		configuration := raft.DefaultConfig()
		configuration.LocalID = members[i].ID
		configuration.Logger = logger
		configuration.MaxAppendEntries = 512
		configuration.SnapshotThreshold = 1 << 60
		node, err := raft.NewRaft(
			configuration, &store{values: map[string][]byte{}}, logs, stable, raft.NewDiscardSnapshotStore(), transport)
		if err != nil {
			return nil, err
		}
		rafts = append(rafts, node)
	}
	if err := rafts[0].BootstrapCluster(raft.Configuration{Servers: members}).Error(); err != nil {
		return nil, err
	}
	leader, err := await(rafts)
	if err != nil {
		return nil, err
	}
	return &cluster{
		write: func(_ int, key string, value []byte) error {
			command := make([]byte, 0, len(key)+len(value))
			return leader.Apply(append(append(command, key...), value...), 0).Error()
		},
		count: func() (syncs, appends, entries float64) {
			for i, node := range rafts {
				stores := float64(atomic.LoadUint64(&counters[i].stores))
				if !*memory {
					syncs += syncsPerCommit * stores
				}
				// A follower stores each message's entries by themselves.
				if node != leader {
					appends += stores
					entries += float64(atomic.LoadUint64(&counters[i].entries))
				}
			}
			return syncs, appends, entries
		},
		stop: func() {
			for i, node := range rafts {
				node.Shutdown().Error()
				transports[i].Close()
			}
			for _, closer := range closers {
				closer.Close()
			}
		},
	}, nil
}

func await(rafts []*raft.Raft) (*raft.Raft, error) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, node := range rafts {
			// A barrier is through when the leader has applied all that came before it.
			if node.State() == raft.Leader && node.Barrier(time.Second).Error() == nil {
				return node, nil
			}
		}
	}
	return nil, errors.New("nobody led after 20 s")
}

// counters say how often a server has written to its log, and how many entries.
type counters struct {
	stores, entries uint64
}

// counted counts what is written to a log.
type counted struct {
	raft.LogStore
	counters *counters
}

func (log *counted) StoreLog(entry *raft.Log) error { return log.StoreLogs([]*raft.Log{entry}) }

func (log *counted) StoreLogs(logs []*raft.Log) error {
	atomic.AddUint64(&log.counters.stores, 1)
	atomic.AddUint64(&log.counters.entries, uint64(len(logs)))
	return log.LogStore.StoreLogs(logs)
}

// store is the state machine: keys of 16 bytes, and the rest is the value.
type store struct {
	mutex  sync.Mutex
	values map[string][]byte
}

func (store *store) Apply(log *raft.Log) interface{} {
	store.mutex.Lock()
	defer store.mutex.Unlock()
	store.values[string(log.Data[:16])] = log.Data[16:]
	return nil
}

func (store *store) Snapshot() (raft.FSMSnapshot, error) {
	return nil, errors.New("no snapshots here")
}

func (store *store) Restore(io.ReadCloser) error { return errors.New("no snapshots here") }
