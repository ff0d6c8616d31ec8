// Images moved, turned, zoomed, flipped and cut: each output pixel is read where an affine map of its place says.
//
// u = a0 j + a1 i + a2 and v = b0 j + b1 i + b2 are the column and the row that output pixel (i, j) of a sample is
// read at; between pixels the four around are weighted. What lies outside is filled in by one of four modes. Maps
// whose rows stay rows (all but rotation) blend two rows of the image and read the columns from these.
#include "channels.hpp"
#include "operations.hpp"
#include "philox.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// bricks/sampling and engines/native/lower_sampling count the same way.
enum Kind : int64_t { FIXED, TRANSLATION, ROTATION, ZOOM, FLIP, CROP };
enum Fill : int64_t { CONSTANT, NEAREST, REFLECT, WRAP };

struct Map {
    float a0, a1, a2, b0, b1, b2;
    float low_u, high_u, low_v, high_v;
};

struct Sampling {
    int64_t height, width, channels, rows, columns, kind, fill;
    bool nearest, accumulate;
    RandomSource source;
    const float* numbers;
    float value;

    Sampling(const Instruction& instruction, const Task& task)
        : height(instruction.ints[0]), width(instruction.ints[1]), channels(instruction.ints[2]),
          rows(instruction.ints[3]), columns(instruction.ints[4]), kind(instruction.ints[5]),
          fill(instruction.ints[6]), nearest(instruction.ints[7]), accumulate(instruction.ints[8]),
          source(instruction.ints + 9, task), numbers((const float*)instruction.table), value(instruction.floats[0]) {}
};

/// The map of one sample. `numbers`: the map itself where it is fixed, else the ends of what is drawn.
Map map_of(const Sampling& s, int64_t row) {
    constexpr float ALL = 1e30f;
    Map map{1.0f, 0.0f, 0.0f, 0.0f, 1.0f, 0.0f, -ALL, ALL, -ALL, ALL};
    if (s.kind == FIXED) {
        const float* from = s.numbers;
        return {from[0], 0.0f, from[1], 0.0f, from[2], from[3], from[4], from[5], from[6], from[7]};
    }
    Word<4> words[4];
    s.source.draw<4>(row, 0, words);
    float drawn[2];
    for (int i = 0; i < 2; ++i) {
        drawn[i] = uniform(words[i][0]) * (s.numbers[2 * i + 1] - s.numbers[2 * i]) + s.numbers[2 * i];
    }
    const float right = (float)(s.width - 1), bottom = (float)(s.height - 1);
    if (s.kind == TRANSLATION) {
        map.a2 = -(drawn[1] * (float)s.width);
        map.b2 = -(drawn[0] * (float)s.height);
    } else if (s.kind == ROTATION) {
        const float angle = drawn[0] * 6.28318530717958648f;
        const float cosine = __builtin_cosf(angle), sine = __builtin_sinf(angle);
        map.a0 = map.b1 = cosine;
        map.a1 = -sine;
        map.b0 = sine;
        map.a2 = (1.0f - cosine) * (0.5f * right) + sine * (0.5f * bottom);
        map.b2 = (1.0f - cosine) * (0.5f * bottom) - sine * (0.5f * right);
    } else if (s.kind == ZOOM) {
        map.b1 = drawn[0];
        map.a0 = s.numbers[4] != 0.0f ? drawn[0] : drawn[1];
        map.a2 = (1.0f - map.a0) * (0.5f * right);
        map.b2 = (1.0f - map.b1) * (0.5f * bottom);
    } else if (s.kind == FLIP) {
        if (drawn[0] < 0.5f) map.b1 = -1.0f, map.b2 = bottom;
        if (drawn[1] < 0.5f) map.a0 = -1.0f, map.a2 = right;
    } else {
        const float most_v = (float)(s.height - s.rows), most_u = (float)(s.width - s.columns);
        map.b2 = __builtin_floorf(drawn[0] * (most_v + 1.0f));
        map.a2 = __builtin_floorf(drawn[1] * (most_u + 1.0f));
        map.b2 = map.b2 < most_v ? map.b2 : most_v;
        map.a2 = map.a2 < most_u ? map.a2 : most_u;
    }
    return map;
}

template <int N>
BW_INLINE Float<N> floor_of(Float<N> x, Int<N>& whole) {
    whole = __builtin_convertvector(x, Int<N>);
    const Float<N> back = __builtin_convertvector(whole, Float<N>);
    whole += (Int<N>)(back > x);
    return __builtin_convertvector(whole, Float<N>);
}

/// Two neighbours along one axis: where they lie, and how much each counts; what is filled in counts in `outside`.
template <int N>
struct Pair {
    Int<N> first, second;
    Float<N> one, two, outside;
};

