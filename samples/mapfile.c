/* Files in memory: MAP_SHARED and read(2) see one truth, MAP_PRIVATE keeps its own. */
#include "show.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)

int main(void)
{
	char buf[16] = "";
	char *shared, *private, *p;
	int fd, ro;

	TRY(fd = open("f", O_CREAT | O_RDWR, 0644));
	TRY(ftruncate(fd, 2 * PAGE));
	TRY(pwrite(fd, "original", 8, 0));
	TRYP(shared = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0));
	TRYP(private = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0));
	FACT(!strcmp(shared, "original") && !strcmp(private, "original"));

	memcpy(shared, "changed!", 8);
	TRY(pread(fd, buf, 8, 0));
	puts(buf);
	puts(private);  /* not yet written by us: still the file's page */
	private[0] = 'P';
	memcpy(shared, "CHANGED?", 8);
	puts(shared);
	puts(private);
	TRY(pread(fd, buf, 8, 0));
	puts(buf);
	TRY(pwrite(fd, "through write", 14, PAGE));
	puts(shared + PAGE);
	puts(private + PAGE);
	TRY(msync(shared, PAGE, MS_SYNC));
	TRY(madvise(private, PAGE, MADV_DONTNEED));
	puts(private);  /* its copy is thrown away */

	TRY(close(fd));
	memcpy(shared, "closed", 7);
	TRY(fd = open("f", O_RDWR));
	TRY(read(fd, buf, 8));
	puts(buf);

	TRYP(p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE));
	puts(p);
	TRYP(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 100));
	TRY(ro = open("f", O_RDONLY));
	TRYP(mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0));
	TRYP(p = mmap(NULL, PAGE, RW, MAP_PRIVATE, ro, 0));
	p[0] = 'r';
	TRYP(p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0));
	TRY(mprotect(p, PAGE, RW));
	int wo = open("f", O_WRONLY), dir = open(".", O_RDONLY);
	TRYP(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, wo, 0));
	TRYP(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0));

	TRY(ftruncate(fd, 6));
	FACT(!memcmp(shared, "closed\0\0", 8));  /* the tail of the last page is zeroed */
	TRY(ftruncate(fd, PAGE));
	FACT(!memcmp(shared, "closed\0\0", 8));
	shared[6] = '+';
	TRY(pread(fd, buf, 8, 0));
	puts(buf);
	TRY(unlink("f"));
	puts(shared);

	TRYP(p = mremap(shared, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, private));
	FACT(p == private);
	puts(p);
	TRY(fd = memfd_create("m", MFD_CLOEXEC));
	TRY(ftruncate(fd, PAGE));
	TRYP(p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
	strcpy(p, "memfd");
	TRY(read(fd, buf, 6));
	puts(buf);
	return 0;
}
