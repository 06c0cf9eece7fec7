/* Sieve of Eratosthenes over one byte per number, N times: memory traffic. */
#include "bare.h"

enum { LIMIT = 1 << 20 };
static unsigned char composite[LIMIT];

static unsigned long sieve(void)
{
	unsigned long primes = 0;
	for (long i = 0; i < LIMIT; i++)
		composite[i] = 0;
	for (long i = 2; i < LIMIT; i++) {
		if (composite[i])
			continue;
		primes++;
		for (long k = 2 * i; k < LIMIT; k += i)
			composite[k] = 1;
	}
	return primes;
}

int bare_main(int argc, char **argv)
{
	unsigned long total = 0;
	for (long n = number(argc, argv, 1, 1); n > 0; n--)
		total += sieve();
	report("primes", total);
	return 0;
}
