/* Extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2). */
#include "show.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static int compare(const void *a, const void *b)
{
	return strcmp(*(char **)a, *(char **)b);
}

/* The user's attributes only, sorted: a host's security modules add their own. */
static void list(const char *path)
{
	char names[512], *sorted[16];
	int n = 0;
	ssize_t size = listxattr(path, names, sizeof names);
	for (char *p = names; p < names + size; p += strlen(p) + 1)
		if (!strncmp(p, "user.", 5))
			sorted[n++] = p;
	qsort(sorted, n, sizeof *sorted, compare);
	printf("%s:", path);
	for (int i = 0; i < n; i++)
		printf(" %s", sorted[i]);
	puts("");
}

int main(void)
{
	char value[16] = "";
	int fd;

	put_file("f", "x");
	mkdir("d", 0777);
	symlink("f", "s");
	TRY(getxattr("f", "user.color", value, sizeof value));
	TRY(setxattr("f", "user.color", "blue", 4, 0));
	TRY(setxattr("f", "user.color", "red", 3, XATTR_CREATE));
	TRY(setxattr("f", "user.shape", "round", 5, XATTR_REPLACE));
	TRY(setxattr("f", "user.shape", "round", 5, XATTR_CREATE));
	TRY(setxattr("f", "user.color", "green", 5, XATTR_REPLACE));
	TRY(setxattr("f", "user.empty", "", 0, 0));
	TRY(setxattr("f", "user.x", "x", 1, 99));
	TRY(setxattr("f", "", "x", 1, 0));
	TRY(setxattr("f", "user.", "x", 1, 0));
	TRY(setxattr("f", "plain", "x", 1, 0));
	TRY(setxattr("missing", "user.x", "x", 1, 0));
	TRY(getxattr("f", "user.color", value, sizeof value));
	printf("[%s]\n", value);
	TRY(getxattr("f", "user.color", value, 0));
	TRY(getxattr("f", "user.color", value, 2));
	TRY(getxattr("f", "user.empty", value, sizeof value));
	TRY(getxattr("s", "user.shape", value, sizeof value));
	TRY(lgetxattr("s", "user.shape", value, sizeof value));
	TRY(lsetxattr("s", "user.shape", "x", 1, 0));
	TRY(listxattr("f", value, 1));
	list("f");
	TRY(removexattr("f", "user.color"));
	TRY(removexattr("f", "user.color"));
	list("f");
	TRY(fd = open("f", O_RDONLY));
	TRY(fsetxattr(fd, "user.fd", "1", 1, 0));
	TRY(fgetxattr(fd, "user.fd", value, sizeof value));
	TRY(flistxattr(fd, NULL, 0) > 0);
	TRY(fremovexattr(fd, "user.fd"));
	TRY(fgetxattr(99, "user.fd", value, sizeof value));
	TRY(setxattr("d", "user.dir", "yes", 3, 0));
	list("d");
	TRY(rename("f", "g"));
	TRY(getxattr("g", "user.shape", value, sizeof value));
	return 0;
}
