// Clients that write over HTTP to one server, each on a connection of its own that is kept, each waiting for one answer
// before it asks again. Prints what `raft-tui bench --json` does. One thread and as little work as can be: on a machine
// with few cores a client that is busy takes from the server that is measured.
//
// usage: http-load PORT CLIENTS SECONDS VALUE-SIZE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { keys = 1000, answer_max = 4096, value_max = 65536, warm_up_ms = 1000, patience_ms = 5000 };

struct client {
    int socket;
    uint64_t next_key, sent;
    size_t have;
    char answer[answer_max + 1];
};

static int port, clients;
static double seconds;
static size_t value_size;
static char *request;

static uint64_t *latencies;
static size_t count, room, failures;
static uint64_t begin, end;

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

static void ask(struct client *client) {
    int body = snprintf(NULL, 0, "{\"key\":\"k%llu\",\"value\":\"\"}", (unsigned long long)client->next_key);
    int length = sprintf(
        request,
        "POST /set HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
        "{\"key\":\"k%llu\",\"value\":\"",
        port, (size_t)body + value_size, (unsigned long long)client->next_key);
    memset(request + length, 'v', value_size);
    memcpy(request + length + value_size, "\"}", 2);
    size_t whole = (size_t)length + value_size + 2;
    client->next_key = (client->next_key + (uint64_t)clients) % keys;
    client->have = 0;
    client->sent = now();
    // A request is far smaller than a socket's buffer, and the one before it was answered.
    if (send(client->socket, request, whole, MSG_NOSIGNAL) != (ssize_t)whole)
        fail("127.0.0.1:%d took no request (%s): is the server still up?", port, strerror(errno));
}

/// The length of a whole answer at the beginning of what has come; 0 where some of it is missing.
static size_t whole_answer(const struct client *client) {
    const char *head = strstr(client->answer, "\r\n\r\n");
    if (!head) {
        if (client->have == answer_max)
            fail("127.0.0.1:%d answered with a head of more than %d bytes", port, answer_max);
        return 0;
    }
    for (const char *line = client->answer; line < head; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, "content-length:", 15)) continue;
        size_t whole = (size_t)(head + 4 - client->answer) + strtoul(line + 15, NULL, 10);
        if (whole > answer_max) fail("127.0.0.1:%d answered with more than %d bytes", port, answer_max);
        return client->have >= whole ? whole : 0;
    }
    fail("127.0.0.1:%d answered without Content-Length: on a connection that is kept an answer needs it", port);
    return 0;
}

static void note(uint64_t latency) {
    if (count == room) {
        room = room ? 2 * room : 1 << 20;
        latencies = realloc(latencies, room * sizeof *latencies);
        if (!latencies) fail("no memory for %zu figures: measure for a shorter time", room);
    }
    latencies[count++] = latency;
}

/// Reads what has come. Answers whether the client still has a question out.
static int hear(struct client *client) {
    ssize_t got = recv(client->socket, client->answer + client->have, answer_max - client->have, 0);
    if (got <= 0) {
        const char *why = got ? strerror(errno) : "at its end";
        fail("127.0.0.1:%d closed a connection (%s): is the server still up?", port, why);
    }
    client->have += (size_t)got;
    client->answer[client->have] = 0;
    if (!whole_answer(client)) return 1;
    uint64_t at = now();
    if (at >= begin && at < end) {
        if (!strncmp(client->answer, "HTTP/1.1 200", 12)) note(at - client->sent);
        else failures++;
    }
    if (at >= end) return 0;
    ask(client);
    return 1;
}

static void connect_to_server(struct client *client, int epoll) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (client->socket < 0 || connect(client->socket, (struct sockaddr *)&address, sizeof address))
        fail("127.0.0.1:%d can't be reached (%s): is the server up?", port, strerror(errno));
    int one = 1;
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->socket, &event)) fail("epoll_ctl: %s", strerror(errno));
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double at(double share) { return (double)latencies[(size_t)(share * (double)(count - 1))] / 1000; }

int main(int argument_count, char **arguments) {
    if (argument_count != 5) fail("usage: http-load PORT CLIENTS SECONDS VALUE-SIZE");
    port = atoi(arguments[1]);
    clients = atoi(arguments[2]);
    seconds = atof(arguments[3]);
    value_size = (size_t)atoi(arguments[4]);
    if (port < 1 || port > 65535 || clients < 1 || seconds <= 0 || value_size > value_max)
        fail("http-load takes a port, from 1 client up, seconds, and values of at most %d bytes", value_max);
    request = malloc(value_size + 512);
    struct client *all = calloc((size_t)clients, sizeof *all);
    struct epoll_event *events = calloc((size_t)clients, sizeof *events);
    int epoll = epoll_create1(0);
    if (!request || !all || !events || epoll < 0) fail("no memory for %d clients: take fewer", clients);
    for (int i = 0; i < clients; i++) {
        all[i].next_key = (uint64_t)(i % keys);
        connect_to_server(&all[i], epoll);
    }

    // The first answers pay for empty buffers and aren't counted.
    begin = now() + (uint64_t)warm_up_ms * 1000000;
    end = begin + (uint64_t)(seconds * 1e9);
    for (int i = 0; i < clients; i++) ask(&all[i]);
    for (int asking = clients; asking > 0;) {
        int ready = epoll_wait(epoll, events, clients, patience_ms);
        if (ready < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
        if (ready == 0) fail("127.0.0.1:%d has not answered any of %d clients for 5 s", port, asking);
        for (int i = 0; i < ready; i++) asking -= !hear(events[i].data.ptr);
    }
    if (!count) fail("127.0.0.1:%d answered none of %zu requests with 200: is it the leader?", port, failures);
    qsort(latencies, count, sizeof *latencies, ascending);
    printf(
        "[{\"clients\":%d,\"ops_per_second\":%.1f,"
        "\"latency_us\":{\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f},\"failures\":%zu}]\n",
        clients, (double)count / seconds, at(0.5), at(0.99), at(0.999), at(1), failures);
}
