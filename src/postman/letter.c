#include "postman/letter.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 65536 };

bool letter_write(int file, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(file, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        bytes = str_tail(bytes, n > 0 ? (size_t)n : 0);
    }
    return true;
}

static bool copy_input(int file, uint64_t most, uint64_t *size)
{
    static char block[BLOCK];
    for (*size = 0; *size <= most;) {
        ssize_t n = read(STDIN_FILENO, block, sizeof block);
        if (n == 0) {
            return true;
        }
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0 && !letter_write(file, str_from(block, (size_t)n))) {
            return false;
        }
        *size += n > 0 ? (uint64_t)n : 0;
    }
    return false;
}

bool letter_read(struct letter *letter, struct str end, uint64_t most)
{
    uint64_t size = 0;
    letter->file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (letter->file < 0) {
        letter->file = memfd_create("letter", MFD_CLOEXEC);
    }
    if (letter->file < 0 || !copy_input(letter->file, most, &size) || size <= end.len) {
        return false;
    }
    const char *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, letter->file, 0);
    if (at == MAP_FAILED || !str_ends(str_from(at, size), end)) {
        return false;
    }
    letter->text = str_from(at, size - end.len);
    return ftruncate(letter->file, (off_t)letter->text.len) == 0;
}
