/* How names become files: path_resolution(7). */
#include "show.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void)
{
	struct stat st;
	char component[260], longest[4100];

	mkdir("dir", 0777);
	mkdir("dir/sub", 0777);
	put_file("dir/file", "x");
	symlink("dir", "to-dir");
	symlink("dir/", "to-dir-slash");
	symlink("dir/file", "to-file");
	symlink("missing", "to-missing");

	puts("-- slashes and dots");
	TRY(stat("dir//file", &st));
	TRY(stat("./dir/./file", &st));
	TRY(stat("dir/file/", &st));
	TRY(stat("dir/file/.", &st));
	TRY(stat("dir/file/..", &st));
	TRY(stat("dir/sub/../file", &st));
	TRY(stat("dir/missing/../file", &st));
	TRY(access("/../../..", X_OK));
	TRY(access("//", X_OK));
	TRY(stat("", &st));
	TRY(lstat("to-dir", &st));
	FACT(S_ISLNK(st.st_mode));
	TRY(lstat("to-dir/", &st));
	FACT(S_ISDIR(st.st_mode));
	TRY(lstat("to-dir/.", &st));
	TRY(lstat("to-dir-slash/", &st));
	TRY(stat("to-file/", &st));
	TRY(lstat("to-file/", &st));
	TRY(stat("to-missing", &st));
	TRY(stat("to-missing/", &st));
	TRY(mkdir("to-missing", 0777));
	TRY(mkdir("to-missing/", 0777));
	TRY(rmdir("to-dir"));
	TRY(rmdir("to-dir/"));
	TRY(unlink("to-dir/"));
	TRY(open("new/", O_CREAT | O_RDWR, 0600));
	TRY(open("dir/file/", O_RDONLY));
	TRY(readlink("to-dir/", component, 10));
	TRY(rename("to-dir/", "x"));
	TRY(rename("dir/file", "x/"));
	TRY(symlink("x", "new/"));
	TRY(link("dir/file", "new/"));

	puts("-- lengths");
	memset(component, 'n', 256);
	component[255] = 0;
	TRY(open(component, O_CREAT | O_RDWR | O_CLOEXEC, 0600) > 0);
	component[255] = 'n';
	component[256] = 0;
	TRY(stat(component, &st));
	for (int i = 0; i < 4096; i += 2)
		memcpy(longest + i, "./", 2);
	longest[4095] = 0;
	TRY(access(longest, F_OK));
	longest[4095] = '.';
	longest[4096] = 0;
	TRY(access(longest, F_OK));

	int dir = open("dir", O_RDONLY | O_DIRECTORY);
	puts("-- directories by descriptor");
	TRY(fstatat(dir, "file", &st, 0));
	TRY(fstatat(99, "file", &st, 0));
	TRY(faccessat(99, "/", X_OK, 0));
	int file = open("dir/file", O_RDONLY);
	TRY(fstatat(file, "x", &st, 0));
	TRY(fstatat(file, "", &st, AT_EMPTY_PATH));
	TRY(faccessat(dir, ".", X_OK, 0));
	TRY(faccessat(dir, "..", X_OK, 0));
	int path = open("dir", O_PATH);
	TRY(fstatat(path, "file", &st, 0));
	TRY(fchdir(path));
	TRY(stat("file", &st));
	return 0;
}
