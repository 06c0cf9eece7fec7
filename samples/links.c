/* Hard and symbolic links, and what rename(2) does with them. */
#include "show.h"
#include <fcntl.h>
#include <sys/stat.h>

#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2

static int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static int links(const char *path)
{
	struct stat st;
	return lstat(path, &st) ? -1 : (int)st.st_nlink;
}

static int same(const char *a, const char *b)
{
	struct stat x, y;
	return !stat(a, &x) && !stat(b, &y) && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

static void show_link(const char *path)
{
	char target[64] = "";
	ssize_t n = readlink(path, target, sizeof target);
	if (n < 0)
		printf("readlink %s: %s\n", path, error_name(errno));
	else
		printf("%s -> %.*s\n", path, (int)n, target);
}

int main(void)
{
	char buf[4] = "xxx";
	struct stat st;
	int fd;

	puts("-- hard links");
	put_file("a", "a");
	TRY(link("a", "b"));
	TRY(links("a"));
	FACT(same("a", "b"));
	TRY(link("a", "b"));
	TRY(link("missing", "c"));
	TRY(mkdir("d", 0777));
	TRY(link("d", "e"));
	TRY(link("a", "d/a/"));
	TRY(link("a", "missing/a"));
	TRY(rename("a", "b"));  /* one file under both names: nothing happens */
	TRY(links("a"));
	TRY(unlink("a"));
	TRY(links("b"));
	TRY(unlink("a"));
	TRY(unlink("d"));
	TRY(unlink("b/"));
	TRY(unlink(""));

	puts("-- symbolic links");
	TRY(symlink("b", "s"));
	TRY(symlink("b", "s"));
	TRY(symlink("", "empty"));
	TRY(symlink("x", ""));
	TRY(symlink("../not/checked", "wild"));
	show_link("s");
	show_link("wild");
	show_link("b");
	show_link("missing");
	show_link("d");
	TRY(readlink("wild", buf, 2));
	printf("%.3s\n", buf);
	TRY(readlink("wild", buf, 0));
	TRY(lstat("wild", &st));
	printf("size %d mode %o\n", (int)st.st_size, (unsigned)st.st_mode);
	TRY(stat("wild", &st));
	TRY(linkat(AT_FDCWD, "s", AT_FDCWD, "t", 0));
	show_link("t");
	TRY(links("s"));
	TRY(linkat(AT_FDCWD, "s", AT_FDCWD, "u", AT_SYMLINK_FOLLOW));
	FACT(same("u", "b"));
	TRY(links("b"));
	TRY(linkat(AT_FDCWD, "s", AT_FDCWD, "v", 0x4000));
	TRY(fd = open("s", O_PATH | O_NOFOLLOW));
	TRY(readlinkat(fd, "", buf, sizeof buf));
	TRY(linkat(fd, "", AT_FDCWD, "w", AT_EMPTY_PATH));
	close(fd);
	TRY(unlink("s"));
	FACT(same("b", "u"));

	puts("-- loops");
	TRY(symlink("loop", "loop"));
	TRY(open("loop", O_RDONLY));
	TRY(stat("loop", &st));
	TRY(lstat("loop", &st));
	TRY(open("loop", O_CREAT | O_RDWR, 0600));
	char from[8], to[8];
	put_file("n0", "the end");
	for (int i = 1; i <= 41; i++) {
		snprintf(from, sizeof from, "n%d", i);
		snprintf(to, sizeof to, "n%d", i - 1);
		symlink(to, from);
	}
	TRY(access("n40", F_OK));
	TRY(access("n41", F_OK));

	puts("-- rename");
	put_file("x", "x");
	put_file("y", "y");
	TRY(rename("x", "y"));
	TRY(access("x", F_OK));
	TRY(rename("x", "y"));
	put_file("x", "x");
	TRY(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", RENAME_NOREPLACE));
	TRY(renameat2(AT_FDCWD, "x", AT_FDCWD, "z", RENAME_NOREPLACE));
	TRY(renameat2(AT_FDCWD, "z", AT_FDCWD, "d", RENAME_EXCHANGE));
	TRY(renameat2(AT_FDCWD, "z", AT_FDCWD, "missing", RENAME_EXCHANGE));
	TRY(renameat2(AT_FDCWD, "z", AT_FDCWD, "q", RENAME_EXCHANGE | RENAME_NOREPLACE));
	TRY(renameat2(AT_FDCWD, "z", AT_FDCWD, "q", 64));
	TRY(stat("z", &st));
	FACT(S_ISDIR(st.st_mode));
	TRY(symlink("y", "sym"));
	TRY(rename("sym", "renamed"));
	show_link("renamed");
	TRY(rename("d", "renamed"));
	show_link("renamed");
	TRY(rename("", "q"));
	TRY(rename("renamed", ""));
	return 0;
}
