/* The Sun and its four giant planets for N steps: floating point. */
#include "bare.h"

enum { BODIES = 5 };
struct body { double x[3], v[3], mass; };

static struct body bodies[BODIES] = {
	{ { 0, 0, 0 }, { 0, 0, 0 }, 39.478 },
	{ { 4.84, -1.16, -0.10 }, { 0.606, 2.81, -0.025 }, 0.0377 },
	{ { 8.34, 4.12, -0.40 }, { -1.01, 1.82, 0.0084 }, 0.0113 },
	{ { 12.89, -15.11, -0.22 }, { 1.08, 0.868, -0.010 }, 0.00172 },
	{ { 15.38, -25.92, 0.18 }, { 0.979, 0.595, -0.034 }, 0.00203 },
};

static void step(double dt)
{
	for (int i = 0; i < BODIES; i++)
		for (int j = i + 1; j < BODIES; j++) {
			struct body *a = &bodies[i], *b = &bodies[j];
			double d[3], square = 0;
			for (int k = 0; k < 3; k++) {
				d[k] = a->x[k] - b->x[k];
				square += d[k] * d[k];
			}
			double pull = dt / (square * __builtin_sqrt(square));
			for (int k = 0; k < 3; k++) {
				a->v[k] -= d[k] * b->mass * pull;
				b->v[k] += d[k] * a->mass * pull;
			}
		}
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++)
			bodies[i].x[k] += dt * bodies[i].v[k];
}

int bare_main(int argc, char **argv)
{
	for (long n = number(argc, argv, 1, 1000); n > 0; n--)
		step(0.01);
	/* Micro-units, rounded: the same on every architecture. */
	for (int i = 1; i < BODIES; i++)
		report("distance", (unsigned long)(__builtin_fabs(bodies[i].x[0]) * 1e6 + 0.5));
	return 0;
}