/// The place that stands for place i of an axis of `size` places; `inside` is all ones where it is its own.
template <int N>
BW_INLINE Int<N> fixed(Int<N> i, int32_t size, int64_t fill, Int<N>& inside) {
    inside = (i >= 0) & (i < size);
    if (fill == WRAP || fill == REFLECT) {
        const int32_t period = fill == WRAP ? size : 2 * size;
        Int<N> turns;
        floor_of<N>(__builtin_convertvector(i, Float<N>) * (1.0f / (float)period), turns);
        i -= turns * period;
        i = i < 0 ? i + period : i;  // where the product was rounded over a whole number
        i = i >= period ? i - period : i;
        if (fill == REFLECT) i = i >= size ? 2 * size - 1 - i : i;
        return i;
    }
    i = i < 0 ? Int<N>{} : i;
    return i > size - 1 ? Int<N>{} + (size - 1) : i;
}

template <int N>
BW_INLINE Pair<N> pair_of(const Sampling& s, Float<N> x, float low, float high, int64_t size) {
    x = x < low ? all<N>(low) : x;
    x = x > high ? all<N>(high) : x;
    Int<N> whole;
    Float<N> weight{};
    if (s.nearest) {  // halves away from 0, as map_coordinates
        const Float<N> half = x < 0.0f ? all<N>(-0.5f) : all<N>(0.5f);
        whole = __builtin_convertvector(x + half, Int<N>);
    } else {
        weight = x - floor_of<N>(x, whole);
    }
    Pair<N> pair;
    Int<N> inside, beside;
    pair.first = fixed<N>(whole, (int32_t)size, s.fill, inside);
    pair.second = fixed<N>(whole + 1, (int32_t)size, s.fill, beside);
    pair.one = 1.0f - weight;
    pair.two = weight;
    pair.outside = Float<N>{};
    if (s.fill == CONSTANT) {
        pair.outside = (inside ? Float<N>{} : pair.one) + (beside ? Float<N>{} : pair.two);
        pair.one = inside ? pair.one : Float<N>{};
        pair.two = beside ? pair.two : Float<N>{};
    }
    return pair;
}

template <int N>
BW_INLINE Float<N> gather(const float* p, Int<N> i) {
#if defined(__AVX512F__)
    if constexpr (N == 16) return (Float<N>)_mm512_mask_i32gather_ps((__m512)Float<N>{}, 0xffff, (__m512i)i, p, 4);
#endif
#if defined(__AVX2__)
    if constexpr (N == 8) {
        const __m256 everywhere = (__m256)(Int<N>{} - 1);
        return (Float<N>)_mm256_mask_i32gather_ps((__m256)Float<N>{}, p, (__m256i)i, everywhere, 4);
    }
#endif
    Float<N> v;
    for (int lane = 0; lane < N; ++lane) v[lane] = p[i[lane]];
    return v;
}

/// from, from + 1, and so on.
template <int N>
BW_INLINE Float<N> counted(float from) {
    static const float lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return load<N>(lanes) + from;
}

/// Pairs of a run of N output places, as numbers that a loop over the lanes reads.
template <int N>
struct Held {
    int32_t first[N], second[N];
    float one[N], two[N], outside[N];

    explicit Held(const Pair<N>& pair) {
        __builtin_memcpy(first, &pair.first, sizeof first);
        __builtin_memcpy(second, &pair.second, sizeof second);
        store<N>(one, pair.one);
        store<N>(two, pair.two);
        store<N>(outside, pair.outside);
    }
};

/// Calls f(j, count, columns, rows) for runs of N pixels of an output row.
template <int N, class F>
BW_INLINE void runs_of(const Sampling& s, const Map& map, int64_t i, const F& f) {
    const float down = (float)i;
    for (int64_t j = 0; j < s.columns; j += N) {
        const Float<N> across = counted<N>((float)j);
        const Float<N> u = across * map.a0 + map.a1 * down + map.a2, v = across * map.b0 + map.b1 * down + map.b2;
        const int32_t count = (int32_t)(s.columns - j < N ? s.columns - j : N);
        f(j, count, pair_of<N>(s, u, map.low_u, map.high_u, s.width),
          pair_of<N>(s, v, map.low_v, map.high_v, s.height));
    }
}

/// One number for each place, or several: y = the sum of four pixels by their weights.
void sample_turned(const Sampling& s, const Map& map, const float* x, float* y) {
    constexpr int N = WIDEST;
    const int32_t channels = (int32_t)s.channels, pitch = (int32_t)(s.width * s.channels);
    for (int64_t i = 0; i < s.rows; ++i) {
        float* line = y + i * s.columns * s.channels;
        runs_of<N>(s, map, i, [&](int64_t j, int32_t count, const Pair<N>& u, const Pair<N>& v) {
            if (channels == 1) {
                const Int<N> above = v.first * pitch, below = v.second * pitch;
                const Float<N> top = gather<N>(x, above + u.first) * u.one + gather<N>(x, above + u.second) * u.two;
                const Float<N> foot = gather<N>(x, below + u.first) * u.one + gather<N>(x, below + u.second) * u.two;
                Float<N> made = top * v.one + foot * v.two;
                if (s.fill == CONSTANT) made += (v.outside + (v.one + v.two) * u.outside) * s.value;
                store_part<N>(line + j, made, count);
                return;
            }
            const Held<N> across(u), down(v);
            for (int32_t k = 0; k < count; ++k) {
                const float *above = x + down.first[k] * pitch, *below = x + down.second[k] * pitch;
                const int32_t left = across.first[k] * channels, right = across.second[k] * channels;
                const float one = across.one[k], two = across.two[k], high = down.one[k], under = down.two[k];
                const float rest = (down.outside[k] + (high + under) * across.outside[k]) * s.value;
                float* to = line + (j + k) * channels;
                channel_runs(channels, [=](auto width, int64_t c, int32_t valid) {
                    constexpr int M = decltype(width)::N;
                    const Float<M> top = load<M>(above + left + c) * one + load<M>(above + right + c) * two;
                    const Float<M> foot = load<M>(below + left + c) * one + load<M>(below + right + c) * two;
                    store_part<M>(to + c, top * high + foot * under + rest, valid);
                });
            }
        });
    }
}

