// Normalization of each sample by its own statistics: along the last axes, or by groups of channels.
//
// A sample is (sets, places, groups, width) numbers; the statistics of one group run over its places and its width.
// Along the last axes there is one place, and the numbers of a group lie side by side; groups of channels are one
// set of many places, whose sums are taken for each channel first. Variances are taken about the mean, and both are
// mended by what the differences from the mean add up to, so that a large mean does no harm.
#include "channels.hpp"
#include "functions.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// What is done to a group; engines/native/lower_sample_normalization writes the same numbers.
enum Kind : int64_t { STANDARD, ROOT_MEAN_SQUARE, UNIT };

constexpr float SMALLEST = 1e-24f;  // of the squares of a vector that is brought to norm 1

struct Sizes {
    int64_t kind, sets, places, groups, width;
    float epsilon;

    explicit Sizes(const Instruction& instruction)
        : kind(instruction.ints[0]), sets(instruction.ints[1]), places(instruction.ints[2]),
          groups(instruction.ints[3]), width(instruction.ints[4]), epsilon(instruction.floats[0]) {}
    int64_t channels() const { return groups * width; }
    int64_t pitch() const { return (channels() + 31) / 16 * 16; }
};

BW_INLINE float inverse_of(const Sizes& sizes, double sum, double count) {
    if (sizes.kind == UNIT) return 1.0f / __builtin_sqrtf(sum > (double)SMALLEST ? (float)sum : SMALLEST);
    return 1.0f / __builtin_sqrtf((float)(sum / count) + sizes.epsilon);
}

/// Σ f(a, i) over a run of numbers, two sums at a time.
struct Sums {
    float one, two;
};

template <class F>
BW_INLINE Sums sums_of(int64_t count, const F& f) {
    Float<WIDEST> one[2] = {}, two[2] = {};
    int64_t i = 0;
    for (; i + 2 * WIDEST <= count; i += 2 * WIDEST) {
        f(Width<WIDEST>(), i, WIDEST, one[0], two[0]);
        f(Width<WIDEST>(), i + WIDEST, WIDEST, one[1], two[1]);
    }
    if (i + WIDEST <= count) {
        f(Width<WIDEST>(), i, WIDEST, one[0], two[0]);
        i += WIDEST;
    }
    Sums sums{sum_of<WIDEST>(one[0] + one[1]), sum_of<WIDEST>(two[0] + two[1])};
    if (i < count) {
        Float<4> rest{}, other{};
        for (; i < count; i += 4) f(Width<4>(), i, (int32_t)(count - i < 4 ? count - i : 4), rest, other);
        sums.one += sum_of<4>(rest);
        sums.two += sum_of<4>(other);
    }
    return sums;
}

void normalise_run(const Sizes& sizes, const float* x, float* y, const float* gamma, const float* beta, float* mean,
                   float* inverse) {
    const int64_t count = sizes.width;
    float centre = 0.0f;
    double sum;
    if (sizes.kind == STANDARD) {
        centre = sums_of(count, [=](auto width, int64_t i, int32_t valid, auto& one, auto&) {
                     one += load_part<decltype(width)::N>(x + i, valid);
                 }).one / (float)count;
        const Sums apart = sums_of(count, [=](auto width, int64_t i, int32_t valid, auto& one, auto& two) {
            constexpr int N = decltype(width)::N;
            const auto d = only<N>(load_part<N>(x + i, valid) - centre, valid);
            one += d;
            two += d * d;
        });
        const double off = (double)apart.one / (double)count;
        sum = (double)apart.two - off * (double)apart.one;
        centre = (float)((double)centre + off);
    } else {
        sum = sums_of(count, [=](auto width, int64_t i, int32_t valid, auto& one, auto&) {
                  const auto v = load_part<decltype(width)::N>(x + i, valid);
                  one += v * v;
              }).one;
    }
    const float factor = inverse_of(sizes, sum > 0.0 ? sum : sum != sum ? sum : 0.0, (double)count);
    *mean = centre;
    *inverse = factor;
    vectors(count, [=](auto width, int64_t i, int32_t valid) {
        constexpr int N = decltype(width)::N;
        Float<N> v = (load_part<N>(x + i, valid) - centre) * factor;
        if (gamma) v *= load_part<N>(gamma + i, valid);
        if (beta) v += load_part<N>(beta + i, valid);
        store_part<N>(y + i, v, valid);
    });
}

