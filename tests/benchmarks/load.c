/* A load generator for a CoAP server on 127.0.0.1, cheap enough to share its cores.

       load PORT WINDOW SOURCES SECONDS FILE CODE...

   FILE holds prebuilt requests, each after its length (two bytes, big endian): CON, with a token
   of four bytes. Message id and token are set here, the token to the request's number. Request n
   leaves from source n % SOURCES, which has an address of its own in 127/8, as devices have.
   WINDOW requests are in flight; each is sent again after 2, 4, 8 and 16 s (RFC 7252 §4.2).
   Nothing new is sent after SECONDS or the last request. CODE is what counts as an answer, in
   hex. Type, message id, token and code of each are checked. One line of JSON says the rest.
   tests/benchmarks/loading.py compiles and runs it. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long long u64;

enum { CON, NON, ACK, RST };
enum { BATCH = 64, LARGEST = 1500, MAX_SOURCES = 250, MAX_CODES = 8, BUCKETS = 64 + 58 * 32 };
enum { HEAD = 8, RETRANSMISSIONS = 4 };
enum { UNSENT = -1, ANSWERED = -2, NOBODY = -3 };
static const u64 TICK_US = 50000, ACK_TIMEOUT_US = 2000000, DRAIN_US = 10000000;

struct request { uint8_t *data; uint16_t size; int slot; };
struct slot { uint32_t request; u64 first_us, due_us; int sent; bool busy; };

static struct request *requests;
static struct slot *slots;
static int sockets[MAX_SOURCES];
static uint32_t next_of[MAX_SOURCES]; /* the request each source sends next */
static uint32_t count, window, sources, busy;
static uint8_t codes[MAX_CODES];
static int code_count;
static bool over;
static u64 started_us, ended_us, last_answer_us, now_us;
static u64 answered, in_time, separate, retransmitted, repeated, wrong, lost, refused;
static u64 longest_us, gap_us, histogram[BUCKETS];
static unsigned first_refusal;

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static u64 clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000 + (u64)t.tv_nsec / 1000;
}

/* --- latency: exact below 64 us, then 32 buckets for each doubling --- */

static int bucket_of(u64 us)
{
    if (us < 64)
        return (int)us;
    int exponent = 63 - __builtin_clzll(us);
    return 64 + (exponent - 6) * 32 + (int)(us >> (exponent - 5) & 31);
}

static u64 us_of(int bucket)
{
    if (bucket < 64)
        return (u64)bucket;
    int exponent = (bucket - 64) / 32 + 6;
    return (u64)(32 + (bucket - 64) % 32) << (exponent - 5);
}

static u64 quantile_us(double share)
{
    u64 seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        seen += histogram[bucket];
        if (seen && (double)seen >= share * (double)answered)
            return us_of(bucket);
    }
    return 0;
}

/* --- requests --- */

static uint16_t message_id(uint32_t request) { return (uint16_t)(request / sources); }

static void load_requests(const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0)
        fail(path);
    uint8_t *file = mmap(NULL, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        fail(path);
    requests = calloc((size_t)about.st_size / HEAD + 1, sizeof *requests);
    for (uint8_t *at = file; at + 2 < file + about.st_size; at += 2 + (at[0] << 8 | at[1])) {
        struct request *request = &requests[count];
        *request = (struct request){at + 2, (uint16_t)(at[0] << 8 | at[1]), UNSENT};
        uint16_t id = htons(message_id(count));
        uint32_t token = htonl(count++);
        memcpy(request->data + 2, &id, sizeof id);
        memcpy(request->data + 4, &token, sizeof token);
    }
}

static void finish(void)
{
    if (over)
        return;
    over = true;
    ended_us = now_us;
    in_time = answered;
}

static void transmit(uint32_t at)
{
    struct slot *slot = &slots[at];
    struct request *request = &requests[slot->request];
    slot->due_us = now_us + (ACK_TIMEOUT_US << slot->sent++);
    send(sockets[at % sources], request->data, request->size, 0); /* refused is lost: sent again */
}

static void start(uint32_t at)
{
    uint32_t source = at % sources, request = next_of[source];
    if (request >= count)
        finish();
    if (over)
        return;
    next_of[source] += sources;
    requests[request].slot = (int)at;
    slots[at] = (struct slot){request, now_us, 0, 0, true};
    busy++;
    transmit(at);
}

static void leave(uint32_t at, int state)
{
    requests[slots[at].request].slot = state;
    slots[at].busy = false;
    busy--;
    start(at);
}

static void retransmit_due(void)
{
    for (uint32_t at = 0; at < window; at++) {
        if (!slots[at].busy || slots[at].due_us > now_us)
            continue;
        if (slots[at].sent > RETRANSMISSIONS) {
            lost++;
            leave(at, NOBODY);
        } else {
            retransmitted++;
            transmit(at);
        }
    }
}

/* --- answers --- */

static bool is_expected(uint8_t code)
{
    for (int n = 0; n < code_count; n++)
        if (codes[n] == code)
            return true;
    return false;
}

/* An empty ACK: the answer will come in a message of its own (RFC 7252 §5.2.2). */
static void hold(uint32_t source, uint16_t id)
{
    for (uint32_t at = source; at < window; at += sources)
        if (slots[at].busy && message_id(slots[at].request) == id)
            slots[at].due_us = UINT64_MAX;
}

static void count_answer(const struct slot *slot)
{
    u64 took_us = now_us - slot->first_us, since_us = now_us - last_answer_us;
    answered++;
    histogram[bucket_of(took_us)]++;
    if (took_us > longest_us)
        longest_us = took_us;
    if (since_us > gap_us && !over)
        gap_us = since_us;
    last_answer_us = now_us;
}

