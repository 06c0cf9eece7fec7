/* Mounts in a namespace of our own: binding, moving, propagation, pivot_root. Needs root. */
#include "show.h"
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BASE "/tmp/mounts"

static char table[1 << 16];

/* Lines of mountinfo below BASE (or all below "/" with no base): place, and its optional fields with groups counted
   from the first that is seen. */
static void show_mounts(const char *title)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY), groups[16], known = 0;
	long length = 0, n;
	while ((n = read(fd, table + length, sizeof table - 1 - length)) > 0)
		length += n;
	close(fd);
	table[length] = 0;
	printf("%s:\n", title);
	for (char *line = strtok(table, "\n"); line; line = strtok(0, "\n")) {
		char root[256], place[256];
		if (sscanf(line, "%*d %*d %*s %255s %255s", root, place) != 2 || strncmp(place, BASE, sizeof BASE - 1))
			continue;
		printf("  %s", place + sizeof BASE - 1);
		char *end = strstr(line, " - ");
		for (char *field = line; field && field < end; field = strchr(field + 1, ' ')) {
			char *colon = strchr(field, ':');
			if (strncmp(field, " shared:", 8) && strncmp(field, " master:", 8)) {
				if (!strncmp(field, " unbindable", 11))
					printf(" unbindable");
				continue;
			}
			int number = atoi(colon + 1), i = 0;
			while (i < known && groups[i] != number)
				i++;
			if (i == known)
				groups[known++] = number;
			printf("%.*s%d", (int)(colon - field + 1), field, i + 1);
		}
		putchar('\n');
	}
}

static int is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void binding(void)
{
	TRY(mount("none", BASE "/a", "tmpfs", 0, 0));
	mkdir(BASE "/a/sub", 0755), mkdir(BASE "/a/dir", 0755);
	TRY(mount("none", BASE "/a/sub", "tmpfs", 0, "mode=700"));
	mkdir(BASE "/a/sub/inner", 0755);
	TRY(mount(BASE "/a", BASE "/b", 0, MS_BIND, 0));
	FACT(!is_there(BASE "/b/sub/inner"));
	TRY(umount(BASE "/b"));
	TRY(mount(BASE "/a", BASE "/b", 0, MS_BIND | MS_REC, 0));
	FACT(is_there(BASE "/b/sub/inner"));
	show_mounts("bound");
	TRY(umount(BASE "/b"));
	TRY(umount2(BASE "/b", MNT_DETACH));
	TRY(mount("none", BASE "/a/sub", 0, MS_UNBINDABLE, 0));
	TRY(mount(BASE "/a", BASE "/b", 0, MS_BIND | MS_REC, 0));
	show_mounts("unbindable");
	TRY(mount(BASE "/a/sub", BASE "/c", 0, MS_BIND, 0));
	TRY(umount(BASE "/b"));
	TRY(mount("none", BASE "/a/sub", 0, MS_PRIVATE, 0));
	TRY(mount("none", BASE "/a/sub", 0, MS_PRIVATE | MS_SHARED, 0));
	TRY(mount("none", BASE "/a/sub", 0, MS_PRIVATE | MS_RDONLY, 0));
	TRY(mount("none", BASE "/a/dir", 0, MS_PRIVATE, 0));
}

static void moving(void)
{
	TRY(mount(BASE "/a/sub", BASE "/c", 0, MS_MOVE, 0));
	FACT(is_there(BASE "/c/inner"));
	TRY(mount(BASE "/a", BASE "/b", 0, MS_MOVE, 0));
	TRY(mount(BASE "/b", BASE "/b/dir", 0, MS_MOVE, 0));
	TRY(mount(BASE "/b/dir", BASE "/a", 0, MS_MOVE, 0));
	TRY(mount("", BASE "/a", 0, MS_MOVE, 0));
	show_mounts("moved");
	TRY(umount(BASE "/b"));
	TRY(umount(BASE "/c"));
}

