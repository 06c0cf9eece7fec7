/*
 * Samples show what the kernel answered, as text that is the same in every
 * run and on every architecture: no address, process id, inode or time.
 * They take no memory from malloc(3): what it asks of the kernel depends on
 * where its blocks happen to lie, and would differ in every strace.
 */
#ifndef SHOW_H
#define SHOW_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *error_name(int number)
{
	switch (number) {
#define NAME(e) case e: return #e;
	NAME(EPERM) NAME(ENOENT) NAME(ESRCH) NAME(EINTR) NAME(EIO) NAME(ENXIO) NAME(E2BIG) NAME(ENOEXEC)
	NAME(EBADF) NAME(ECHILD) NAME(EAGAIN) NAME(ENOMEM) NAME(EACCES) NAME(EFAULT) NAME(ENOTBLK) NAME(EBUSY)
	NAME(EEXIST) NAME(EXDEV) NAME(ENODEV) NAME(ENOTDIR) NAME(EISDIR) NAME(EINVAL) NAME(ENFILE) NAME(EMFILE)
	NAME(ENOTTY) NAME(ETXTBSY) NAME(EFBIG) NAME(ENOSPC) NAME(ESPIPE) NAME(EROFS) NAME(EMLINK) NAME(EPIPE)
	NAME(EDOM) NAME(ERANGE) NAME(EDEADLK) NAME(ENAMETOOLONG) NAME(ENOLCK) NAME(ENOSYS) NAME(ENOTEMPTY)
	NAME(ELOOP) NAME(ENODATA) NAME(EOVERFLOW) NAME(EOPNOTSUPP) NAME(ETIMEDOUT) NAME(ENOTSOCK)
#undef NAME
	}
	static char text[16];
	snprintf(text, sizeof text, "errno %d", number);
	return text;
}

static inline long long show_value(const char *text, long long value)
{
	if (value == -1)
		printf("%s = -1 %s\n", text, error_name(errno));
	else
		printf("%s = %lld\n", text, value);
	return value;
}

static inline void *show_pointer(const char *text, void *pointer)
{
	if (pointer == (void *)-1)
		printf("%s = -1 %s\n", text, error_name(errno));
	else
		printf("%s = %s\n", text, pointer ? "somewhere" : "NULL");
	return pointer;
}

/* The call's own text, and its value or error. */
#define TRY(call) show_value(#call, (long long)(call))
/* For calls that return a pointer: only whether they did. */
#define TRYP(call) show_pointer(#call, (void *)(call))
/* For a call that must work but whose value differs between runs. */
#define OK(call) printf("%s: %s\n", #call, (long long)(call) == -1 ? error_name(errno) : "ok")
/* A fact, and whether it holds. */
#define FACT(condition) printf("%s: %s\n", #condition, (condition) ? "yes" : "NO")

/* Create `path` holding `text`. */
static inline void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		printf("cannot create %s: %s\n", path, error_name(errno));
	close(fd);
}

#endif
