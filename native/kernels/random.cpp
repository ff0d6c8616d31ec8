// Numbers left out at random, and normal ones added.
#include "functions.hpp"
#include "operations.hpp"
#include "philox.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// The sine and cosine of 2 pi u for u in [0, 1), by their series on the eighth of a turn beside the next quarter.
template <int N>
BW_INLINE void turn(Float<N> u, Float<N>& sine, Float<N>& cosine) {
    const Float<N> magic = all<N>(12582912.0f);  // 1.5 * 2^23: adding it rounds to whole numbers
    const Float<N> whole = (u * 4.0f + magic) - magic;
    const Int<N> quarter = __builtin_convertvector(whole, Int<N>);
    const Float<N> x = (u - whole * 0.25f) * 6.28318530717958648f, q = x * x;
    Float<N> s = q * (1.0f / 362880.0f) - 1.0f / 5040.0f;
    s = s * q + 1.0f / 120.0f;
    s = s * q - 1.0f / 6.0f;
    s = s * q * x + x;
    Float<N> c = q * (-1.0f / 3628800.0f) + 1.0f / 40320.0f;
    c = c * q - 1.0f / 720.0f;
    c = c * q + 1.0f / 24.0f;
    c = c * q - 0.5f;
    c = c * q + 1.0f;
    const Int<N> swapped = (quarter & 1) != 0;
    const Float<N> a = swapped ? c : s, b = swapped ? s : c;
    sine = (quarter & 2) != 0 ? -a : a;
    cosine = ((quarter + 1) & 2) != 0 ? -b : b;
}

/// Two standard normal numbers from two words (Box and Muller, 1958), see Context.normals.
template <int N>
BW_INLINE void normals(Word<N> first, Word<N> second, Float<N>& a, Float<N>& b) {
    const Float<N> u = __builtin_convertvector((Int<N>)(first >> 8), Float<N>) * 5.9604644775390625e-8f;
    const Float<N> v = __builtin_convertvector((Int<N>)(second >> 8), Float<N>) * 5.9604644775390625e-8f;
    const Float<N> radius = root<N>(log<N>(1.0f - u) * -2.0f);
    turn<N>(v, b, a);
    a *= radius;
    b *= radius;
}

}  // namespace

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
            Word<N> words[4];
            source.draw<N>(n, i, words);
            Float<N> z[4];
            normals<N>(words[0], words[1], z[0], z[1]);
            normals<N>(words[2], words[3], z[2], z[3]);
            float noise[4 * N];
            for (int lane = 0; lane < N; ++lane) {
                for (int word = 0; word < 4; ++word) noise[4 * lane + word] = z[word][lane] * deviation;
            }
            const int64_t count = size - i < 4 * N ? size - i : 4 * N;
            for (int64_t j = 0; j < count; ++j) {
                const float made = multiplies ? x[i + j] * (1.0f + noise[j]) : x[i + j] + noise[j];
                y[i + j] = accumulate ? y[i + j] + made : made;
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
