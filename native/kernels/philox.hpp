// Philox 4x32-10 (Salmon and others, 2011): random words that depend on seed, step, stream, row and element only.
#pragma once

#include "../instruction.hpp"
#include "simd.hpp"

namespace bw {
namespace BW_ISA {

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

/// Where an instruction's random words come from, by four of its whole numbers: stream, whether the seed is its own,
/// that seed's low and high word.
struct RandomSource {
    uint32_t stream, step, low, high;

    RandomSource(const int64_t* ints, const Task& task)
        : stream((uint32_t)ints[0]), step(task.step), low(ints[1] ? (uint32_t)ints[2] : task.key[0]),
          high(ints[1] ? (uint32_t)ints[3] : task.key[1]) {}

    /// The words of 4 N elements of a row, from element i, a multiple of 4, on: word w of lane l belongs to element
    /// i + 4 l + w.
    template <int N>
    inline __attribute__((always_inline)) void draw(int64_t row, int64_t i, Word<N>* words) const {
        philox<N>((uint32_t)(i / 4), (uint32_t)row, stream, step, low, high, words);
    }

    /// The same, element by element.
    template <int N>
    inline __attribute__((always_inline)) void draw_in_order(int64_t row, int64_t i, uint32_t* bits) const {
        Word<N> words[4];
        draw<N>(row, i, words);
        for (int lane = 0; lane < N; ++lane) {
            for (int word = 0; word < 4; ++word) bits[4 * lane + word] = words[word][lane];
        }
    }
};

}  // namespace BW_ISA
}  // namespace bw
