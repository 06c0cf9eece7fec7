/* Directories: mkdir(2), rmdir(2), getcwd(2), getdents64(2), rename(2). */
#include "show.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static int compare(const void *a, const void *b)
{
	return strcmp(*(char **)a, *(char **)b);
}

static int next(int fd, char *buffer, size_t size, void (*each)(const struct dirent *))
{
	int count = 0;
	long n;
	while ((n = syscall(SYS_getdents64, fd, buffer, size)) > 0)
		for (char *p = buffer; p < buffer + n; p += ((struct dirent *)p)->d_reclen, count++)
			each((struct dirent *)p);
	return count;
}

static char lines[16][64], *sorted[16];
static int filled;

static void keep(const struct dirent *e)
{
	const char *type = e->d_type == DT_DIR ? "dir" : e->d_type == DT_REG ? "file" :
			   e->d_type == DT_LNK ? "link" : e->d_type == DT_FIFO ? "fifo" : "?";
	snprintf(lines[filled], sizeof *lines, "  %s %s", e->d_name, type);
	sorted[filled] = lines[filled];
	filled++;
}

static void pass(const struct dirent *e)
{
	(void)e;
}

/* Names and types in sorted order; a directory's own order is the file system's business. */
static void list(const char *path)
{
	char buffer[256];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		printf("list %s: %s\n", path, error_name(errno));
		return;
	}
	filled = 0;
	next(fd, buffer, sizeof buffer, keep);
	lseek(fd, 0, SEEK_SET);
	printf("%s: %d entries, %d again\n", path, filled, next(fd, buffer, sizeof buffer, pass));
	close(fd);
	qsort(sorted, filled, sizeof *sorted, compare);
	for (int i = 0; i < filled; i++)
		puts(sorted[i]);
}

static int many, removed;

static void drop(const struct dirent *e)
{
	if (e->d_name[0] != '.')
		removed += unlinkat(many, e->d_name, 0) == 0;
}

static int links(const char *path)
{
	struct stat st;
	return stat(path, &st) ? -1 : (int)st.st_nlink;
}

static void show_cwd(const char *home)
{
	char path[4096];
	if (getcwd(path, sizeof path))
		printf("cwd: home%s\n", path + strlen(home));
	else
		printf("cwd: %s\n", error_name(errno));
}

int main(void)
{
	char home[4096], tiny[3];
	int fd;

	mkdir("here", 0777);
	chdir("here");
	getcwd(home, sizeof home);
	TRY(links("."));
	TRY(mkdir("d", 0777));
	TRY(mkdir("d", 0777));
	TRY(mkdir("d/", 0777));
	TRY(mkdir("no/d", 0777));
	TRY(mkdir(".", 0777));
	TRY(mkdir("d/e/", 0700));
	TRY(links("."));
	TRY(links("d"));
	put_file("d/file", "x");
	TRY(symlink("file", "d/link"));
	TRY(mkfifo("d/fifo", 0600));
	list("d");
	list(".");
	list("d/file");
	list("missing");

	puts("-- many entries");
	mkdir("many", 0700);
	for (int i = 0; i < 100; i++) {
		char name[32];
		snprintf(name, sizeof name, "many/entry-%03d", i);
		put_file(name, "");
	}
	char buffer[1024];
	many = open("many", O_RDONLY | O_DIRECTORY);
	int count = next(many, buffer, sizeof buffer, drop);
	close(many);
	printf("%d read, %d removed while reading\n", count, removed);
	TRY(rmdir("many"));

	puts("-- getdents64 itself");
	fd = open("d", O_RDONLY | O_DIRECTORY);
	TRY(syscall(SYS_getdents64, fd, buffer, 8));
	TRY(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
	TRY(syscall(SYS_getdents64, fd, buffer, sizeof buffer));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
	TRY(syscall(SYS_getdents64, 1, buffer, sizeof buffer));
	TRY(syscall(SYS_getdents64, 99, buffer, sizeof buffer));
	close(fd);

	puts("-- removing");
	TRY(rmdir("d"));
	TRY(rmdir("d/file"));
	TRY(rmdir("d/."));
	TRY(rmdir("d/.."));
	TRY(rmdir("missing"));
	TRY(rmdir("/"));
	TRY(unlink("d/e"));
	TRY(unlinkat(AT_FDCWD, "d/e", AT_REMOVEDIR));
	TRY(unlinkat(AT_FDCWD, "d/e", 0x4000));
	TRY(links("d"));

	puts("-- moving about");
	TRY(mkdir("a", 0777));
	TRY(mkdir("a/b", 0777));
	TRY(mkdir("full", 0777));
	put_file("full/x", "x");
	TRY(rename("a", "a/b/c"));
	TRY(rename("a", "a"));
	TRY(rename("a", "full"));
	TRY(rename("a", "full/x"));
	TRY(rename("full/x", "a"));
	TRY(rename("a/b", "full/b"));
	TRY(rename("full/b", "."));
	TRY(rename(".", "z"));
	TRY(rename("full/b/..", "z"));
	TRY(rename("full/", "moved/"));
	TRY(rename("moved/x", "moved/y/"));
	TRY(links("moved"));
	list("moved");

	puts("-- the working directory");
	show_cwd(home);
	TRY(chdir("moved"));
	show_cwd(home);
	TRY(chdir("b/.././b/../"));
	show_cwd(home);
	TRY(chdir("x"));
	TRY(chdir("missing"));
	TRY(getcwd(tiny, sizeof tiny) != NULL);
	FACT(errno == ERANGE);
	TRY(fd = open("b", O_RDONLY));
	TRY(fchdir(fd));
	show_cwd(home);
	TRY(fchdir(99));
	TRY(chdir(".."));
	TRY(rename("b", "c"));
	TRY(chdir("c"));
	show_cwd(home);
	TRY(rmdir("../c"));
	show_cwd(home);
	TRY(open("x", O_CREAT | O_RDWR, 0600));
	TRY(open(".", O_RDONLY));
	TRY(mkdir("y", 0700));
	TRY(chdir(".."));
	show_cwd(home);
	TRY(mkdirat(fd, "y", 0700));
	return 0;
}
