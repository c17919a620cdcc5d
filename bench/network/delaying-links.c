/* Links that delay what they carry, for network.py where the kernel has no netem.

   usage: delaying-links COUNT MICROSECONDS

   Makes COUNT pairs of network devices, host-N and link-N. What is sent into host-N leaves link-N at once. What is sent
   into link-N leaves host-N so many microseconds later. Prints "ready" when the devices are there. The end of its
   standard input ends it, which removes them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* Segments of TCP travel whole, up to 64 KiB, as between a host and a card that cuts them. */
enum { MOST_LINKS = 16, FRAMES = 256, FRAME_BYTES = (1 << 16) + 256 };

typedef struct frame {
    int64_t due; /* in nanoseconds */
    size_t length;
    unsigned char bytes[FRAME_BYTES];
} frame;

/* From one device to another; a ring of frames that wait. */
typedef struct direction {
    int from, to;
    int64_t delay;
    frame *frames;
    size_t first, count;
} direction;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* A file whose reads are frames that are sent into the device, and whose writes leave it; -1 if there can be none. */
static int make_device(const char *kind, int number)
{
    struct ifreq wanted = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    const int file = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    snprintf(wanted.ifr_name, sizeof wanted.ifr_name, "%.4s-%d", kind, number);
    if (file >= 0 &&
        (ioctl(file, TUNSETIFF, &wanted) < 0 || ioctl(file, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0)) {
        close(file);
        return -1;
    }
    return file;
}

static bool open_link(direction *two, int number, int64_t delay)
{
    const int host = make_device("host", number), link = make_device("link", number);
    two[0] = (direction){ host, link, 0, calloc(FRAMES, sizeof(frame)), 0, 0 };
    two[1] = (direction){ link, host, delay, calloc(FRAMES, sizeof(frame)), 0, 0 };
    return host >= 0 && link >= 0 && two[0].frames && two[1].frames;
}

/* Takes what has come, as long as there is room: what is left waits in the device's own queue. */
static void take(direction *way)
{
    const int64_t due = now() + way->delay;
    while (way->count < FRAMES) {
        frame *next = &way->frames[(way->first + way->count) % FRAMES];
        const ssize_t length = read(way->from, next->bytes, FRAME_BYTES);
        if (length <= 0)
            return;
        next->length = (size_t)length;
        next->due = due;
        way->count++;
    }
}

/* Passes on what is due. A device that is down loses it, as a cable does. */
static void pass_on(direction *way)
{
    const int64_t time = now();
    while (way->count && way->frames[way->first].due <= time) {
        const frame *oldest = &way->frames[way->first];
        if (write(way->to, oldest->bytes, oldest->length) < 0 && errno == EAGAIN)
            return;
        way->first = (way->first + 1) % FRAMES;
        way->count--;
    }
}

/* Until standard input ends. */
static void carry(direction *ways, size_t count)
{
    struct pollfd files[2 * MOST_LINKS + 1];
    for (bool open = true; open;) {
        int64_t soonest = INT64_MAX;
        for (size_t i = 0; i < count; i++) {
            if (ways[i].count && ways[i].frames[ways[i].first].due < soonest)
                soonest = ways[i].frames[ways[i].first].due;
            files[i] = (struct pollfd){ ways[i].from, ways[i].count < FRAMES ? POLLIN : 0, 0 };
        }
        files[count] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
        int64_t wait = soonest == INT64_MAX ? 1000000000 : soonest - now();
        wait = wait < 0 ? 0 : wait;
        const struct timespec time = { wait / 1000000000, wait % 1000000000 };
        if (ppoll(files, count + 1, &time, NULL) < 0 && errno != EINTR)
            return;
        for (size_t i = 0; i < count; i++) {
            take(&ways[i]);
            pass_on(&ways[i]);
        }
        char rest[64];
        open = !(files[count].revents & (POLLIN | POLLHUP)) || read(STDIN_FILENO, rest, sizeof rest) > 0;
    }
}

int main(int count, char **words)
{
    static direction ways[2 * MOST_LINKS];
    const long links = count == 3 ? strtol(words[1], NULL, 10) : 0;
    const long microseconds = count == 3 ? strtol(words[2], NULL, 10) : 0;
    if (links < 1 || links > MOST_LINKS || microseconds < 0) {
        fprintf(stderr, "usage: delaying-links COUNT MICROSECONDS (COUNT at most %d)\n", MOST_LINKS);
        return 2;
    }
    for (int i = 0; i < links; i++)
        if (!open_link(&ways[2 * i], i, microseconds * 1000)) {
            fprintf(stderr, "delaying-links: can't make a network device: %s\n", strerror(errno));
            return 1;
        }
    /* A cable does not wait for a core; without the right to this, delays are longer while all cores compute. */
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 });
    puts("ready");
    fflush(stdout);
    carry(ways, 2 * (size_t)links);
    return 0;
}
