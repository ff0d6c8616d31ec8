// Numbers left out at random, and normal ones added.
#include "operations.hpp"
#include "philox.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

/// y (+)= x * factor + shift where the element's bits reach the threshold, else x * 0 + dropped.
///
/// operands: x, y   ints: how bits are shared (outer, each, inner: bit j belongs to x[i, j, k] of a sample, for all
/// i and k), accumulate, threshold, a RandomSource   floats: factor, shift, dropped
void dropout(const Instruction& instruction, const Task& task) {
    const int64_t outer = instruction.ints[0], each = instruction.ints[1], inner = instruction.ints[2];
    const bool accumulate = instruction.ints[3];
    const uint32_t threshold = (uint32_t)instruction.ints[4];
    const RandomSource source(instruction.ints + 5, task);
    const float factor = instruction.floats[0], shift = instruction.floats[1], dropped = instruction.floats[2];
    const auto put = [=](const float* x, float* y, bool kept) {
        const float made = kept ? *x * factor + shift : *x * 0.0f + dropped;
        *y = accumulate ? *y + made : made;
    };
    constexpr int N = WIDEST;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        for (int64_t i = 0; i < each; i += 4 * N) {
            uint32_t bits[4 * N];
            source.draw_in_order<N>(n, i, bits);
            const int64_t count = each - i < 4 * N ? each - i : 4 * N;
            for (int64_t o = 0; o < outer; ++o) {
                const int64_t from = o * each + i;
                if (inner == 1) {
                    for (int64_t j = 0; j < count; ++j) put(x + from + j, y + from + j, bits[j] >= threshold);
                    continue;
                }
                for (int64_t j = 0; j < count; ++j) {
                    const int64_t run = (from + j) * inner;
                    const bool kept = bits[j] >= threshold;
                    for (int64_t k = 0; k < inner; ++k) put(x + run + k, y + run + k, kept);
                }
            }
        }
    }
}

/// y (+)= x + deviation * z, or x * (1 + deviation * z), with standard normal numbers z.
///
/// operands: x, y   ints: numbers of a row, accumulate, whether it multiplies, a RandomSource   floats: deviation
void gaussian(const Instruction& instruction, const Task& task) {
    const int64_t size = instruction.ints[0];
    const bool accumulate = instruction.ints[1], multiplies = instruction.ints[2];
    const RandomSource source(instruction.ints + 3, task);
    const float deviation = instruction.floats[0];
    constexpr int N = WIDEST;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        for (int64_t i = 0; i < size; i += 4 * N) {
            float noise[4 * N];
            source.normals<N>(n, i, noise);
            const int64_t count = size - i < 4 * N ? size - i : 4 * N;
            for (int64_t j = 0; j < count; ++j) {
                const float z = noise[j] * deviation;
                const float made = multiplies ? x[i + j] * (1.0f + z) : x[i + j] + z;
                y[i + j] = accumulate ? y[i + j] + made : made;
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