struct Back {
    const float *x, *dy, *gamma;
    float *dx, *dgamma, *dbeta;
    bool accumulate;
};

void hand_on_run(const Sizes& sizes, const Back& back, float mean, float inverse) {
    const int64_t count = sizes.width;
    const float *x = back.x, *dy = back.dy, *gamma = back.gamma;
    if (back.dgamma || back.dbeta) {
        vectors(count, [=](auto width, int64_t i, int32_t valid) {
            constexpr int N = decltype(width)::N;
            const Float<N> g = load_part<N>(dy + i, valid);
            if (back.dgamma) {
                const Float<N> z = (load_part<N>(x + i, valid) - mean) * inverse;
                store_part<N>(back.dgamma + i, load_part<N>(back.dgamma + i, valid) + g * z, valid);
            }
            if (back.dbeta) store_part<N>(back.dbeta + i, load_part<N>(back.dbeta + i, valid) + g, valid);
        });
    }
    if (!back.dx) return;
    const Sums sums = sums_of(count, [=](auto width, int64_t i, int32_t valid, auto& one, auto& two) {
        constexpr int N = decltype(width)::N;
        Float<N> g = load_part<N>(dy + i, valid);
        if (gamma) g *= load_part<N>(gamma + i, valid);
        one += g;
        two += g * ((load_part<N>(x + i, valid) - mean) * inverse);
    });
    const bool unit = sizes.kind == UNIT, bent = !unit || inverse < 1e12f;
    const float share = unit ? 1.0f : 1.0f / (float)count;
    const float pull = bent ? sums.two * share : 0.0f, shift = sizes.kind == STANDARD ? sums.one * share : 0.0f;
    float* dx = back.dx;
    const bool accumulate = back.accumulate;
    vectors(count, [=](auto width, int64_t i, int32_t valid) {
        constexpr int N = decltype(width)::N;
        Float<N> g = load_part<N>(dy + i, valid);
        if (gamma) g *= load_part<N>(gamma + i, valid);
        const Float<N> z = (load_part<N>(x + i, valid) - mean) * inverse;
        g = (g - shift - z * pull) * inverse;
        if (accumulate) g += load_part<N>(dx + i, valid);
        store_part<N>(dx + i, g, valid);
    });
}

/// For each channel the sum of f over all places; f(width, place, channel, sum, other).
template <class F>
BW_INLINE void channel_sums(const Sizes& sizes, float* one, float* two, const F& f) {
    channel_runs(sizes.channels(), [&](auto width, int64_t c, int32_t) {
        constexpr int N = decltype(width)::N;
        Float<N> a[2] = {}, b[2] = {};
        int64_t p = 0;
        for (; p + 2 <= sizes.places; p += 2) {
            f(width, p, c, a[0], b[0]);
            f(width, p + 1, c, a[1], b[1]);
        }
        if (p < sizes.places) f(width, p, c, a[0], b[0]);
        store<N>(one + c, a[0] + a[1]);
        if (two) store<N>(two + c, b[0] + b[1]);
    });
}

