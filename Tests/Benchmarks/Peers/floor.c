// What the machine itself takes for a write that is safe on two of three disks, without any Raft: the leader sends
// frames to two followers over TCP on 127.0.0.1, all three write them to a file and sync it, and the leader goes on
// when one follower has said so. And how long fdatasync takes, for whoever wants to compare figures of different
// machines.
//
// usage: floor DIRECTORY SECONDS CLIENTS,CLIENTS,...

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A frame is a write of 80 bytes with what a log and a message need around it. Disks are written round and round: a
// file that doesn't grow has only its data to sync.
enum { frame = 100, followers = 2, disk_size = 16 << 20, most_rounds = 1 << 22 };

static uint64_t *lengths;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int open_disk(const char *directory, int number, int filled) {
    char path[4096];
    snprintf(path, sizeof path, "%s/floor-%d", directory, number);
    int disk = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (disk < 0) fail("%s can't be made (%s): name a directory that can be written", path, strerror(errno));
    unlink(path);
    static char zeroes[1 << 20];
    for (int i = 0; filled && i < disk_size / (1 << 20); i++)
        if (write(disk, zeroes, sizeof zeroes) != sizeof zeroes) fail("%s can't be filled: is the disk full?", path);
    if (fsync(disk)) fail("%s can't be synced (%s)", path, strerror(errno));
    return disk;
}

static void store(int disk, const char *bytes, size_t length, off_t *offset, int grows) {
    if (!grows && *offset + (off_t)length > disk_size) *offset = 0;
    if (pwrite(disk, bytes, length, *offset) != (ssize_t)length || fdatasync(disk))
        fail("the disk failed (%s)", strerror(errno));
    *offset += (off_t)length;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void print_latency(size_t count) {
    qsort(lengths, count, sizeof *lengths, ascending);
    const double shares[] = {0.5, 0.99, 0.999, 1};
    const char *const names[] = {"p50", "p99", "p999", "max"};
    for (int i = 0; i < 4; i++) {
        size_t at = (size_t)(shares[i] * (double)(count - 1));
        printf("%s\"%s\":%.1f", i ? "," : "{", names[i], (double)lengths[at] / 1000);
    }
    printf("}");
}

static void measure_disk(const char *directory, double seconds, int grows) {
    int disk = open_disk(directory, 0, !grows);
    char bytes[frame] = {0};
    off_t offset = 0;
    size_t count = 0;
    for (uint64_t end = now() + (uint64_t)(seconds * 1e9), begin; (begin = now()) < end && count < most_rounds;) {
        store(disk, bytes, frame, &offset, grows);
        lengths[count++] = now() - begin;
    }
    close(disk);
    print_latency(count);
}

static void follow(int leader, int disk) {
    static char bytes[1 << 20];
    off_t offset = 0;
    uint64_t total = 0;
    for (;;) {
        ssize_t got = recv(leader, bytes, sizeof bytes, 0);
        if (got <= 0) exit(0);
        store(disk, bytes, (size_t)got, &offset, 0);
        total += (uint64_t)got;
        if (send(leader, &total, sizeof total, MSG_NOSIGNAL) != sizeof total) exit(0);
    }
}

static int connected(int listener) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int one = 1, link = socket(AF_INET, SOCK_STREAM, 0);
    if (getsockname(listener, (struct sockaddr *)&address, &length) || link < 0
        || connect(link, (struct sockaddr *)&address, length))
        fail("127.0.0.1 can't be reached (%s)", strerror(errno));
    setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return link;
}

static void measure_majority(const char *directory, double seconds, int clients) {
    int links[followers], disk = open_disk(directory, 0, 1);
    pid_t children[followers];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, followers))
        fail("127.0.0.1 can't be listened at (%s)", strerror(errno));
    fflush(stdout);
    for (int i = 0; i < followers; i++) {
        int own = open_disk(directory, i + 1, 1);
        children[i] = fork();
        if (children[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            follow(connected(listener), own);
        }
        close(own);
        links[i] = accept(listener, NULL, NULL);
        setsockopt(links[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }

    size_t length = (size_t)clients * frame, count = 0;
    char *bytes = calloc(1, length);
    uint64_t sent = 0, acknowledged[followers] = {0}, begin, elapsed;
    off_t offset = 0;
    uint64_t start = now(), end = start + (uint64_t)(seconds * 1e9);
    while ((begin = now()) < end && count < most_rounds) {
        for (int i = 0; i < followers; i++)
            if (send(links[i], bytes, length, MSG_NOSIGNAL) != (ssize_t)length) fail("a follower is gone");
        sent += length;
        store(disk, bytes, length, &offset, 0);
        while (acknowledged[0] < sent && acknowledged[1] < sent) {
            struct pollfd polls[followers] = {{.fd = links[0], .events = POLLIN}, {.fd = links[1], .events = POLLIN}};
            poll(polls, followers, -1);
            for (int i = 0; i < followers; i++) {
                if (!polls[i].revents) continue;
                ssize_t got = recv(links[i], &acknowledged[i], sizeof sent, MSG_WAITALL);
                if (got != sizeof sent) fail("a follower is gone");
            }
        }
        lengths[count++] = now() - begin;
    }
    elapsed = now() - start;
    for (int i = 0; i < followers; i++) {
        close(links[i]);
        // A child that was forked later has this link, too.
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    close(listener);
    close(disk);
    free(bytes);
    printf("{\"clients\":%d,\"ops_per_second\":%.1f,\"latency_us\":", clients,
           (double)clients * (double)count / ((double)elapsed / 1e9));
    print_latency(count);
    printf("}");
}

int main(int argument_count, char **arguments) {
    if (argument_count != 4) fail("usage: floor DIRECTORY SECONDS CLIENTS,CLIENTS,...");
    double seconds = atof(arguments[2]);
    lengths = malloc(most_rounds * sizeof *lengths);
    if (!lengths || seconds <= 0) fail("floor takes a directory and a number of seconds above 0");
    printf("{\"fdatasync_us\":");
    measure_disk(arguments[1], seconds, 0);
    printf(",\"fdatasync_of_a_growing_file_us\":");
    measure_disk(arguments[1], seconds, 1);
    printf(",\"majority\":[");
    char *rest = arguments[3];
    for (char *field; (field = strsep(&rest, ","));) {
        if (!*field) continue;
        if (atoi(field) < 1) fail("floor takes numbers of clients from 1 up, with commas");
        measure_majority(arguments[1], seconds, atoi(field));
        if (rest) printf(",");
    }
    printf("]}\n");
}
