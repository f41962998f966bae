/* A disk that stalls: calls that change what is below $STALLING_DISK wait as long as $STALLING_DISK.stalled exists.
 *
 * Loaded into a program with LD_PRELOAD. As with a file system that is frozen, reading goes on. While a call waits,
 * $STALLING_DISK.waits exists.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int is_below(const char *path) {
    const char *disk = getenv("STALLING_DISK");
    return disk != NULL && strncmp(path, disk, strlen(disk)) == 0;
}

static void wait_while_stalled(int is_on_it) {
    char stalled[PATH_MAX], waits[PATH_MAX];
    if (!is_on_it)
        return;
    snprintf(stalled, sizeof stalled, "%s.stalled", getenv("STALLING_DISK"));
    snprintf(waits, sizeof waits, "%s.waits", getenv("STALLING_DISK"));
    if (access(stalled, F_OK) != 0)
        return;
    close(creat(waits, 0600));
    while (access(stalled, F_OK) == 0)
        usleep(1000);
    unlink(waits);
}

static int is_open_below(int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_below(path);
}

static int is_at_below(int directory, const char *path) {
    return path[0] == '/' ? is_below(path) : is_open_below(directory);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int descriptor, const void *data, size_t size) {
    wait_while_stalled(is_open_below(descriptor));
    return REAL(write)(descriptor, data, size);
}

int fsync(int descriptor) {
    wait_while_stalled(is_open_below(descriptor));
    return REAL(fsync)(descriptor);
}

int openat64(int directory, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    wait_while_stalled((flags & O_CREAT) && is_at_below(directory, path));
    return REAL(openat64)(directory, path, flags, mode);
}

int mkdir(const char *path, mode_t mode) {
    wait_while_stalled(is_below(path));
    return REAL(mkdir)(path, mode);
}

int rmdir(const char *path) {
    wait_while_stalled(is_below(path));
    return REAL(rmdir)(path);
}

int rename(const char *old, const char *new) {
    wait_while_stalled(is_below(new));
    return REAL(rename)(old, new);
}

int renameat(int from, const char *old, int to, const char *new) {
    wait_while_stalled(is_at_below(to, new));
    return REAL(renameat)(from, old, to, new);
}

int unlinkat(int directory, const char *path, int flags) {
    wait_while_stalled(is_at_below(directory, path));
    return REAL(unlinkat)(directory, path, flags);
}
