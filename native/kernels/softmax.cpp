// Softmax and its logarithm along the last axis.
#include "functions.hpp"
#include "operations.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// Calls f(i, valid) for the numbers of a row, four at a time.
template <class F>
BW_INLINE void fours(int64_t count, const F& f) {
    for (int64_t i = 0; i < count; i += 4) f(i, count - i < 4 ? (int32_t)(count - i) : 4);
}

BW_INLINE Float<4> zeros_behind(Float<4> v, int32_t valid) {
    return Int<4>{0, 1, 2, 3} < valid ? v : Float<4>{};
}

BW_INLINE float total_of(const float* x, int64_t count) {
    Float<4> sums{};
    fours(count, [&](int64_t i, int32_t valid) { sums += load_part<4>(x + i, valid); });
    return sum_of<4>(sums);
}

}  // namespace

/// y = e^(x - max) / sum, or x - max - log sum.   operands: x, y   ints: classes, places, whether the logarithm
void softmax(const Instruction& instruction, const Task& task) {
    const int64_t classes = instruction.ints[0], places = instruction.ints[1];
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t place = 0; place < places; ++place) {
            const float* x = at(task, instruction.operands[0], n) + place * classes;
            float* y = at(task, instruction.operands[1], n) + place * classes;
            float most = x[0];
            for (int64_t i = 1; i < classes; ++i) most = x[i] > most ? x[i] : most;
            Float<4> sums{};
            fours(classes, [&](int64_t i, int32_t valid) {
                const Float<4> apart = load_part<4>(x + i, valid) - most, e = exp<4>(apart);
                sums += zeros_behind(e, valid);
                store_part<4>(y + i, instruction.ints[2] ? apart : e, valid);
            });
            const float sum = sum_of<4>(sums);
            if (instruction.ints[2]) {
                const float less = log<4>(all<4>(sum))[0];
                fours(classes, [&](int64_t i, int32_t valid) {
                    store_part<4>(y + i, load_part<4>(y + i, valid) - less, valid);
                });
            } else {
                const float share = 1.0f / sum;
                fours(classes, [&](int64_t i, int32_t valid) {
                    store_part<4>(y + i, load_part<4>(y + i, valid) * share, valid);
                });
            }
        }
    }
}

/// dx (+)= y (dy - sum dy y), or dy - e^y sum dy.
///
/// operands: y, dy, dx   ints: classes, places, whether the logarithm, accumulate
void softmax_backward(const Instruction& instruction, const Task& task) {
    const int64_t classes = instruction.ints[0], places = instruction.ints[1];
    const bool logarithm = instruction.ints[2], accumulate = instruction.ints[3];
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t place = 0; place < places; ++place) {
            const float* y = at(task, instruction.operands[0], n) + place * classes;
            const float* dy = at(task, instruction.operands[1], n) + place * classes;
            float* dx = at(task, instruction.operands[2], n) + place * classes;
            Float<4> products{};
            if (!logarithm) {
                fours(classes, [&](int64_t i, int32_t valid) {
                    products += load_part<4>(y + i, valid) * load_part<4>(dy + i, valid);
                });
            }
            const float sum = logarithm ? total_of(dy, classes) : sum_of<4>(products);
            fours(classes, [&](int64_t i, int32_t valid) {
                const Float<4> p = load_part<4>(y + i, valid), g = load_part<4>(dy + i, valid);
                Float<4> v = logarithm ? g - exp<4>(p) * sum : p * (g - sum);
                if (accumulate) v += load_part<4>(dx + i, valid);
                store_part<4>(dx + i, v, valid);
            });
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
