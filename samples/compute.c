/* What the processor itself works out: integers, floating point, strings, atomics. */
#include "show.h"
#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

static jmp_buf back;

static int compare(const void *a, const void *b)
{
	return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

static void jump(int n)
{
	if (n == 0)
		longjmp(back, 7);
	jump(n - 1);
}

int main(void)
{
	volatile uint64_t big = 0x123456789abcdef0;
	volatile int64_t negative = -1234567890123;
	volatile double x = 2.0;
	static int numbers[2000];
	uint32_t seed = 1, sum = 0;

	printf("%llx %llu %lld\n", (unsigned long long)(big * big), (unsigned long long)(big / 1000003),
	       (long long)(negative % 1000));
	printf("%d %d %d %d\n", __builtin_popcountll(big), __builtin_clzll(big), __builtin_ctzll(big),
	       __builtin_bswap32((uint32_t)big));
	printf("%llx %llx\n", (unsigned long long)(big >> 13 | big << 51), (unsigned long long)(negative >> 5));
	printf("%.15g %.15g %.15g\n", sqrt(x), x / 3, fma(x, 3, 1));
	printf("%.12f %.12f %.12f %.12f\n", sin(x), log(x), exp(x), pow(x, 0.5));
	printf("%g %g %g %d\n", x / 0.0, -x / 0.0, floor(-x / 3), isnan((x - x) / 0.0) != 0);
	printf("%a %.3e %f\n", 1.0 / 3, 6.02214076e23, (double)(float)0.1);
	printf("%d %d %lld\n", (int)2147483000.7, (int)-2.9, (long long)1e18);
	printf("%s\n", strtod("0x1.8p3", NULL) == 12.0 ? "hexadecimal" : "?");

	for (int i = 0; i < 2000; i++) {
		seed = seed * 1664525 + 1013904223;
		numbers[i] = (int)(seed >> 8);
	}
	qsort(numbers, 2000, sizeof *numbers, compare);
	for (int i = 0; i < 2000; i++)
		sum = sum * 31 + (uint32_t)numbers[i];
	printf("sorted %d %d %u\n", numbers[0], numbers[1999], sum);

	char text[4096];
	memset(text, 'a', sizeof text);
	text[4095] = 0;
	text[3000] = 'b';
	printf("%zu %d %d\n", strlen(text), (int)(strchr(text, 'b') - text), memcmp(text, text + 1, 2000));
	memmove(text + 1, text, 4000);
	printf("%d\n", (int)((char *)memchr(text, 'b', 4096) - text));

	static int counter;
	static uint64_t wide = 41;
	for (int i = 0; i < 1000; i++)
		__atomic_fetch_add(&counter, i, __ATOMIC_SEQ_CST);
	uint64_t expected = 41;
	int swapped = __atomic_compare_exchange_n(&wide, &expected, 42, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	printf("%d %d %d\n", counter, swapped, (int)wide);

	int came = setjmp(back);
	if (!came)
		jump(10);
	printf("longjmp %d\n", came);

	void *blocks[300];
	for (int i = 0; i < 300; i++) {
		blocks[i] = malloc((size_t)i * 731 + 1);
		memset(blocks[i], i, (size_t)i * 731 + 1);
	}
	for (int i = 0; i < 300; i += 2)
		free(blocks[i]);
	unsigned check = 0;
	for (int i = 1; i < 300; i += 2) {
		blocks[i] = realloc(blocks[i], (size_t)i * 1500);
		check += ((unsigned char *)blocks[i])[i * 731];
	}
	printf("malloc %u\n", check);
	return 0;
}
