/* A wall clock that can be stepped, for the processes that load this (LD_PRELOAD).
 *
 * What they ask of the wall clock is answered with the machine's plus the nanoseconds that stand
 * in a mapped file, GAPLESS_CLOCK_OFFSET. Every other clock, and waiting, is the machine's: in
 * Debian 12's libfaketime (0.9.10), told to leave monotonic time alone, each clock_nanosleep until
 * a monotonic time, and so Python's time.sleep, fails with EINVAL.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

static _Atomic long long nothing;
static _Atomic long long *offset_ns = &nothing;

__attribute__((constructor)) static void find_offset(void)
{
    const char *path = getenv("GAPLESS_CLOCK_OFFSET");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, sizeof *offset_ns, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED)
        offset_ns = mapped;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, at);
    if (failed || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return failed;
    long long ns = at->tv_sec * (long long)NS_PER_S + at->tv_nsec + atomic_load(offset_ns);
    at->tv_sec = ns / NS_PER_S;
    at->tv_nsec = ns % NS_PER_S;
    return 0;
}

int gettimeofday(struct timeval *at, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at)
        *at = now.tv_sec;
    return now.tv_sec;
}