static void take(uint32_t source, const uint8_t *data, unsigned size)
{
    int type = size ? data[0] >> 4 & 3 : RST, token_bytes = size ? data[0] & 15 : 0;
    uint16_t id = size < 4 ? 0 : (uint16_t)(data[2] << 8 | data[3]);
    if (size == 4 && type == ACK && data[1] == 0) {
        hold(source, id);
        return;
    }
    uint32_t request = count;
    if (size >= HEAD && data[0] >> 6 == 1 && token_bytes == 4)
        request = ntohl(*(const uint32_t *)(const void *)(data + 4));
    if (request >= count || request % sources != source || type == RST
        || (type == ACK && id != message_id(request)) || requests[request].slot == UNSENT) {
        wrong++;
        return;
    }
    if (type == CON) {
        uint8_t empty_ack[4] = {0x60, 0, data[2], data[3]};
        send(sockets[source], empty_ack, sizeof empty_ack, 0);
    }
    int at = requests[request].slot;
    if (at < 0) {
        repeated++;
        return;
    }
    separate += type != ACK;
    if (is_expected(data[1]))
        count_answer(&slots[at]);
    else if (!refused++)
        first_refusal = data[1];
    leave((uint32_t)at, ANSWERED);
}

static void receive(uint32_t source)
{
    static uint8_t buffers[BATCH][LARGEST];
    static struct iovec places[BATCH];
    static struct mmsghdr heads[BATCH];
    for (int n = 0; n < BATCH; n++) {
        places[n] = (struct iovec){buffers[n], LARGEST};
        heads[n].msg_hdr = (struct msghdr){.msg_iov = &places[n], .msg_iovlen = 1};
    }
    int got = recvmmsg(sockets[source], heads, BATCH, MSG_DONTWAIT, NULL);
    now_us = clock_us();
    for (int n = 0; n < got; n++)
        take(source, buffers[n], heads[n].msg_len);
}

/* --- the run --- */

static int open_sources(uint16_t port)
{
    int ready = epoll_create1(0);
    uint32_t run = (uint32_t)getpid(); /* so that no run meets what is remembered of another */
    for (uint32_t n = 0; n < sources; n++) {
        struct sockaddr_in here = {.sin_family = AF_INET}, there = here;
        here.sin_addr.s_addr = htonl(127u << 24 | (1 + run / 250 % 250) << 16
                                     | (1 + run % 250) << 8 | (1 + n));
        there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        there.sin_port = htons(port);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = n};
        int size = 1 << 20;
        sockets[n] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(sockets[n], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        if (bind(sockets[n], (struct sockaddr *)&here, sizeof here) < 0
            || connect(sockets[n], (struct sockaddr *)&there, sizeof there) < 0
            || epoll_ctl(ready, EPOLL_CTL_ADD, sockets[n], &event) < 0)
            fail("cannot open a source");
        next_of[n] = n;
    }
    return ready;
}

static void run(int ready, double seconds)
{
    started_us = last_answer_us = now_us = clock_us();
    u64 end_us = started_us + (u64)(seconds * 1e6), tick_us = started_us;
    for (uint32_t at = 0; at < window; at++)
        start(at);
    while (busy) {
        struct epoll_event events[MAX_SOURCES];
        int got = epoll_wait(ready, events, (int)sources, (int)(TICK_US / 1000));
        for (int n = 0; n < got; n++)
            receive(events[n].data.u32);
        now_us = clock_us();
        if (now_us < tick_us)
            continue;
        tick_us = now_us + TICK_US;
        if (now_us >= end_us)
            finish();
        if (over && now_us > ended_us + DRAIN_US)
            break;
        retransmit_due();
    }
    finish();
    lost += busy;
}

static void report(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
                   + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    double seconds = (double)(ended_us - started_us) / 1e6;
    printf("{\"answered\": %llu, \"seconds\": %.3f, \"per_s\": %.1f, \"p50_us\": %llu, "
           "\"p99_us\": %llu, \"max_us\": %llu, \"longest_gap_us\": %llu, \"lost\": %llu, "
           "\"retransmitted\": %llu, \"repeated\": %llu, \"separate\": %llu, \"refused\": %llu, "
           "\"first_refusal\": \"%u.%02u\", \"wrong\": %llu, \"cpu_s\": %.3f}\n",
           answered, seconds, seconds > 0 ? (double)in_time / seconds : 0, quantile_us(0.5),
           quantile_us(0.99), longest_us, gap_us, lost, retransmitted, repeated, separate, refused,
           first_refusal >> 5, first_refusal & 31, wrong, cpu_s);
}

int main(int given, char **arguments)
{
    if (given < 7 || given > 6 + MAX_CODES) {
        fprintf(stderr, "load PORT WINDOW SOURCES SECONDS FILE CODE...\n");
        return 2;
    }
    window = (uint32_t)atoi(arguments[2]);
    sources = (uint32_t)atoi(arguments[3]);
    for (; code_count < given - 6; code_count++)
        codes[code_count] = (uint8_t)strtoul(arguments[6 + code_count], NULL, 16);
    if (!window || !sources || sources > MAX_SOURCES || sources > window) {
        fprintf(stderr, "load: WINDOW and SOURCES are at least 1, and SOURCES at most WINDOW\n");
        return 2;
    }
    load_requests(arguments[5]);
    slots = calloc(window, sizeof *slots);
    run(open_sources((uint16_t)atoi(arguments[1])), atof(arguments[4]));
    report();
    return 0;
}
