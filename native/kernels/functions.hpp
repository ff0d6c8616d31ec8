// Elementary functions on vectors, right to about one unit in the last place. NaN stays NaN.
#pragma once

#include "simd.hpp"

namespace bw {
namespace BW_ISA {

/// 2^n for whole n in [-126, 127].
template <int N>
BW_INLINE Float<N> power_of_two(Int<N> n) {
    return (Float<N>)((n + 127) << 23);
}

/// x = n log 2 + r with |r| <= log(2) / 2; gives exp(r) - 1 and n. x must lie in about [-105, 90].
template <int N>
BW_INLINE Float<N> reduced_exp(Float<N> x, Int<N>& n) {
    const Float<N> magic = all<N>(12582912.0f);  // 1.5 * 2^23: adding it rounds to whole numbers
    const Float<N> whole = (x * 1.44269504088896341f + magic) - magic;
    n = __builtin_convertvector(whole, Int<N>);
    const Float<N> r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    Float<N> p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

template <int N>
BW_INLINE Float<N> exp(Float<N> x) {
    const Float<N> low = all<N>(-104.0f), high = all<N>(89.0f);
    Float<N> bounded = low > x ? low : x;
    bounded = high < bounded ? high : bounded;
    Int<N> n;
    const Float<N> p = reduced_exp<N>(bounded, n) + 1.0f;
    const Int<N> half = n >> 1;  // in two steps, so that neither leaves the range of exponents
    return (p * power_of_two<N>(half)) * power_of_two<N>(n - half);
}

template <int N>
BW_INLINE Float<N> expm1(Float<N> x) {
    const Float<N> low = all<N>(-30.0f), high = all<N>(89.0f);
    Float<N> bounded = low > x ? low : x;
    bounded = high < bounded ? high : bounded;
    Int<N> n;
    const Float<N> p = reduced_exp<N>(bounded, n);
    const Int<N> half = n >> 1;
    const Float<N> one = power_of_two<N>(half), other = power_of_two<N>(n - half);
    const Int<N> large = n > 64;  // there the 1 is lost anyway, and 2^n alone might overflow
    const Float<N> scale = one * other;
    return large ? ((p + 1.0f) * one) * other : scale * p + (scale - 1.0f);
}

template <int N>
BW_INLINE Float<N> log(Float<N> x) {
    const Float<N> tiny = all<N>(1.17549435e-38f);
    const Int<N> small = x < tiny;
    const Float<N> scaled = small ? x * 16777216.0f : x;
    const Int<N> bits = (Int<N>)scaled;
    Int<N> exponent = ((bits >> 23) & 255) - 126;
    Float<N> m = (Float<N>)((bits & 0x007fffff) | 0x3f000000);  // in [0.5, 1)
    const Int<N> below = m < 0.70710678118f;
    exponent += below;  // -1 where true
    m = below ? m + m - 1.0f : m - 1.0f;
    exponent -= small & 24;
    const Float<N> e = __builtin_convertvector(exponent, Float<N>), z = m * m;
    Float<N> p = m * 7.0376836292e-2f - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    Float<N> y = p * m * z + e * -2.12194440e-4f - 0.5f * z;
    y = m + y + e * 0.693359375f;
    const Float<N> infinity = all<N>(__builtin_inff()), nan = all<N>(__builtin_nanf(""));
    y = x == 0.0f ? -infinity : y;
    y = x == infinity ? x : y;
    y = x < 0.0f ? nan : y;
    return x != x ? x : y;
}

/// log(1 + x) for x >= 0.
template <int N>
BW_INLINE Float<N> log1p(Float<N> x) {
    const Float<N> w = x + 1.0f;
    return log<N>(w) + (x - (w - 1.0f)) / w;
}

template <int N>
BW_INLINE Float<N> with_sign_of(Float<N> size, Float<N> x) {
    return (Float<N>)((Int<N>)size | ((Int<N>)x & (Int<N>{} + (int32_t)0x80000000)));
}

template <int N>
BW_INLINE Float<N> tanh(Float<N> x) {
    const Float<N> t = expm1<N>(magnitude<N>(x) * -2.0f);
    return x != x ? x : with_sign_of<N>(-t / (t + 2.0f), x);
}

template <int N>
BW_INLINE Float<N> sigmoid(Float<N> x) {
    const Float<N> e = exp<N>(-magnitude<N>(x));
    return (x >= 0.0f ? all<N>(1.0f) : e) / (e + 1.0f);
}

template <int N>
BW_INLINE Float<N> clip(Float<N> x, float low, float high) {
    return max<N>(all<N>(low), min<N>(all<N>(high), x));
}

/// log(1 + exp(x)).
template <int N>
BW_INLINE Float<N> softplus(Float<N> x) {
    return max<N>(Float<N>{}, x) + log1p<N>(exp<N>(-magnitude<N>(x)));
}

/// The probability that a standard normal number is below x, right to about 2e-7, and its density at x.
///
/// Above |x| there is exp(-x^2 / 2) t P(t) with t = 1 / (1 + |x| / 4); P was fitted to that by least squares whose
/// weights make the largest relative error as small as can be, 3.4e-8.
template <int N>
BW_INLINE Float<N> normal_below(Float<N> x, Float<N>& density) {
    const Float<N> size = magnitude<N>(x), t = 1.0f / (size * 0.25f + 1.0f), e = exp<N>(size * size * -0.5f);
    Float<N> p = t * 0.019781988f - 0.080877215f;
    p = p * t + 0.095596895f;
    p = p * t - 0.031717323f;
    p = p * t + 0.063698992f;
    p = p * t + 0.058975190f;
    p = p * t + 0.081603102f;
    p = p * t + 0.093466356f;
    p = p * t + 0.099736430f;
    p = p * t + 0.099735565f;
    density = e * 0.398942280f;
    const Float<N> above = e * (t * p);
    return x >= 0.0f ? 1.0f - above : above;
}

template <int N>
BW_INLINE float largest_of(Float<N> x) {
    float held[N], most;
    store<N>(held, x);
    most = held[0];
    for (int i = 1; i < N; ++i) most = held[i] > most ? held[i] : most;
    return most;
}

}  // namespace BW_ISA
}  // namespace bw
