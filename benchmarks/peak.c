/* Multiply-adds from registers alone: the most that a core can do. Compiled by peak.py for the machine it runs on. */
#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif

typedef float vec __attribute__((vector_size(BYTES)));

#define EACH(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11)

/* Twelve sums hide the latency and fit beside two factors into the 16 registers of AVX2. */
float multiply_adds(long rounds) {
    vec a, b;
    for (int i = 0; i < BYTES / 4; ++i) {
        a[i] = 0.999f;
        b[i] = 0.001f * (float)(i + 1);
    }
#define BEGIN(n) vec s##n = b * (float)(n + 1);
    EACH(BEGIN)
    for (long round = 0; round < rounds; ++round) {
#define ADD(n) s##n = s##n * a + b;
        EACH(ADD)
    }
#define JOIN(n) total += s##n;
    vec total = b;
    EACH(JOIN)
    float sum = 0;
    for (int i = 0; i < BYTES / 4; ++i) sum += total[i];
    return sum;
}

long operations_per_round(void) { return 2L * 12 * (BYTES / 4); }
