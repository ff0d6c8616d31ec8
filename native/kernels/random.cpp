// Philox 4x32-10 (Salmon and others, 2011): random words that depend on seed, step, stream, row and element only.
#include "operations.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

namespace {

template <int N>
BW_INLINE void multiply(uint32_t factor, Word<N> x, Word<N>& high, Word<N>& low) {
    typedef uint64_t Wide __attribute__((vector_size(N * 8)));
    const Wide product = __builtin_convertvector(x, Wide) * (uint64_t)factor;
    low = __builtin_convertvector(product, Word<N>);
    high = __builtin_convertvector(product >> 32, Word<N>);
}

/// Four words for each of N counters (first + lane, row, stream, step).
template <int N>
BW_INLINE void philox(uint32_t first, uint32_t row, uint32_t stream, uint32_t step, uint32_t low, uint32_t high,
                      Word<N>* words) {
    Word<N> a, b = Word<N>{} + row, c = Word<N>{} + stream, d = Word<N>{} + step;
    for (int lane = 0; lane < N; ++lane) a[lane] = first + (uint32_t)lane;
    for (int round = 0; round < 10; ++round) {
        Word<N> high_a, low_a, high_c, low_c;
        multiply<N>(0xD2511F53u, a, high_a, low_a);
        multiply<N>(0xCD9E8D57u, c, high_c, low_c);
        a = high_c ^ b ^ low;
        b = low_c;
        c = high_a ^ d ^ high;
        d = low_a;
        low += 0x9E3779B9u;
        high += 0xBB67AE85u;
    }
    words[0] = a, words[1] = b, words[2] = c, words[3] = d;
}

}  // namespace

/// y (+)= x * factor where the element's bits reach the threshold, else 0.
///
/// operands: x, y   ints: numbers of a row, accumulate, threshold, stream, whether the seed is its own, that
/// seed's low and high word   floats: factor
void dropout(const Instruction& instruction, const Task& task) {
    const int64_t size = instruction.ints[0];
    const bool accumulate = instruction.ints[1];
    const uint32_t threshold = (uint32_t)instruction.ints[2], stream = (uint32_t)instruction.ints[3];
    const bool own = instruction.ints[4];
    const uint32_t low = own ? (uint32_t)instruction.ints[5] : task.key[0];
    const uint32_t high = own ? (uint32_t)instruction.ints[6] : task.key[1];
    const float factor = instruction.floats[0];
    constexpr int N = WIDEST;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        for (int64_t i = 0; i < size; i += 4 * N) {
            Word<N> words[4];
            philox<N>((uint32_t)(i / 4), (uint32_t)n, stream, task.step, low, high, words);
            uint32_t bits[4 * N];
            for (int lane = 0; lane < N; ++lane) {
                for (int word = 0; word < 4; ++word) bits[4 * lane + word] = words[word][lane];
            }
            const int64_t count = size - i < 4 * N ? size - i : 4 * N;
            for (int64_t j = 0; j < count; ++j) {
                const float kept = bits[j] >= threshold ? x[i + j] * factor : x[i + j] * 0.0f;
                y[i + j] = accumulate ? y[i + j] + kept : kept;
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