void normalise_groups(const Sizes& sizes, const float* x, float* y, const float* gamma, const float* beta,
                      float* means, float* inverses, float* room) {
    const int64_t channels = sizes.channels(), width = sizes.width;
    const double count = (double)(sizes.places * width);
    float *mean = room, *one = room + sizes.pitch(), *two = one + sizes.pitch();
    channel_sums(sizes, one, nullptr, [=](auto w, int64_t p, int64_t c, auto& a, auto&) {
        a += load<decltype(w)::N>(x + p * channels + c);
    });
    for (int64_t g = 0; g < sizes.groups; ++g) {
        double sum = 0.0;
        for (int64_t r = 0; r < width; ++r) sum += (double)one[g * width + r];
        for (int64_t r = 0; r < width; ++r) mean[g * width + r] = (float)(sum / count);
    }
    channel_sums(sizes, one, two, [=](auto w, int64_t p, int64_t c, auto& a, auto& b) {
        constexpr int N = decltype(w)::N;
        const Float<N> d = load<N>(x + p * channels + c) - load<N>(mean + c);
        a += d;
        b += d * d;
    });
    float *factor = one, *offset = two;
    for (int64_t g = 0; g < sizes.groups; ++g) {
        double sum = 0.0, squares = 0.0;
        for (int64_t r = 0; r < width; ++r) {
            sum += (double)one[g * width + r];
            squares += (double)two[g * width + r];
        }
        const double off = sum / count, left = squares - off * sum;
        means[g] = (float)((double)mean[g * width] + off);
        inverses[g] = inverse_of(sizes, left > 0.0 ? left : left != left ? left : 0.0, count);
        for (int64_t r = 0; r < width; ++r) {
            const int64_t c = g * width + r;
            mean[c] = means[g];
            factor[c] = inverses[g] * (gamma ? gamma[c] : 1.0f);
            offset[c] = beta ? beta[c] : 0.0f;
        }
    }
    channel_runs(channels, [&](auto w, int64_t c, int32_t valid) {
        constexpr int N = decltype(w)::N;
        const Float<N> m = load<N>(mean + c), f = load<N>(factor + c), o = load<N>(offset + c);
        for (int64_t p = 0; p < sizes.places; ++p) {
            store_part<N>(y + p * channels + c, (load<N>(x + p * channels + c) - m) * f + o, valid);
        }
    });
}

void hand_on_groups(const Sizes& sizes, const Back& back, const float* means, const float* inverses, float* room) {
    const int64_t channels = sizes.channels(), width = sizes.width, pitch = sizes.pitch();
    const double count = (double)(sizes.places * width);
    float *mean = room, *one = room + pitch, *two = one + pitch;
    for (int64_t g = 0; g < sizes.groups; ++g) {
        for (int64_t r = 0; r < width; ++r) mean[g * width + r] = means[g];
    }
    const float *x = back.x, *dy = back.dy;
    channel_sums(sizes, one, two, [=](auto w, int64_t p, int64_t c, auto& a, auto& b) {
        constexpr int N = decltype(w)::N;
        const Float<N> g = load<N>(dy + p * channels + c);
        a += g;
        b += g * (load<N>(x + p * channels + c) - load<N>(mean + c));
    });
    float *factor = two + pitch, *pull = one, *shift = two;
    for (int64_t g = 0; g < sizes.groups; ++g) {
        const float inverse = inverses[g];
        double sum = 0.0, product = 0.0;
        for (int64_t r = 0; r < width; ++r) {
            const int64_t c = g * width + r;
            if (back.dgamma) back.dgamma[c] += two[c] * inverse;
            if (back.dbeta) back.dbeta[c] += one[c];
            const double gain = back.gamma ? back.gamma[c] : 1.0f;
            sum += gain * (double)one[c];
            product += gain * (double)two[c];
        }
        const float b = (float)(-(double)inverse * (double)inverse * (double)inverse * product / count);
        const float s = (float)(-(double)inverse * sum / count);
        for (int64_t r = 0; r < width; ++r) {
            const int64_t c = g * width + r;
            factor[c] = inverse * (back.gamma ? back.gamma[c] : 1.0f);
            pull[c] = b;
            shift[c] = s;
        }
    }
    if (!back.dx) return;
    float* dx = back.dx;
    channel_runs(channels, [&](auto w, int64_t c, int32_t valid) {
        constexpr int N = decltype(w)::N;
        const Float<N> m = load<N>(mean + c), f = load<N>(factor + c), b = load<N>(pull + c), s = load<N>(shift + c);
        for (int64_t p = 0; p < sizes.places; ++p) {
            const int64_t i = p * channels + c;
            Float<N> g = load<N>(dy + i) * f + ((load<N>(x + i) - m) * b + s);
            if (back.accumulate) g += load_part<N>(dx + i, valid);
            store_part<N>(dx + i, g, valid);
        }
    });
}

}  // namespace

