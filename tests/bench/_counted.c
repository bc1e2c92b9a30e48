/* Virtual time, marks for the counter, and the floor of a frame, for a process that valgrind counts.

   Loaded in front of the C library (LD_PRELOAD), so that every clock of the process is `now_ns` once that is
   set: Python's, libuv's, all. Between `begin` and `end` instructions are counted; `end` writes them out. */

#define _GNU_SOURCE
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

long long now_ns;

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!now_ns || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
        return syscall(SYS_clock_gettime, clock, now);
    now->tv_sec = now_ns / 1000000000;
    now->tv_nsec = now_ns % 1000000000;
    return 0;
}

void begin(void) {
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

void end(const char *name) {
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION;
}

/* The least that must happen to a frame of sound: unmask, find the payload, base64, mu-law, its power. */

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static unsigned char sextets[256];
static short amplitudes[256];

static void prepare(void) {
    for (int at = 0; at < 64; at++)
        sextets[(unsigned char)LETTERS[at]] = at;
    for (int code = 0; code < 256; code++) {
        int bits = ~code & 0xff, size = ((((bits & 15) << 3) + 132) << (bits >> 4 & 7)) - 132;
        amplitudes[code] = bits & 128 ? -size : size;
    }
}

/* Take whole masked frames of medium length, one after the other; return the power of their sound. */
long long listen_to(const unsigned char *octets, long count) {
    static unsigned char text[65536];
    long long power = 0;
    prepare();
    for (long at = 0; at + 8 <= count;) {
        const unsigned char *key = octets + at + 4, *body = key + 4;
        long length = octets[at + 2] << 8 | octets[at + 3];
        for (long n = 0; n < length; n++)
            text[n] = body[n] ^ key[n & 3];
        text[length] = 0;
        const unsigned char *in = (unsigned char *)strstr((char *)text, "\"payload\":\"");
        for (in = in ? in + 11 : text + length; in[0] && in[0] != '"'; in += 4) {
            int three = sextets[in[0]] << 18 | sextets[in[1]] << 12 | sextets[in[2]] << 6 | sextets[in[3]];
            for (int byte = 0; byte < 3 - (in[2] == '=') - (in[3] == '='); byte++) {
                int amplitude = amplitudes[three >> (16 - 8 * byte) & 0xff];
                power += amplitude * amplitude;
            }
        }
        at += 8 + length;
    }
    return power;
}
