/* Standard input, line by line: number, length, and the line turned round. */
#include "show.h"

int main(void)
{
	char line[256];
	int n = 0;

	while (fgets(line, sizeof line, stdin)) {
		size_t length = strcspn(line, "\n");
		printf("%d %zu ", ++n, length);
		while (length)
			putchar(line[--length]);
		putchar('\n');
	}
	fprintf(stderr, "%d lines\n", n);
	return n == 0;
}
