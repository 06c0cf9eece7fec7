/* Mounting in steps: fsopen, fsconfig, fsmount, open_tree, move_mount, mount_setattr. Needs root. */
#include "show.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define BASE "/tmp/newmounts"
#define AT_RECURSIVE_ 0x8000

enum { SET_FLAG, SET_STRING, SET_BINARY, SET_PATH, SET_PATH_EMPTY, SET_FD, CMD_CREATE, CMD_RECONFIGURE };
enum { F_EMPTY_PATH = 4, T_EMPTY_PATH = 0x40, CLONE = 1 };

struct attributes {
	unsigned long long set, clear, propagation, userns;
};

static long fsconfig_(long fd, int command, const char *key, const void *value, int aux)
{
	return syscall(SYS_fsconfig, fd, command, key, value, aux);
}

static long setattr_(int fd, const char *path, int flags, unsigned long long set, unsigned long long clear, int propagation)
{
	struct attributes attributes = {set, clear, propagation, 0};
	return syscall(SYS_mount_setattr, fd, path, flags, &attributes, sizeof attributes);
}

/* The options of the mount at a place, and its optional fields without numbers. */
static void show_mount(const char *place)
{
	char table[1 << 14], *line = 0;
	int fd = open("/proc/self/mountinfo", O_RDONLY);
	long length = 0, n;
	while ((n = read(fd, table + length, sizeof table - 1 - length)) > 0)
		length += n;
	close(fd);
	table[length] = 0;
	printf("%s:", place);
	for (char *found = strtok(table, "\n"); found; found = strtok(0, "\n")) {
		char where[256];
		if (sscanf(found, "%*d %*d %*s %*s %255s", where) == 1 && !strcmp(where, place))
			line = found;
	}
	char options[256] = "", field[256] = "-";
	if (line)
		sscanf(line, "%*d %*d %*s %*s %*s %255s %255s", options, field);
	printf(" %s %.6s\n", line ? options : "nothing", line ? field : "");
}

