/*
 * A counter over HTTP/1.1 that costs next to nothing: what clients are measured against.
 *
 *     cc -O2 -o epoll_counter epoll_counter.c
 *     ./epoll_counter             prints its port and serves 127.0.0.1 until its standard input
 *                                 closes; for each line there, prints what it has done by then:
 *                                 requests, CPU time, and when that was, as one line of JSON
 *
 * One thread, so the next number is nobody else's. Every GET, whatever its path, is answered with
 * the next integer, from 1; anything else with 405 and a closed connection. Connections are kept,
 * also for HTTP/1.0 where it is asked for (ab does); heads may come in pieces, and several at once.
 * A request with a body is not what this is for: the body is taken for a broken request (400).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = 128,
    BACKLOG = 4096,
    IN_BYTES = 8192,   /* the longest head that is read */
    OUT_BYTES = 16384, /* answers that a client has not taken yet */
    ANSWER_BYTES = 160 /* no answer is longer */
};

struct connection {
    int fd;
    bool closing; /* once what is in `out` has been sent */
    bool waiting; /* for the client to take what is in `out` */
    size_t in_used, out_used;
    char in[IN_BYTES], out[OUT_BYTES];
};

static uint64_t counter;

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void answer(struct connection *to, const char *status, const char *headers,
                   const char *body, size_t length)
{
    to->out_used += (size_t)snprintf(to->out + to->out_used, ANSWER_BYTES,
                                     "HTTP/1.1 %s\r\nContent-Type: text/plain\r\n"
                                     "Content-Length: %zu\r\n%s\r\n%.*s",
                                     status, length, headers, (int)length, body);
}

static void refuse(struct connection *to, const char *status)
{
    to->closing = true;
    answer(to, status, "Connection: close\r\n", "", 0);
}

static void answer_number(struct connection *to, const char *headers)
{
    char digits[24], *start = digits + sizeof digits;
    for (uint64_t left = ++counter; left > 0; left /= 10)
        *--start = (char)('0' + left % 10);
    answer(to, "200 OK", headers, start, (size_t)(digits + sizeof digits - start));
}

/* What a head says of its connection: 'c' close, 'k' keep-alive, 0 nothing. */
static char connection_wish(const char *head, const char *end)
{
    for (const char *line = memchr(head, '\n', (size_t)(end - head)); line != NULL;
         line = memchr(line, '\n', (size_t)(end - line))) {
        line++;
        if (end - line < 12 || (*line | 0x20) != 'c' || strncasecmp(line, "connection:", 11) != 0)
            continue;
        for (line += 11; line < end && (*line == ' ' || *line == '\t'); line++)
            ;
        if (end - line >= 5 && strncasecmp(line, "close", 5) == 0)
            return 'c';
        if (end - line >= 10 && strncasecmp(line, "keep-alive", 10) == 0)
            return 'k';
    }
    return 0;
}

static void answer_head(struct connection *from, const char *head, const char *end)
{
    const char *line_end = memchr(head, '\r', (size_t)(end - head));
    if (line_end - head < 14 || memcmp(line_end - 9, " HTTP/1.", 8) != 0) {
        refuse(from, "400 Bad Request");
    } else if (memcmp(head, "GET ", 4) != 0) {
        refuse(from, "405 Method Not Allowed");
    } else {
        bool old = line_end[-1] == '0';
        char wish = connection_wish(head, end);
        from->closing = wish == 'c' || (old && wish != 'k');
        answer_number(from, from->closing ? "Connection: close\r\n"
                            : old         ? "Connection: keep-alive\r\n"
                                          : "");
    }
}

/* Answer every whole head that has come, as long as there is room for answers. */
static void answer_heads(struct connection *from)
{
    char *at = from->in, *end = from->in + from->in_used, *blank;
    while (!from->closing && from->out_used + ANSWER_BYTES <= OUT_BYTES
           && (blank = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) != NULL) {
        answer_head(from, at, blank + 2);
        at = blank + 4;
    }
    from->in_used = (size_t)(end - at);
    memmove(from->in, at, from->in_used);
    bool room = from->out_used + ANSWER_BYTES <= OUT_BYTES; /* else heads may be whole */
    if (room && from->in_used == IN_BYTES && !from->closing)
        refuse(from, "431 Request Header Fields Too Large");
}

/* Send what is in `out`; false if the connection is finished. */
static bool flush(struct connection *to)
{
    size_t sent = 0;
    while (sent < to->out_used) {
        ssize_t more = send(to->fd, to->out + sent, to->out_used - sent, MSG_NOSIGNAL);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0 && errno != EAGAIN)
            return false;
        if (more < 0)
            break;
        sent += (size_t)more;
    }
    to->out_used -= sent;
    if (to->out_used > 0)
        memmove(to->out, to->out + sent, to->out_used);
    return to->out_used > 0 || !to->closing;
}

static void watch(int poller, int fd, void *who, uint32_t events, int how)
{
    struct epoll_event event = {.events = events, .data.ptr = who};
    if (epoll_ctl(poller, how, fd, &event) != 0)
        die("epoll_ctl");
}

/* Read, answer, send; false if the connection is finished. */
static bool serve(int poller, struct connection *client)
{
    if (!client->waiting) {
        ssize_t got = recv(client->fd, client->in + client->in_used, IN_BYTES - client->in_used, 0);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (got == 0)
            return false;
        client->in_used += (size_t)got;
    }
    /* Answers that did not fit at once may leave whole heads unanswered: go on once there is room. */
    do {
        answer_heads(client);
        if (!flush(client))
            return false;
    } while (client->out_used == 0 && client->in_used > 0
             && memmem(client->in, client->in_used, "\r\n\r\n", 4) != NULL);
    bool waiting = client->out_used > 0;
    if (waiting != client->waiting) {
        client->waiting = waiting;
        watch(poller, client->fd, client, waiting ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    }
    return true;
}

static void accept_all(int poller, int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *client = malloc(sizeof *client);
        if (client == NULL)
            die("malloc");
        client->fd = fd;
        client->closing = client->waiting = false;
        client->in_used = client->out_used = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        watch(poller, fd, client, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0
        || listen(listener, BACKLOG) != 0
        || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void report(void)
{
    printf("{\"requests\": %llu, \"cpu_ns\": %lld, \"at_ns\": %lld}\n",
           (unsigned long long)counter, (long long)now_ns(CLOCK_PROCESS_CPUTIME_ID),
           (long long)now_ns(CLOCK_MONOTONIC));
    fflush(stdout);
}

/* Answer a line on standard input; false once that has closed. */
static bool asked(void)
{
    char line[256];
    ssize_t got = read(STDIN_FILENO, line, sizeof line);
    if (got > 0)
        report();
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

int main(void)
{
    static char listening, input; /* their addresses tell the two from connections */
    struct epoll_event events[EVENTS];
    int listener = listen_on_loopback();
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        die("epoll_create1");
    watch(poller, listener, &listening, EPOLLIN, EPOLL_CTL_ADD);
    watch(poller, STDIN_FILENO, &input, EPOLLIN, EPOLL_CTL_ADD);
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        if (ready < 0 && errno != EINTR)
            die("epoll_wait");
        for (int index = 0; index < ready; index++) {
            void *who = events[index].data.ptr;
            if (who == &listening) {
                accept_all(poller, listener);
            } else if (who == &input) {
                if (!asked())
                    return 0;
            } else if (!serve(poller, who)) {
                close(((struct connection *)who)->fd);
                free(who);
            }
        }
    }
}
