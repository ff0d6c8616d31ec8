// Philox 4x32-10 (Salmon and others, 2011): random words that depend on seed, step, stream, row and element only.
#pragma once

#include "../instruction.hpp"
#include "functions.hpp"

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

/// A word as a number in [0, 1), by its upper 24 bits.
BW_INLINE float uniform(uint32_t word) { return (float)(word >> 8) * 0x1p-24f; }

template <int N>
BW_INLINE Float<N> uniform(Word<N> words) {
    return __builtin_convertvector((Int<N>)(words >> 8), Float<N>) * 0x1p-24f;
}

/// The sine and cosine of 2 pi u for u in [0, 1), by their series on the eighth of a turn beside the next quarter.
template <int N>
BW_INLINE void sine_and_cosine(Float<N> u, Float<N>& sine, Float<N>& cosine) {
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
BW_INLINE void normal_pair(Word<N> first, Word<N> second, Float<N>& a, Float<N>& b) {
    const Float<N> u = uniform<N>(first), v = uniform<N>(second);
    const Float<N> radius = root<N>(log<N>(1.0f - u) * -2.0f);
    sine_and_cosine<N>(v, b, a);
    a *= radius;
    b *= radius;
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

    /// 4 N standard normal numbers of a row, from element i, a multiple of 4, on.
    template <int N>
    inline __attribute__((always_inline)) void normals(int64_t row, int64_t i, float* numbers) const {
        Word<N> words[4];
        draw<N>(row, i, words);
        Float<N> z[4];
        normal_pair<N>(words[0], words[1], z[0], z[1]);
        normal_pair<N>(words[2], words[3], z[2], z[3]);
        for (int lane = 0; lane < N; ++lane) {
            for (int word = 0; word < 4; ++word) numbers[4 * lane + word] = z[word][lane];
        }
    }
};

}  // namespace BW_ISA
}  // namespace bw
