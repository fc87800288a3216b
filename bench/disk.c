/* disk: what the file system gives, at best, to a program that must not lose anything.
 *
 *   disk FOLDER SECONDS
 *
 * append: 4 KiB at the end of a file that grows, then fdatasync; rewrite: the same into blocks that
 * were written before; group: 256 KiB at a time into such blocks, as a group commit does; create: a
 * file of 4 KiB, synced, and its folder, for each. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4096, GROUP = 262144, FILE_SIZE = 64 << 20 };

static char *bytes;

static double syncs(int fd, size_t size, bool grow, double seconds)
{
    uint64_t stop = now_ns() + (uint64_t)(seconds * 1e9), began = now_ns();
    off_t at = 0;
    long count = 0;
    while (now_ns() < stop) {
        if (pwrite(fd, bytes, size, at) != (ssize_t)size || fdatasync(fd))
            die("write");
        at += (off_t)size;
        if (!grow && at + (off_t)size > FILE_SIZE)
            at = 0;
        count++;
    }
    return (double)count / ((double)(now_ns() - began) / 1e9);
}

static double files(int folder, double seconds)
{
    uint64_t stop = now_ns() + (uint64_t)(seconds * 1e9), began = now_ns();
    char name[32];
    long count = 0;
    for (; now_ns() < stop; count++) {
        snprintf(name, sizeof(name), "f%ld", count);
        int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, bytes, BLOCK) != BLOCK || fdatasync(fd) || close(fd) ||
            fsync(folder))
            die(name);
    }
    double rate = (double)count / ((double)(now_ns() - began) / 1e9);
    while (count-- > 0) {
        snprintf(name, sizeof(name), "f%ld", count);
        unlinkat(folder, name, 0);
    }
    return rate;
}

int main(int argc, char **argv)
{
    if (argc != 3 || chdir(argv[1]))
        die("disk FOLDER SECONDS");
    double seconds = (double)number(argv[2], 1, 60);
    bytes = malloc(GROUP);
    if (!bytes)
        die("memory");
    memset(bytes, 'x', GROUP);
    int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = open("disk.log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (folder < 0 || fd < 0)
        die("open");
    double append = syncs(fd, BLOCK, true, seconds);
    if (ftruncate(fd, 0))
        die("truncate");
    for (off_t at = 0; at < FILE_SIZE; at += GROUP)
        if (pwrite(fd, bytes, GROUP, at) != GROUP)
            die("write");
    if (fsync(fd))
        die("sync");
    double rewrite = syncs(fd, BLOCK, false, seconds);
    double group = syncs(fd, GROUP, false, seconds) * GROUP / 1e6;
    double create = files(folder, seconds);
    unlink("disk.log");
    printf("{\"append\": %.0f, \"rewrite\": %.0f, \"group_MB\": %.0f, \"create\": %.0f}\n", append,
           rewrite, group, create);
    return 0;
}
