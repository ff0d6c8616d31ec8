// The compilers' own __builtin_cpu_supports needs a library that clang-cl does not link; the tests compare
// the two where it is there.
#include "cpu_features.hpp"

#if defined(__x86_64__) || defined(_M_X64)

#include <cpuid.h>

namespace bw {
namespace {

struct Registers {
    unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf) {
    Registers r;
    __get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);  // leaves zeros where there is no such leaf
    return r;
}

bool all(unsigned word, unsigned bits) { return (word & bits) == bits; }

// XCR0: the register states that the system saves. Read only where it has switched XSAVE on.
unsigned saved_states() {
    if (!all(cpuid(1).c, bit_OSXSAVE)) return 0;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

constexpr unsigned xmm_ymm = 0x6;
#if defined(__APPLE__)
constexpr unsigned zmm = 0;  // macOS switches these on when a thread first uses them
#else
constexpr unsigned zmm = 0xe0;  // masks, upper halves of zmm0-15, zmm16-31
#endif

}  // namespace

bool cpu_has_avx2() {
    return all(saved_states(), xmm_ymm) && all(cpuid(1).c, bit_AVX | bit_FMA) && all(cpuid(7).b, bit_AVX2);
}

bool cpu_has_avx512() {
    return cpu_has_avx2() && all(saved_states(), zmm) &&
           all(cpuid(7).b, bit_AVX512F | bit_AVX512VL | bit_AVX512BW | bit_AVX512DQ);
}

}  // namespace bw

#else

namespace bw {

bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }

}  // namespace bw

#endif
