// A cluster of etcd on 127.0.0.1, each server a process of its own, written to at its leader over gRPC by clients that
// each wait for one write before the next. Prints what `raft-tui bench --json` does.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/clientv3"
	"go.uber.org/zap"
)

// As many as etcd's own benchmark is shown with in its documentation; one connection is what a single client has.
const connections = 8

var program = flag.String("etcd", "etcd", "the server's program")

func main() {
	// The servers go with the thread that started them (Pdeathsig), so that has to be one which stays.
	runtime.LockOSThread()
	each(start)
}

func start(directory string) (*cluster, error) {
	addresses, err := free(2 * *nodes)
	if err != nil {
		return nil, err
	}
	clientURL := func(i int) string { return "http://" + addresses[2*i] }
	peerURL := func(i int) string { return "http://" + addresses[2*i+1] }
	var members []string
	for i := 0; i < *nodes; i++ {
		members = append(members, fmt.Sprintf("n%d=%s", i+1, peerURL(i)))
	}
	var servers []*exec.Cmd
	var dialed []*clientv3.Client
	stop := func() {
		for _, client := range dialed {
			client.Close()
		}
		for _, server := range servers {
			server.Process.Kill()
			server.Wait()
		}
	}
	for i := 0; i < *nodes; i++ {
		name := fmt.Sprintf("n%d", i+1)
		server := exec.Command(
			*program, "--name", name, "--data-dir", filepath.Join(directory, name),
			"--listen-client-urls", clientURL(i), "--advertise-client-urls", clientURL(i),
			"--listen-peer-urls", peerURL(i), "--initial-advertise-peer-urls", peerURL(i),
			"--initial-cluster", strings.Join(members, ","), "--initial-cluster-state", "new",
			"--logger", "zap", "--log-level", "error", "--log-outputs", "stderr")
		server.Stderr = os.Stderr
		server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := server.Start(); err != nil {
			stop()
			return nil, err
		}
		servers = append(servers, server)
	}
	leader, err := await(clientURL)
	for i := 0; err == nil && i < connections; i++ {
		var client *clientv3.Client
		client, err = connect(leader)
		if err == nil {
			dialed = append(dialed, client)
		}
	}
	if err != nil {
		stop()
		return nil, err
	}
	return &cluster{
		write: func(client int, key string, value []byte) error {
			_, err := dialed[client%connections].Put(context.Background(), key, string(value))
			return err
		},
		count: func() (syncs, appends, entries float64) {
			for i := 0; i < *nodes; i++ {
				syncs += metrics(
					clientURL(i), "etcd_disk_wal_fsync_duration_seconds_count", "etcd_disk_backend_commit_duration_seconds_count")
			}
			return syncs, 0, 0
		},
		stop: stop,
	}, nil
}

func connect(url string) (*clientv3.Client, error) {
	// The client logs each attempt to reach a server that isn't up yet; what matters comes back as an error.
	logs := zap.NewProductionConfig()
	logs.Level = zap.NewAtomicLevelAt(zap.FatalLevel)
	return clientv3.New(clientv3.Config{Endpoints: []string{url}, DialTimeout: 5 * time.Second, LogConfig: &logs})
}

func await(clientURL func(int) string) (string, error) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for i := 0; i < *nodes; i++ {
			client, err := connect(clientURL(i))
			if err != nil {
				continue
			}
			limit, cancel := context.WithTimeout(context.Background(), time.Second)
			status, err := client.Status(limit, clientURL(i))
			cancel()
			client.Close()
			if err == nil && status.Leader != 0 && status.Leader == status.Header.MemberId {
				return clientURL(i), nil
			}
		}
	}
	return "", errors.New("no etcd server led after 20 s")
}

// metrics adds up some of a server's counters.
func metrics(url string, names ...string) (sum float64) {
	response, err := http.Get(url + "/metrics")
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		for _, name := range names {
			if len(fields) == 2 && fields[0] == name {
				value, _ := strconv.ParseFloat(fields[1], 64)
				sum += value
			}
		}
	}
	return sum
}

// free finds ports that nobody listens on.
func free(count int) (addresses []string, err error) {
	for i := 0; i < count; i++ {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}