int main(void)
{
	TRY(unshare(CLONE_NEWNS));
	TRY(mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
	mkdir("/tmp", 01777), mkdir(BASE, 0755);
	TRY(mount("none", BASE, "tmpfs", 0, 0));
	mkdir(BASE "/a", 0755), mkdir(BASE "/b", 0755), mkdir(BASE "/c", 0755);

	TRY(syscall(SYS_fsopen, "nofs", 0));
	TRY(syscall(SYS_fsopen, "tmpfs", 2));
	TRY(syscall(SYS_fsopen, (char *)1, 0));
	long fs = TRY(syscall(SYS_fsopen, "tmpfs", 1));
	TRY(syscall(SYS_fsmount, fs, 0, 0));
	TRY(fsconfig_(fs, SET_STRING, "source", "origin", 0));
	TRY(fsconfig_(fs, SET_STRING, "source", "again", 0));
	TRY(fsconfig_(fs, SET_STRING, "mode", "0700", 0));
	TRY(fsconfig_(fs, SET_STRING, "mode", 0, 0));
	TRY(fsconfig_(fs, SET_STRING, "mode", "0700", 1));
	TRY(fsconfig_(fs, SET_FLAG, "ro", "x", 0));
	TRY(fsconfig_(fs, 99, 0, 0, 0));
	TRY(fsconfig_(-1, CMD_CREATE, 0, 0, 0));
	TRY(fsconfig_(99, CMD_CREATE, 0, 0, 0));
	TRY(fsconfig_(0, CMD_CREATE, 0, 0, 0));
	TRY(fsconfig_(fs, CMD_CREATE, "x", 0, 0));
	TRY(fsconfig_(fs, CMD_CREATE, 0, 0, 0));
	TRY(fsconfig_(fs, CMD_CREATE, 0, 0, 0));
	TRY(fsconfig_(fs, SET_STRING, "mode", "0755", 0));
	TRY(syscall(SYS_fsmount, fs, 2, 0));
	TRY(syscall(SYS_fsmount, fs, 0, 0x30));
	TRY(syscall(SYS_fsmount, 0, 0, 0));
	long mounted = TRY(syscall(SYS_fsmount, fs, 1, 2 | 4));
	TRY(syscall(SYS_fsmount, fs, 1, 0));
	TRY(mkdirat(mounted, "early", 0755));
	struct stat st;
	fstatat(mounted, "", &st, 0x1000);
	printf("mode %o\n", st.st_mode);
	TRY(syscall(SYS_move_mount, mounted, "", AT_FDCWD, BASE "/a", 0));
	TRY(syscall(SYS_move_mount, mounted, "", AT_FDCWD, BASE "/a", 0x1000));
	TRY(syscall(SYS_move_mount, mounted, "", AT_FDCWD, BASE "/none", F_EMPTY_PATH));
	TRY(syscall(SYS_move_mount, mounted, "early", AT_FDCWD, BASE "/a", F_EMPTY_PATH));
	TRY(syscall(SYS_move_mount, mounted, "", AT_FDCWD, BASE "/a", F_EMPTY_PATH));
	TRY(access(BASE "/a/early", F_OK));
	show_mount(BASE "/a");
	close(fs), close(mounted);

	TRY(syscall(SYS_open_tree, AT_FDCWD, BASE "/a", AT_RECURSIVE_));
	TRY(syscall(SYS_open_tree, AT_FDCWD, BASE "/a", 2));
	TRY(syscall(SYS_open_tree, AT_FDCWD, BASE "/none", 0));
	long place = TRY(syscall(SYS_open_tree, AT_FDCWD, BASE "/a", 0));
	TRY(syscall(SYS_move_mount, place, "", AT_FDCWD, BASE "/c", F_EMPTY_PATH)); /* the mount itself moves */
	show_mount(BASE "/a");
	show_mount(BASE "/c");
	TRY(syscall(SYS_move_mount, AT_FDCWD, BASE "/c", AT_FDCWD, BASE "/a", 0));
	TRY(syscall(SYS_move_mount, AT_FDCWD, BASE "/a/early", AT_FDCWD, BASE "/c", 0));
	TRY(syscall(SYS_move_mount, AT_FDCWD, BASE, AT_FDCWD, BASE "/a", 0));
	close(place);
	TRY(mount("none", BASE "/a/early", "tmpfs", 0, 0));
	mkdir(BASE "/a/early/deep", 0755);
	long copy = TRY(syscall(SYS_open_tree, AT_FDCWD, BASE "/a", CLONE | AT_RECURSIVE_));
	TRY(setattr_(copy, "", 0x1000 | AT_RECURSIVE_, 1, 0, 0));
	TRY(mkdirat(copy, "early/new", 0755));
	TRY(faccessat(copy, "early/deep", F_OK, 0));
	TRY(syscall(SYS_move_mount, copy, "", AT_FDCWD, BASE "/b", F_EMPTY_PATH));
	show_mount(BASE "/b");
	show_mount(BASE "/b/early");
	TRY(mkdir(BASE "/b/x", 0755));
	TRY(mkdir(BASE "/a/x", 0755));
	long alone = TRY(syscall(SYS_open_tree, AT_FDCWD, BASE "/a", CLONE));
	TRY(faccessat(alone, "early/deep", F_OK, 0));
	close(alone), close(copy);

	TRY(setattr_(AT_FDCWD, BASE "/b", 0, 0, 1, 0));
	TRY(setattr_(AT_FDCWD, BASE "/b", 0, 0, 0, 0));
	TRY(setattr_(AT_FDCWD, BASE "/b", 4, 1, 0, 0));
	TRY(setattr_(AT_FDCWD, BASE "/b/x", 0, 1, 0, 0));
	TRY(setattr_(AT_FDCWD, BASE "/a/x", 0, 1, 0, 0));
	TRY(setattr_(AT_FDCWD, BASE "/b", 0, 0x10, 0, 0));
	TRY(setattr_(AT_FDCWD, BASE "/b", 0, 0x10, 0x10, 0));
	TRY(setattr_(AT_FDCWD, BASE "/b", 0, 0x10, 0x70, 0));
	show_mount(BASE "/b");
	TRY(setattr_(AT_FDCWD, BASE "/b", 0, 0x88, 4, MS_SHARED));
	show_mount(BASE "/b");
	TRY(setattr_(AT_FDCWD, BASE "/b", 0, 0, 0, MS_SHARED | MS_PRIVATE));
	TRY(setattr_(AT_FDCWD, BASE "/b", 0, 0, 0, MS_UNBINDABLE));
	show_mount(BASE "/b");
	TRY(syscall(SYS_open_tree, AT_FDCWD, BASE "/b", CLONE));
	TRY(setattr_(AT_FDCWD, BASE "/b", 0, 1u << 30, 0, 0));
	TRY(syscall(SYS_mount_setattr, AT_FDCWD, BASE "/b", 0, 0, 8));
	TRY(syscall(SYS_mount_setattr, AT_FDCWD, BASE "/b", 0, 0, 32));
	TRY(syscall(SYS_mount_setattr, AT_FDCWD, BASE "/b", 0, 0, 1 << 20));
	return 0;
}
