// What parameters pay for their size.
#include "operations.hpp"
#include "simd.hpp"

namespace bw {
namespace BW_ISA {

namespace {

typedef double Double __attribute__((vector_size(WIDEST * 8)));

/// The same order of additions for one width of registers.
double sum_of_lanes(const Double& x) {
    double sum = 0.0;
    for (int lane = 0; lane < WIDEST; ++lane) sum += x[lane];
    return sum;
}

}  // namespace

double penalty_of(const float* x, int64_t count, float l1, float l2) {
    Double sizes{}, squares{};
    int64_t i = 0;
    for (; i + WIDEST <= count; i += WIDEST) {
        const Double size = __builtin_convertvector(magnitude<WIDEST>(load<WIDEST>(x + i)), Double);
        sizes += size;
        squares += size * size;
    }
    double one = sum_of_lanes(sizes), two = sum_of_lanes(squares);
    for (; i < count; ++i) {
        const double size = __builtin_fabs((double)x[i]);
        one += size;
        two += size * size;
    }
    return (double)l1 * one + (double)l2 * two;
}

}  // namespace BW_ISA
}  // namespace bw
