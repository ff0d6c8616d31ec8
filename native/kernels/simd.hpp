// Vectors of floats by the compilers' vector extension: one text for SSE2, AVX2, AVX-512 and NEON.
#pragma once

#include <cstdint>

#if defined(__AVX512VL__)
#include <immintrin.h>  // masked loads and stores; the rest is the compilers' vector extension
#endif

namespace bw {
namespace BW_ISA {

template <int N>
struct Lanes;

#define BW_LANES(N)                                                          \
    template <>                                                              \
    struct Lanes<N> {                                                        \
        typedef float Float __attribute__((vector_size(N * 4)));             \
        typedef int32_t Int __attribute__((vector_size(N * 4)));             \
        typedef uint32_t Word __attribute__((vector_size(N * 4)));           \
        typedef uint8_t Byte __attribute__((vector_size(N)));                \
    };
BW_LANES(4)
BW_LANES(8)
BW_LANES(16)
#undef BW_LANES

#if defined(__AVX512F__)
constexpr int WIDEST = 16;
#elif defined(__AVX2__)
constexpr int WIDEST = 8;
#else
constexpr int WIDEST = 4;
#endif

template <int N>
using Float = typename Lanes<N>::Float;
template <int N>
using Int = typename Lanes<N>::Int;
template <int N>
using Word = typename Lanes<N>::Word;

#define BW_INLINE static inline __attribute__((always_inline))
#define BW_INLINE_MEMBER inline __attribute__((always_inline))

// A vector typedef loses its `aligned(4)` as a template argument: memory is touched by memcpy alone.
template <int N>
BW_INLINE Float<N> load(const float* p) {
    Float<N> v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

template <int N>
BW_INLINE Int<N> load_int(const int32_t* p) {
    Int<N> v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

template <int N>
BW_INLINE void store(float* p, Float<N> v) {
    __builtin_memcpy(p, &v, sizeof v);
}

/// The same number in every lane, without an addition: `Float<N>{} + a` would cost one.
template <int N>
BW_INLINE Float<N> all(float a) {
    if constexpr (N == 4) return Float<N>{a, a, a, a};
    if constexpr (N == 8) return Float<N>{a, a, a, a, a, a, a, a};
    if constexpr (N == 16) return Float<N>{a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a};
}

/// The first `valid` lanes, 0 < valid <= N, in pieces of powers of two.
template <int N>
BW_INLINE void store_part(float* p, Float<N> v, int32_t valid) {
    if (valid == N) {
        store<N>(p, v);
        return;
    }
#if defined(__AVX512VL__)
    const uint32_t mask = (1u << valid) - 1;
    if constexpr (N == 16) _mm512_mask_storeu_ps(p, (__mmask16)mask, (__m512)v);
    if constexpr (N == 8) _mm256_mask_storeu_ps(p, (__mmask8)mask, (__m256)v);
    if constexpr (N == 4) _mm_mask_storeu_ps(p, (__mmask8)mask, (__m128)v);
    return;
#endif
    float held[N];
    for (int i = 0; i < N; ++i) held[i] = v[i];  // by memcpy GCC would keep v, and where it came from, in memory
    const float* from = held;
    if (N > 8 && (valid & 8)) {
        __builtin_memcpy(p, from, 32);
        p += 8;
        from += 8;
    }
    if (N > 4 && (valid & 4)) {
        __builtin_memcpy(p, from, 16);
        p += 4;
        from += 4;
    }
    if (valid & 2) {
        __builtin_memcpy(p, from, 8);
        p += 2;
        from += 2;
    }
    if (valid & 1) __builtin_memcpy(p, from, 4);
}

/// The first `valid` lanes, zeros behind; nothing behind them is read.
template <int N>
BW_INLINE Float<N> load_part(const float* p, int32_t valid) {
    if (valid == N) return load<N>(p);
#if defined(__AVX512VL__)
    const uint32_t mask = (1u << valid) - 1;
    if constexpr (N == 16) return (Float<N>)_mm512_maskz_loadu_ps((__mmask16)mask, p);
    if constexpr (N == 8) return (Float<N>)_mm256_maskz_loadu_ps((__mmask8)mask, p);
    if constexpr (N == 4) return (Float<N>)_mm_maskz_loadu_ps((__mmask8)mask, p);
#endif
    float held[N] = {};
    float* to = held;
    if (N > 8 && (valid & 8)) {
        __builtin_memcpy(to, p, 32);
        p += 8;
        to += 8;
    }
    if (N > 4 && (valid & 4)) {
        __builtin_memcpy(to, p, 16);
        p += 4;
        to += 4;
    }
    if (valid & 2) {
        __builtin_memcpy(to, p, 8);
        p += 2;
        to += 2;
    }
    if (valid & 1) __builtin_memcpy(to, p, 4);
    return load<N>(held);
}

template <int N>
BW_INLINE Float<N> max(Float<N> a, Float<N> b) {
    return a > b ? a : b;
}
template <int N>
BW_INLINE Float<N> min(Float<N> a, Float<N> b) {
    return a < b ? a : b;
}
/// The sum of all lanes, in halves: the same way on every set for one N.
template <int N>
BW_INLINE float sum_of(Float<N> v) {
    if constexpr (N == 16) {
        return sum_of<8>(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                               __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
    } else if constexpr (N == 8) {
        return sum_of<4>(__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7));
    } else {
        const Float<4> pairs = v + __builtin_shufflevector(v, v, 2, 3, 0, 1);
        return pairs[0] + pairs[1];
    }
}
/// The largest of all lanes, in halves.
template <int N>
BW_INLINE float max_of(Float<N> v) {
    if constexpr (N == 16) {
        return max_of<8>(max<8>(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
                                __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15)));
    } else if constexpr (N == 8) {
        return max_of<4>(
            max<4>(__builtin_shufflevector(v, v, 0, 1, 2, 3), __builtin_shufflevector(v, v, 4, 5, 6, 7)));
    } else {
        const Float<4> pairs = max<4>(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
        return pairs[0] > pairs[1] ? pairs[0] : pairs[1];
    }
}
template <int N>
BW_INLINE Float<N> root(Float<N> a) {
    Float<N> y;
    for (int i = 0; i < N; ++i) y[i] = __builtin_sqrtf(a[i]);
    return y;
}
template <int N>
BW_INLINE Float<N> magnitude(Float<N> a) {
    return (Float<N>)((Word<N>)a & (Word<N>)(Int<N>{} + 0x7fffffff));
}

}  // namespace BW_ISA
}  // namespace bw
