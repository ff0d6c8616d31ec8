// Walking over the channels of a place: images and rows of features whose last axis fills no whole vectors.
#pragma once

#include "rows.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace bw {
namespace BW_ISA {

/// Calls f(Width<N>(), c, valid) for runs of channels: the widest vectors, then the narrowest that holds the rest.
///
/// The last vector may reach into the next place; loads past the end of a buffer find room there.
template <class F>
BW_INLINE void channel_runs(int64_t channels, const F& f) {
    int64_t c = 0;
    for (; c + WIDEST <= channels; c += WIDEST) f(Width<WIDEST>(), c, WIDEST);
    const int32_t left = (int32_t)(channels - c);
    if (left == 0) return;
    if (left <= 4) {
        f(Width<4>(), c, left);
    } else if (left <= 8) {
        f(Width<(WIDEST < 8 ? WIDEST : 8)>(), c, left);
    } else {
        f(Width<WIDEST>(), c, left);
    }
}

/// Stores all lanes where they end before `end`, else the valid ones: for places that are written in the order
/// of their addresses, so that the next place overwrites what reaches into it.
template <int N>
BW_INLINE void store_over(float* p, Float<N> v, int32_t valid, const float* end) {
    if (p + N <= end) {
        store<N>(p, v);
    } else {
        store_part<N>(p, v, valid);
    }
}

/// The number of each lane.
template <int N>
BW_INLINE Int<N> lanes_of() {
    static const int32_t lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return load_int<N>(lanes);
}

/// Zeros in the lanes from `valid` on.
template <int N>
BW_INLINE Float<N> only(Float<N> v, int32_t valid) {
    return lanes_of<N>() < valid ? v : Float<N>{};
}

/// N small whole numbers, widened. In one instruction by name: from the conversion of a vector GCC makes dozens.
template <int N, class T>
BW_INLINE Int<N> load_small(const T* p) {
#if defined(__AVX512F__)
    if constexpr (N == 16 && sizeof(T) == 1) {
        return (Int<N>)_mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128((const __m128i*)p));
    }
    if constexpr (N == 16 && sizeof(T) == 2) {
        return (Int<N>)_mm512_maskz_cvtepu16_epi32(0xffff, _mm256_loadu_si256((const __m256i*)p));
    }
#endif
#if defined(__AVX2__)
    if constexpr (N == 8 && sizeof(T) == 1) return (Int<N>)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p));
    if constexpr (N == 8 && sizeof(T) == 2) return (Int<N>)_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)p));
#endif
    Int<N> v;
    for (int lane = 0; lane < N; ++lane) v[lane] = p[lane];
    return v;
}

template <int N, class T>
BW_INLINE void store_small_over(T* p, Int<N> v, int32_t valid, const T* end) {
    typedef T Small __attribute__((vector_size(N * sizeof(T))));
    const Small narrow = __builtin_convertvector(v, Small);
    if (p + N <= end) {
        __builtin_memcpy(p, &narrow, sizeof narrow);
    } else {
        for (int32_t lane = 0; lane < valid; ++lane) p[lane] = (T)v[lane];
    }
}

}  // namespace BW_ISA
}  // namespace bw