static void propagation(void)
{
	TRY(mount("none", BASE "/a", "tmpfs", 0, 0));
	mkdir(BASE "/a/x", 0755), mkdir(BASE "/a/y", 0755), mkdir(BASE "/a/z", 0755);
	TRY(mount("none", BASE "/a", 0, MS_SHARED, 0));
	TRY(mount(BASE "/a", BASE "/b", 0, MS_BIND, 0));
	TRY(mount(BASE "/a", BASE "/c", 0, MS_BIND, 0));
	TRY(mount("none", BASE "/c", 0, MS_SLAVE, 0));
	TRY(mount("none", BASE "/a/x", "tmpfs", 0, 0));
	show_mounts("a peer and a slave");
	TRY(mount("none", BASE "/c/y", "tmpfs", 0, 0));
	FACT(is_there(BASE "/c/y"));
	show_mounts("what the slave does is its own");
	TRY(umount(BASE "/b/x"));
	show_mounts("taken away");
	TRY(mount("none", BASE "/c", 0, MS_SHARED, 0));
	TRY(mount(BASE "/c", BASE "/d", 0, MS_BIND, 0));
	TRY(mount("none", BASE "/b/z", "tmpfs", 0, 0));
	show_mounts("a slave that is shared");
	TRY(mount("none", BASE "/a", 0, MS_PRIVATE, 0));
	TRY(mount("none", BASE "/b", 0, MS_PRIVATE, 0));
	show_mounts("no master any more");
	TRY(umount2(BASE "/a", MNT_DETACH));
	TRY(umount2(BASE "/b", MNT_DETACH));
	TRY(umount2(BASE "/c", MNT_DETACH));
	TRY(umount2(BASE "/d", MNT_DETACH));
}

static void in_another_namespace(void)
{
	TRY(mount("none", BASE "/a", "tmpfs", 0, 0));
	mkdir(BASE "/a/x", 0755);
	TRY(mount("none", BASE "/a", 0, MS_SHARED, 0));
	int pipes[2][2];
	char c;
	if (pipe(pipes[0]) || pipe(pipes[1]))
		return;
	fflush(stdout);
	if (!fork()) {
		TRY(unshare(CLONE_NEWNS));
		TRY(mount("none", BASE "/a/x", "tmpfs", 0, 0));
		TRY(mount("none", BASE, "tmpfs", 0, 0));
		fflush(stdout);
		if (write(pipes[0][1], "x", 1) < 0 || read(pipes[1][0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	if (read(pipes[0][0], &c, 1) < 0)
		return;
	show_mounts("what came from the other namespace");
	if (write(pipes[1][1], "x", 1) < 0)
		return;
	wait(0);
	TRY(umount(BASE "/a/x"));
	TRY(umount(BASE "/a"));
}

static void pivoting(void)
{
	TRY(mount("none", BASE "/a", "tmpfs", 0, 0));
	mkdir(BASE "/a/old", 0755);
	TRY(syscall(SYS_pivot_root, BASE "/b", BASE "/b"));
	TRY(syscall(SYS_pivot_root, BASE "/a", "/"));
	TRY(syscall(SYS_pivot_root, BASE "/a", BASE "/a/none"));
	TRY(syscall(SYS_pivot_root, BASE "/a", BASE "/b"));
	TRY(chdir("/"));
	TRY(syscall(SYS_pivot_root, BASE "/a", BASE "/a/old"));
	char name[64];
	puts(getcwd(name, sizeof name));
	FACT(is_there("/old" BASE));
	FACT(!is_there(BASE));
	TRY(umount("/old"));
	TRY(umount2("/old", MNT_DETACH));
	FACT(!is_there("/old" BASE));
}

int main(void)
{
	setvbuf(stdout, 0, _IOFBF, 1 << 15);
	TRY(unshare(CLONE_NEWNS));
	TRY(mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
	mkdir("/tmp", 01777), mkdir(BASE, 0755);
	TRY(mount("none", BASE, "tmpfs", 0, 0));
	mkdir(BASE "/a", 0755), mkdir(BASE "/b", 0755), mkdir(BASE "/c", 0755), mkdir(BASE "/d", 0755);
	binding();
	moving();
	propagation();
	in_another_namespace();
	pivoting();
	return 0;
}
