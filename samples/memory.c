/* mmap(2), mprotect(2), mremap(2), brk(2), madvise(2), mincore(2): anonymous memory. */
#include "show.h"
#include <stdint.h>
#include <sys/mman.h>

#define PAGE 4096
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static int zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return 0;
	return 1;
}

static void mapping(void)
{
	char *p, *q;

	puts("-- mmap and munmap");
	TRYP(p = mmap(NULL, 3 * PAGE, RW, ANON, -1, 0));
	FACT(((uintptr_t)p & (PAGE - 1)) == 0);
	FACT(zero(p, 3 * PAGE));
	memset(p, 'x', 3 * PAGE);
	TRYP(mmap(NULL, 0, RW, ANON, -1, 0));
	TRYP(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	TRYP(mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0));
	TRYP(mmap(p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	TRYP(mmap(NULL, (size_t)-PAGE, RW, ANON, -1, 0));
	TRY(munmap(p + PAGE, PAGE));
	TRY(munmap(p + PAGE, PAGE));
	TRY(munmap(p + 1, PAGE));
	TRY(munmap(p, 0));
	FACT(p[0] == 'x' && p[2 * PAGE] == 'x');
	q = mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	FACT(q == p + PAGE && zero(q, PAGE));
	TRYP(mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	q = mmap(p, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	FACT(q == p && zero(p, 2 * PAGE) && p[2 * PAGE] == 'x');
	q = mmap(p + PAGE / 2, 1, RW, ANON, -1, 0);  /* a hint that is taken: another place */
	FACT(q != p && ((uintptr_t)q & (PAGE - 1)) == 0);
	munmap(q, 1);
	TRY(munmap(p, 3 * PAGE));
	q = mmap(p, PAGE, RW, ANON, -1, 0);  /* a hint that is free: this place */
	FACT(q == p);
	TRY(munmap(p, PAGE));
}

static void protection(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0);

	puts("-- mprotect");
	memset(p, 'y', 4 * PAGE);
	TRY(mprotect(p + PAGE, PAGE, PROT_READ));
	FACT(p[PAGE] == 'y');
	TRY(read(0, p + PAGE, 0));
	TRY(pipe((int *)(p + PAGE)));  /* read-only for the kernel too */
	TRY(mprotect(p + PAGE, PAGE, PROT_NONE));
	TRY(write(1, p + PAGE, 1));
	TRY(mprotect(p, 4 * PAGE, RW));
	FACT(p[PAGE] == 'y' && p[4 * PAGE - 1] == 'y');
	TRY(mprotect(p + 1, PAGE, RW));
	TRY(mprotect(p, 0, RW));
	munmap(p + PAGE, PAGE);
	TRY(mprotect(p, 4 * PAGE, PROT_READ));
	TRY(mprotect(p, PAGE, 0x800));
	munmap(p, 4 * PAGE);
}

static void moving(void)
{
	char *p, *q, *r;

	puts("-- mremap");
	p = mmap(NULL, 8 * PAGE, RW, ANON, -1, 0);
	munmap(p + 4 * PAGE, 4 * PAGE);
	memset(p, 'z', 4 * PAGE);
	q = mremap(p, 4 * PAGE, 2 * PAGE, 0);
	FACT(q == p);
	q = mremap(p, 2 * PAGE, 4 * PAGE, 0);
	FACT(q == p && p[0] == 'z' && zero(p + 2 * PAGE, 2 * PAGE));
	p[4 * PAGE - 1] = '!';
	mmap(p + 4 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0);
	TRYP(mremap(p, 4 * PAGE, 6 * PAGE, 0));
	q = mremap(p, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
	FACT(q != p && q != MAP_FAILED && q[0] == 'z' && q[4 * PAGE - 1] == '!' && zero(q + 4 * PAGE, 2 * PAGE));
	TRY(msync(p, PAGE, MS_ASYNC));
	r = mmap(NULL, 8 * PAGE, RW, ANON, -1, 0);
	p = mremap(q, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, r);
	FACT(p == r && p[0] == 'z' && zero(p + 6 * PAGE, PAGE));
	TRYP(mremap(p, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE));
	TRYP(mremap(p, 6 * PAGE, 6 * PAGE, MREMAP_FIXED, q));
	TRYP(mremap(p, 6 * PAGE, 0, 0));
	TRYP(mremap(p + 1, PAGE, PAGE, 0));
	TRYP(mremap(p, PAGE, PAGE, 64));
	TRYP(mremap(p, 100 * PAGE, 101 * PAGE, 0));
	munmap(p, 8 * PAGE);
	TRYP(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
}

static void heap(void)
{
	puts("-- brk");
	uintptr_t start = (uintptr_t)syscall(SYS_brk, 0);
	FACT(start != 0);
	FACT((uintptr_t)syscall(SYS_brk, start + 10000) == start + 10000);
	char *p = (char *)start;
	FACT(zero(p, 10000));
	memset(p, 'h', 10000);
	FACT((uintptr_t)syscall(SYS_brk, start) == start);
	FACT((uintptr_t)syscall(SYS_brk, start + 10000) == start + 10000);
	FACT(zero(p + PAGE, 4000));
	FACT((uintptr_t)syscall(SYS_brk, 1) == start + 10000);
	FACT((uintptr_t)syscall(SYS_brk, start) == start);
}

static void advice(void)
{
	unsigned char resident[4];
	char *p = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0);

	puts("-- madvise, mincore, mlock");
	p[0] = p[PAGE] = 'a';
	TRY(mincore(p, 4 * PAGE, resident));
	printf("%d%d%d%d\n", resident[0] & 1, resident[1] & 1, resident[2] & 1, resident[3] & 1);
	TRY(madvise(p, PAGE, MADV_DONTNEED));
	FACT(p[0] == 0 && p[PAGE] == 'a');
	TRY(madvise(p, PAGE, MADV_WILLNEED));
	TRY(madvise(p, PAGE, MADV_SEQUENTIAL));
	TRY(madvise(p, PAGE, 9999));
	TRY(madvise(p + 1, PAGE, MADV_NORMAL));
	TRY(madvise(p, 0, MADV_NORMAL));
	munmap(p + PAGE, PAGE);
	TRY(madvise(p, 4 * PAGE, MADV_DONTNEED));
	TRY(mincore(p, 4 * PAGE, resident));
	TRY(mincore(p + 1, PAGE, resident));
	TRY(mincore(p, PAGE, NULL));
	TRY(mlock(p, PAGE));
	TRY(munlock(p, PAGE));
	TRY(mlock(p, 4 * PAGE));
	TRY(msync(p, PAGE, MS_SYNC));
	TRY(msync(p, PAGE, MS_SYNC | MS_ASYNC));
	TRY(msync(p, 4 * PAGE, MS_SYNC));
	TRY(msync(p + 1, PAGE, MS_SYNC));
	munmap(p, 4 * PAGE);
}

static void reserve(void)
{
	puts("-- much of it");
	char *p = mmap(NULL, 1 << 30, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	FACT(p != MAP_FAILED);
	TRY(mprotect(p + (1 << 29), PAGE, RW));
	p[1 << 29] = 1;
	TRY(munmap(p, 1 << 30));
#if __SIZEOF_POINTER__ == 8
	p = mmap(NULL, 1ULL << 40, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	FACT(p != MAP_FAILED && munmap(p, 1ULL << 40) == 0);
#else
	p = mmap(NULL, 0xf0000000, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	printf("p != MAP_FAILED && munmap(p, 1ULL << 40) == 0: %s\n", p == MAP_FAILED && errno == ENOMEM ? "yes" : "NO");
#endif
	p = mmap(NULL, 4 << 20, RW, ANON, -1, 0);
	unsigned long sum = 0;
	for (int i = 0; i < 4 << 20; i += PAGE)
		p[i] = (char)(i >> 12);
	for (int i = 0; i < 4 << 20; i += PAGE)
		sum += (unsigned char)p[i];
	printf("sum %lu\n", sum);
	TRYP(mmap(NULL, PAGE, RW, ANON | MAP_POPULATE | MAP_STACK | MAP_NORESERVE, -1, 0));
	TRYP(mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

int main(void)
{
	mapping();
	protection();
	moving();
	heap();
	advice();
	reserve();
	return 0;
}
