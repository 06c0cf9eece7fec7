/* What an inode knows: stat(2), chmod(2), chown(2), utimensat(2), statx(2). */
#include "show.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>

static void show(const char *path)
{
	struct stat st;
	if (lstat(path, &st)) {
		printf("%s: %s\n", path, error_name(errno));
		return;
	}
	printf("%s: mode %06o links %d owner %d:%d", path, (unsigned)st.st_mode, (int)st.st_nlink, (int)st.st_uid,
	       (int)st.st_gid);
	if (!S_ISDIR(st.st_mode))
		printf(" size %lld", (long long)st.st_size);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		printf(" device %d:%d", (int)major(st.st_rdev), (int)minor(st.st_rdev));
	printf("\n");
}

static void show_times(const char *path)
{
	struct stat st, reference;
	lstat(path, &st);
	stat("d", &reference);  /* made just now; time(2) would be read without a call where there is a vDSO */
	time_t now = reference.st_ctim.tv_sec;
	const struct timespec *times[] = { &st.st_atim, &st.st_mtim };
	printf("%s:", path);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "mtime" : "atime";
		if (now - times[i]->tv_sec < 1000 && now - times[i]->tv_sec >= -1)
			printf(" %s now", name);
		else
			printf(" %s %lld.%09ld", name, (long long)times[i]->tv_sec, (long)times[i]->tv_nsec);
	}
	puts("");
}

static void modes(void)
{
	int fd;

	puts("-- modes");
	TRY(umask(027));
	put_file("f", "text");
	mkdir("d", 0777);
	show("f");
	show("d");
	TRY(umask(022));
	TRY(chmod("f", 06755));
	show("f");
	TRY(chmod("f", 0177777));
	show("f");
	TRY(chmod("missing", 0));
	TRY(fd = open("f", O_RDONLY));
	TRY(fchmod(fd, 0640));
	TRY(fchmod(99, 0640));
	show("f");
	symlink("f", "s");
	TRY(fchmodat(AT_FDCWD, "s", 0600, 0));
	show("f");
	show("s");
	close(fd);
	TRY(chmod("d", 02775));
	TRY(mkdir("d/sub", 0777));
	show("d/sub");
}

static void owners(void)
{
	puts("-- owners");
	chmod("f", 06755);
	TRY(chown("f", 12, 34));
	show("f");  /* a change of owner takes set-user-id away: chown(2) */
	TRY(chown("f", -1, 56));
	show("f");
	TRY(chown("f", 78, -1));
	show("f");
	TRY(lchown("s", 1, 2));
	show("s");
	show("f");
	TRY(fchownat(AT_FDCWD, "s", 3, 4, AT_SYMLINK_NOFOLLOW));
	show("s");
	TRY(fchownat(AT_FDCWD, "", 3, 4, 0));
	TRY(fchownat(AT_FDCWD, "s", 3, 4, 0x4000));
	TRY(chown("f", 0, 0));
	chmod("d", 02775);
	TRY(chown("d", 0, 99));
	put_file("d/heir", "");
	show("d/heir");
	show("d");
}

static void times(void)
{
	struct timespec both[2] = { { 1000000000, 123456789 }, { 86400, 1 } };

	puts("-- times");
	show_times("f");
	TRY(utimensat(AT_FDCWD, "f", both, 0));
	show_times("f");
	both[0].tv_nsec = UTIME_OMIT;
	both[1].tv_nsec = UTIME_NOW;
	TRY(utimensat(AT_FDCWD, "f", both, 0));
	show_times("f");
	both[0].tv_nsec = 1000000000;
	TRY(utimensat(AT_FDCWD, "f", both, 0));
	both[0] = both[1] = (struct timespec){ -5, 7 };
	TRY(utimensat(AT_FDCWD, "s", both, AT_SYMLINK_NOFOLLOW));
	show_times("s");
	TRY(utimensat(AT_FDCWD, "f", NULL, 0));
	show_times("f");
	TRY(utimensat(AT_FDCWD, "f", both, 0x4000));
	TRY(utimensat(AT_FDCWD, "missing", NULL, 0));
	struct timeval tv[2] = { { 11, 22 }, { 33, 44 } };
	TRY(utimes("f", tv));
	show_times("f");
	int fd = open("f", O_RDWR);
	TRY(futimens(fd, both));
	show_times("f");
	TRY(write(fd, "1", 1));
	show_times("f");
	close(fd);
	TRY(futimens(99, both));
}

static void extended(void)
{
	struct statx x;
	struct statfs fs;

	puts("-- statx and statfs");
	TRY(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
	printf("mode %o links %u owner %u:%u size %llu\n", x.stx_mode, x.stx_nlink, x.stx_uid, x.stx_gid,
	       (unsigned long long)x.stx_size);
	FACT((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	FACT(x.stx_blksize == 4096);
	TRY(statx(AT_FDCWD, "missing", 0, STATX_ALL, &x));
	TRY(statx(AT_FDCWD, "s", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x));
	printf("type %o\n", x.stx_mode & S_IFMT);
	TRY(statx(AT_FDCWD, "f", 0x4000000, STATX_ALL, &x));
	TRY(statx(AT_FDCWD, "f", 0, 0x80000000, &x));
	int dir = open("d", O_RDONLY);
	TRY(statx(dir, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &x));
	FACT(S_ISDIR(x.stx_mode) && (x.stx_mask & STATX_BTIME) && x.stx_btime.tv_sec == x.stx_ctime.tv_sec);
	close(dir);
	TRY(statfs("missing", &fs));
	TRY(fstatfs(99, &fs));
}

static void nodes(void)
{
	puts("-- other kinds");
	TRY(mkfifo("fifo", 0644));
	show("fifo");
	TRY(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	show("null");
	TRY(mknod("plain", S_IFREG | 0600, 0));
	show("plain");
	TRY(mknod("plain", S_IFREG | 0600, 0));
	TRY(mknod("dir", S_IFDIR | 0600, 0));
	TRY(mknod("what", 0150000 | 0600, 0));
	struct stat st;
	TRY(stat("/dev/null", &st));
	printf("/dev/null %o %d:%d\n", (unsigned)st.st_mode, (int)major(st.st_rdev), (int)minor(st.st_rdev));
	TRY(fstat(99, &st));
	TRY(fstatat(AT_FDCWD, "", &st, 0));
	TRY(fstatat(AT_FDCWD, "f", &st, 0x4000));
}

int main(void)
{
	modes();
	owners();
	times();
	extended();
	nodes();
	return 0;
}
