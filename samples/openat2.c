/* openat2(2): the RESOLVE_* restrictions, and a struct that may grow. */
#include "show.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

struct how { uint64_t flags, mode, resolve; };
#define NO_XDEV 1
#define NO_MAGICLINKS 2
#define NO_SYMLINKS 4
#define BENEATH 8
#define IN_ROOT 16
#define CACHED 32

static int opens(int dir, const char *path, uint64_t resolve)
{
	struct how how = { O_RDONLY | O_CLOEXEC, 0, resolve };
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int how_with(uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct how how = { flags, mode, resolve };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, "dir/file", &how, sizeof how);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

int main(void)
{
	mkdir("dir", 0777);
	mkdir("dir/sub", 0777);
	put_file("dir/file", "x");
	symlink("dir", "to-dir");
	symlink("dir/file", "to-file");
	symlink("../dir/file", "dir/up");
	symlink("sub/../file", "dir/inside");
	symlink("/", "dir/root");
	symlink("/file", "dir/absolute");

	int dir = open("dir", O_RDONLY | O_DIRECTORY);
	TRY(opens(dir, "file", 0));
	TRY(opens(dir, "file", BENEATH));
	TRY(opens(dir, "../dir/file", BENEATH));
	TRY(opens(dir, "sub/../file", BENEATH));
	TRY(opens(dir, "up", BENEATH));
	TRY(opens(dir, "inside", BENEATH));
	TRY(opens(dir, "root", BENEATH));
	TRY(opens(dir, "/dev/null", BENEATH));
	TRY(opens(dir, "/file", IN_ROOT));
	TRY(opens(dir, "../../../file", IN_ROOT));
	TRY(opens(dir, "absolute", IN_ROOT));
	TRY(opens(dir, "root/sub", IN_ROOT));
	TRY(opens(dir, "up", IN_ROOT));
	TRY(opens(dir, "inside", NO_SYMLINKS));
	TRY(opens(AT_FDCWD, "to-dir/file", NO_SYMLINKS));
	TRY(opens(AT_FDCWD, "to-dir/file", NO_MAGICLINKS));
	TRY(opens(AT_FDCWD, "to-file", NO_SYMLINKS));
	TRY(opens(dir, "file", NO_XDEV));
	TRY(opens(dir, "file", BENEATH | IN_ROOT));
	TRY(opens(dir, "file", 0x800));
	TRY(how_with(O_RDONLY, 0644, 0));
	TRY(how_with(1ULL << 40, 0, 0));
	TRY(how_with(O_CREAT | O_RDWR, 0644, 0));
	TRY(how_with(O_CREAT | O_RDWR, 0200000, 0));
	TRY(how_with(O_PATH | O_RDWR, 0, 0));
	struct { struct how how; uint64_t more; } bigger = { { O_RDONLY | O_CLOEXEC, 0, 0 }, 0 };
	TRY(syscall(SYS_openat2, dir, "file", &bigger, sizeof bigger) > 0);
	bigger.more = 1;
	TRY(syscall(SYS_openat2, dir, "file", &bigger, sizeof bigger));
	TRY(syscall(SYS_openat2, dir, "file", &bigger, 8));
	TRY(syscall(SYS_openat2, dir, "file", &bigger, 5000));
	return 0;
}
