// Philox 4x32-10 (Salmon and others, 2011): random words that depend on seed, step, stream, row and element only.
#pragma once

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

}  // namespace BW_ISA
}  // namespace bw
