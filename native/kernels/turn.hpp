// Squares of numbers turned over their diagonal, in registers.
#pragma once

#include "simd.hpp"

namespace bw {
namespace BW_ISA {

template <int N, int S, int... L>
BW_INLINE void swap_lanes(Float<N>& a, Float<N>& b) {
    // lane l of the new a: (l & S) ? b[l - S] : a[l];  of the new b: (l & S) ? b[l] : a[l + S]
    const Float<N> left = __builtin_shufflevector(a, b, ((L & S) ? N + L - S : L)...);
    const Float<N> right = __builtin_shufflevector(a, b, ((L & S) ? N + L : L + S)...);
    a = left;
    b = right;
}

template <int N, int S>
BW_INLINE void swap_all(Float<N>& a, Float<N>& b) {
    if constexpr (N == 4) swap_lanes<4, S, 0, 1, 2, 3>(a, b);
    if constexpr (N == 8) swap_lanes<8, S, 0, 1, 2, 3, 4, 5, 6, 7>(a, b);
    if constexpr (N == 16) swap_lanes<16, S, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15>(a, b);
}

template <int N, int S>
BW_INLINE void stage(Float<N>* r) {
    _Pragma("GCC unroll 16")
    for (int i = 0; i < N; ++i) {
        if (!(i & S)) swap_all<N, S>(r[i], r[i + S]);
    }
}

/// An N x N square turned over its diagonal, in registers: put(i, v) gets column i of it.
template <int N, class F>
BW_INLINE void turned(const float* in, int64_t in_step, const F& put) {
    Float<N> r[N];
    _Pragma("GCC unroll 16")
    for (int i = 0; i < N; ++i) r[i] = load<N>(in + i * in_step);
    stage<N, 1>(r);
    stage<N, 2>(r);
    if constexpr (N > 4) stage<N, 4>(r);
    if constexpr (N > 8) stage<N, 8>(r);
    _Pragma("GCC unroll 16")
    for (int i = 0; i < N; ++i) put(i, r[i]);
}

template <int N>
static inline void turn(const float* in, int64_t in_step, float* out, int64_t out_step) {
    turned<N>(in, in_step, [=](int i, Float<N> v) { store<N>(out + i * out_step, v); });
}

/// Rows [first, first + rows) of one block of W become columns of one block of its transpose.
static inline void turn_block(const float* in, int32_t in_width, int32_t columns, float* out, int32_t out_width, int32_t rows) {
    int32_t c = 0;
    if (rows == out_width || rows % WIDEST == 0) {
        for (; c + WIDEST <= columns && in_width >= WIDEST; c += WIDEST) {
            if (rows % WIDEST) break;
            for (int32_t r = 0; r < rows; r += WIDEST) {
                turn<WIDEST>(in + (int64_t)r * in_width + c, in_width, out + (int64_t)c * out_width + r, out_width);
            }
        }
    }
    for (; c < columns; ++c) {
        for (int32_t r = 0; r < rows; ++r) out[(int64_t)c * out_width + r] = in[(int64_t)r * in_width + c];
    }
}

}  // namespace BW_ISA
}  // namespace bw