/// The same for maps that leave rows rows: two rows are blended into `blend`, columns are read from there.
void sample_straight(const Sampling& s, const Map& map, const float* x, float* y, float* blend) {
    constexpr int N = WIDEST;
    const int64_t channels = s.channels, pitch = s.width * channels;
    for (int64_t i = 0; i < s.rows; ++i) {
        const Pair<4> v = pair_of<4>(s, all<4>(map.b1 * (float)i + map.b2), map.low_v, map.high_v, s.height);
        const float high = v.one[0], under = v.two[0], inside = high + under, outside = v.outside[0];
        const float *above = x + v.first[0] * pitch, *below = x + v.second[0] * pitch;
        vectors(pitch, [=](auto width, int64_t k, int32_t) {
            constexpr int M = decltype(width)::N;
            store<M>(blend + k, load<M>(above + k) * high + load<M>(below + k) * under);
        });
        float* line = y + i * s.columns * channels;
        for (int64_t j = 0; j < s.columns; j += N) {
            const Pair<N> u = pair_of<N>(s, counted<N>((float)j) * map.a0 + map.a2, map.low_u, map.high_u, s.width);
            const int32_t count = (int32_t)(s.columns - j < N ? s.columns - j : N);
            if (channels == 1) {
                Float<N> made = gather<N>(blend, u.first) * u.one + gather<N>(blend, u.second) * u.two;
                if (s.fill == CONSTANT) made += (outside + u.outside * inside) * s.value;
                store_part<N>(line + j, made, count);
                continue;
            }
            const Held<N> across(u);
            for (int32_t k = 0; k < count; ++k) {
                const float *left = blend + across.first[k] * channels, *right = blend + across.second[k] * channels;
                const float one = across.one[k], two = across.two[k];
                const float rest = (outside + across.outside[k] * inside) * s.value;
                float* to = line + (j + k) * channels;
                channel_runs(channels, [=](auto width, int64_t c, int32_t valid) {
                    constexpr int M = decltype(width)::N;
                    store_part<M>(to + c, load<M>(left + c) * one + load<M>(right + c) * two + rest, valid);
                });
            }
        }
    }
}

/// What `sample_turned` does to the gradient: each number goes back to the four pixels it came from.
void scatter(const Sampling& s, const Map& map, const float* dy, float* dx) {
    constexpr int N = 4;
    const int64_t channels = s.channels, pitch = s.width * channels;
    for (int64_t i = 0; i < s.rows; ++i) {
        runs_of<N>(s, map, i, [&](int64_t j, int32_t count, const Pair<N>& u, const Pair<N>& v) {
            const Held<N> across(u), down(v);
            for (int32_t k = 0; k < count; ++k) {
                const float* from = dy + (i * s.columns + j + k) * channels;
                for (int tap = 0; tap < 4; ++tap) {
                    const float weight = (tap & 1 ? across.two[k] : across.one[k]) *
                                         (tap & 2 ? down.two[k] : down.one[k]);
                    float* to = dx + (tap & 2 ? down.second[k] : down.first[k]) * pitch +
                                (tap & 1 ? across.second[k] : across.first[k]) * channels;
                    for (int64_t c = 0; c < channels; ++c) to[c] += from[c] * weight;
                }
            }
        });
    }
}

}  // namespace

/// operands: x, y, room for a row   ints: see Sampling   floats: what a constant fills in   table: see map_of
void sample_image(const Instruction& instruction, const Task& task) {
    const Sampling s(instruction, task);
    for (int64_t n = task.begin; n < task.end; ++n) {
        const Map map = map_of(s, n);
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        if (s.kind == ROTATION) {
            sample_turned(s, map, x, y);
        } else {
            sample_straight(s, map, x, y, at(task, instruction.operands[2], 0));
        }
    }
}

/// operands: dy, dx   the rest as above
void sample_image_backward(const Instruction& instruction, const Task& task) {
    const Sampling s(instruction, task);
    for (int64_t n = task.begin; n < task.end; ++n) {
        float* dx = at(task, instruction.operands[1], n);
        if (!s.accumulate) __builtin_memset(dx, 0, (unsigned long)(s.height * s.width * s.channels * 4));
        scatter(s, map_of(s, n), at(task, instruction.operands[0], n), dx);
    }
}

}  // namespace BW_ISA
}  // namespace bw