/// y = (x - mean) / deviation * gamma + beta, of each group.
///
/// operands: x, y, means and inverse deviations, gamma, beta, room   ints: see Sizes   floats: epsilon
void sample_norm(const Instruction& instruction, const Task& task) {
    const Sizes sizes(instruction);
    const Operand* operands = instruction.operands;
    const float* gamma = present(operands[3]) ? at(task, operands[3], 0) : nullptr;
    const float* beta = present(operands[4]) ? at(task, operands[4], 0) : nullptr;
    const int64_t channels = sizes.channels(), statistics = sizes.sets * sizes.groups;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, operands[0], n);
        float *y = at(task, operands[1], n), *means = at(task, operands[2], n), *inverses = means + statistics;
        if (sizes.places > 1) {
            normalise_groups(sizes, x, y, gamma, beta, means, inverses, at(task, operands[5], 0));
            continue;
        }
        for (int64_t s = 0; s < sizes.sets; ++s) {
            for (int64_t g = 0; g < sizes.groups; ++g) {
                const int64_t i = s * channels + g * sizes.width, k = s * sizes.groups + g;
                normalise_run(sizes, x + i, y + i, gamma ? gamma + g * sizes.width : nullptr,
                              beta ? beta + g * sizes.width : nullptr, means + k, inverses + k);
            }
        }
    }
}

/// dx (+)=, and the sums of a chunk for dgamma and dbeta.
///
/// operands: x, dy, means and inverse deviations, gamma, dx, sums for dgamma, for dbeta, room
/// ints: see Sizes, then accumulate
void sample_norm_backward(const Instruction& instruction, const Task& task) {
    const Sizes sizes(instruction);
    const Operand* operands = instruction.operands;
    const int64_t channels = sizes.channels(), statistics = sizes.sets * sizes.groups;
    const float* gamma = present(operands[3]) ? at(task, operands[3], 0) : nullptr;
    float* sums[2];
    for (int which = 0; which < 2; ++which) {
        sums[which] = present(operands[5 + which]) ? at(task, operands[5 + which], task.chunk) : nullptr;
        if (sums[which] && task.first) __builtin_memset(sums[which], 0, (unsigned long)(channels * 4));
    }
    for (int64_t n = task.begin; n < task.end; ++n) {
        Back back{at(task, operands[0], n), at(task, operands[1], n), gamma,
                  present(operands[4]) ? at(task, operands[4], n) : nullptr, sums[0], sums[1],
                  instruction.ints[5] != 0};
        const float *means = at(task, operands[2], n), *inverses = means + statistics;
        if (sizes.places > 1) {
            hand_on_groups(sizes, back, means, inverses, at(task, operands[7], 0));
            continue;
        }
        for (int64_t s = 0; s < sizes.sets; ++s) {
            for (int64_t g = 0; g < sizes.groups; ++g) {
                const int64_t i = s * channels + g * sizes.width, c = g * sizes.width, k = s * sizes.groups + g;
                const Back own{back.x + i, back.dy + i, gamma ? gamma + c : nullptr, back.dx ? back.dx + i : nullptr,
                               sums[0] ? sums[0] + c : nullptr, sums[1] ? sums[1] + c : nullptr, back.accumulate};
                hand_on_run(sizes, own, means[k], inverses[k]);
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
