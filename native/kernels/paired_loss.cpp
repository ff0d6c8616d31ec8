// Losses of an output and a target: one number per sample, and where they are trained on, the gradient too.
#include "functions.hpp"
#include "loss.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// Codes of the losses; engines/native/lowering writes the same numbers.
enum Paired : int64_t {
    HALF_SQUARED, MEAN_SQUARED, SIGMOID_CROSS_ENTROPY, BINARY_CROSS_ENTROPY, CROSS_ENTROPY,
    ABSOLUTE, PERCENTAGE, SQUARED_LOGARITHMIC, HUBER, LOG_COSH, POISSON, HINGE, SQUARED_HINGE,
    DIVERGENCE, BINARY_FOCAL, FOCAL, GENERALIZED
};

/// -t log p, 0 where t is 0.
template <int N>
BW_INLINE Float<N> term(Float<N> t, Float<N> p) {
    const Float<N> safe = p > 0.0f ? p : all<N>(1.0f);
    const Float<N> value = p > 0.0f ? log<N>(safe) : all<N>(-__builtin_inff());
    return t == 0.0f ? Float<N>{} : -t * value;
}

/// t / p, 0 where t is 0, infinite where only p is 0.
template <int N>
BW_INLINE Float<N> quotient(Float<N> t, Float<N> p) {
    const Float<N> safe = p > 0.0f ? p : all<N>(1.0f);
    return t == 0.0f ? Float<N>{} : (p > 0.0f ? t / safe : all<N>(__builtin_inff()));
}

/// p brought into [clip, 1 - clip]; a clip of 0 leaves it as it is.
template <int N>
BW_INLINE Float<N> clipped(Float<N> p, float clip) {
    if (clip == 0.0f) return p;
    return max<N>(all<N>(clip), min<N>(all<N>(1.0f - clip), p));
}

template <int N>
BW_INLINE Float<N> inside(Float<N> p, Float<N> slope, float clip) {
    if (clip == 0.0f) return slope;
    const Int<N> in = (p >= clip) & (p <= 1.0f - clip);
    return in ? slope : Float<N>{};
}

/// x to a power, for x above 0.
template <int N>
BW_INLINE Float<N> power(Float<N> x, float exponent) {
    return exp<N>(log<N>(x) * exponent);
}

template <int N>
BW_INLINE Float<N> sign(Float<N> x) {
    return x > 0.0f ? all<N>(1.0f) : (x < 0.0f ? all<N>(-1.0f) : Float<N>{});
}

/// What one number of y and its target t cost, and the slope of it along y.   p: the loss's own numbers
template <int64_t KIND, int N>
BW_INLINE void pair(Float<N> y, Float<N> t, const float* p, Float<N>& loss, Float<N>& slope) {
    const Float<N> zero{}, one = all<N>(1.0f);
    if constexpr (KIND == HALF_SQUARED || KIND == MEAN_SQUARED) {
        const Float<N> apart = y - t;
        loss = apart * apart * (KIND == HALF_SQUARED ? 0.5f : 1.0f);
        slope = KIND == HALF_SQUARED ? apart : apart * 2.0f;
    } else if constexpr (KIND == SIGMOID_CROSS_ENTROPY) {
        loss = max<N>(zero, y) - y * t + log1p<N>(exp<N>(-magnitude<N>(y)));
        slope = sigmoid<N>(y) - t;
    } else if constexpr (KIND == BINARY_CROSS_ENTROPY) {  // p: clip
        const Float<N> q = clipped<N>(y, p[0]);
        loss = term<N>(t, q) + term<N>(1.0f - t, 1.0f - q);
        slope = inside<N>(y, quotient<N>(1.0f - t, 1.0f - q) - quotient<N>(t, q), p[0]);
    } else if constexpr (KIND == CROSS_ENTROPY) {  // p: clip
        const Float<N> q = clipped<N>(y, p[0]);
        loss = term<N>(t, q);
        slope = inside<N>(y, -quotient<N>(t, q), p[0]);
    } else if constexpr (KIND == ABSOLUTE) {
        loss = magnitude<N>(y - t);
        slope = sign<N>(y - t);
    } else if constexpr (KIND == PERCENTAGE) {  // p: epsilon
        const Float<N> per = 100.0f / max<N>(all<N>(p[0]), magnitude<N>(t));
        loss = magnitude<N>(y - t) * per;
        slope = sign<N>(y - t) * per;
    } else if constexpr (KIND == SQUARED_LOGARITHMIC) {  // p: epsilon
        const Float<N> least = all<N>(p[0]), a = max<N>(least, y);
        const Float<N> apart = log1p<N>(a) - log1p<N>(max<N>(least, t));
        loss = apart * apart;
        slope = y > least ? apart * 2.0f / (a + 1.0f) : zero;
    } else if constexpr (KIND == HUBER) {  // p: delta
        const Float<N> apart = y - t, size = magnitude<N>(apart);
        loss = size <= p[0] ? apart * apart * 0.5f : (size - 0.5f * p[0]) * p[0];
        slope = clip<N>(apart, -p[0], p[0]);
    } else if constexpr (KIND == LOG_COSH) {
        const Float<N> size = magnitude<N>(y - t);
        loss = size + log1p<N>(exp<N>(size * -2.0f)) - 0.69314718056f;
        slope = tanh<N>(y - t);
    } else if constexpr (KIND == POISSON) {  // p: epsilon
        loss = y - t * log<N>(y + p[0]);
        slope = one - t / (y + p[0]);
    } else if constexpr (KIND == HINGE || KIND == SQUARED_HINGE) {
        const Float<N> side = t == 0.0f ? -one : t, gap = one - side * y, short_by = max<N>(zero, gap);
        loss = KIND == HINGE ? short_by : short_by * short_by;
        slope = KIND == HINGE ? (gap > 0.0f ? -side : zero) : side * short_by * -2.0f;
    } else if constexpr (KIND == DIVERGENCE) {  // p: epsilon
        const Float<N> u = clip<N>(t, p[0], 1.0f), q = clip<N>(y, p[0], 1.0f);
        loss = u * log<N>(u / q);
        slope = y == q ? -u / q : zero;
    } else if constexpr (KIND == BINARY_FOCAL) {  // p: clip, gamma, alpha (negative: none)
        const Float<N> q = clip<N>(y, p[0], 1.0f - p[0]), no = one - t;
        const Float<N> wrong = t * (one - q) + no * q, cost = -t * log<N>(q) - no * log<N>(one - q);
        const Float<N> weight = p[2] < 0.0f ? one : t * p[2] + no * (1.0f - p[2]);
        const Float<N> focus = weight * power<N>(wrong, p[1]);
        loss = focus * cost;
        const Float<N> inner = cost * p[1] / wrong * (one - t * 2.0f) - t / q + no / (one - q);
        slope = y == q ? focus * inner : zero;
    } else if constexpr (KIND == GENERALIZED) {  // p: epsilon, q
        const Float<N> u = clip<N>(y, p[0], 1.0f), raised = power<N>(u, p[1]);
        loss = t * (one - raised) / p[1];
        slope = y == u ? -t * raised / u : zero;
    } else {  // FOCAL, p: clip, gamma
        const Float<N> q = clip<N>(y, p[0], 1.0f - p[0]), rest = one - q, log_q = log<N>(q);
        const Float<N> focus = t * power<N>(rest, p[1]);
        loss = -focus * log_q;
        slope = y == q ? focus * (log_q * p[1] / rest - one / q) : zero;
    }
}

template <int64_t KIND>
void run(const Instruction& instruction, const Task& task) {
    const int64_t size = instruction.ints[1], divisor = instruction.ints[2];
    const bool whole = instruction.ints[3], accumulate = instruction.ints[4];
    const int64_t classes = instruction.ints[6];  // of class numbers; 0: t has y's shape
    const bool gradient = present(instruction.operands[4]);
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float *y = at(task, instruction.operands[0], n), *t = at(task, instruction.operands[1], n);
        float* dy = gradient ? at(task, instruction.operands[4], n) : nullptr;
        const float share = gradient ? seed_of(instruction, task, n) / (float)divisor : 0.0f;
        float total = 0.0f;
        Float<4> sums{};
        for (int64_t i = 0; i < size; i += 4) {
            const int32_t valid = size - i < 4 ? (int32_t)(size - i) : 4;
            Float<4> target{}, loss, slope;
            for (int32_t lane = 0; lane < valid; ++lane) {
                const int32_t* numbers = (const int32_t*)t;
                if (classes) {
                    target[lane] = numbers[(i + lane) / classes] == (i + lane) % classes;
                } else {
                    target[lane] = whole ? (float)numbers[i + lane] : t[i + lane];
                }
            }
            pair<KIND, 4>(load_part<4>(y + i, valid), target, instruction.floats + 1, loss, slope);
            for (int32_t lane = valid; lane < 4; ++lane) loss[lane] = 0.0f;
            sums += loss;
            if (!gradient) continue;
            slope *= share;
            if (accumulate) slope += load_part<4>(dy + i, valid);
            store_part<4>(dy + i, slope, valid);
        }
        total = sum_of<4>(sums);
        *at(task, instruction.operands[2], n) = total / (float)divisor;
    }
}

}  // namespace

/// Losses of y and a target t: the sum of terms over a divisor.
///
/// operands: y, t, l, weights, dy (absent: none)   ints: mean, numbers of a row, divisor, whether t is whole
/// numbers, accumulate, loss, classes (0, or of class numbers t)   floats: share of E, the loss's own numbers
void paired_loss(const Instruction& instruction, const Task& task) {
    switch (instruction.ints[5]) {
        case HALF_SQUARED: return run<HALF_SQUARED>(instruction, task);
        case MEAN_SQUARED: return run<MEAN_SQUARED>(instruction, task);
        case SIGMOID_CROSS_ENTROPY: return run<SIGMOID_CROSS_ENTROPY>(instruction, task);
        case BINARY_CROSS_ENTROPY: return run<BINARY_CROSS_ENTROPY>(instruction, task);
        case CROSS_ENTROPY: return run<CROSS_ENTROPY>(instruction, task);
        case ABSOLUTE: return run<ABSOLUTE>(instruction, task);
        case PERCENTAGE: return run<PERCENTAGE>(instruction, task);
        case SQUARED_LOGARITHMIC: return run<SQUARED_LOGARITHMIC>(instruction, task);
        case HUBER: return run<HUBER>(instruction, task);
        case LOG_COSH: return run<LOG_COSH>(instruction, task);
        case POISSON: return run<POISSON>(instruction, task);
        case HINGE: return run<HINGE>(instruction, task);
        case SQUARED_HINGE: return run<SQUARED_HINGE>(instruction, task);
        case DIVERGENCE: return run<DIVERGENCE>(instruction, task);
        case BINARY_FOCAL: return run<BINARY_FOCAL>(instruction, task);
        case GENERALIZED: return run<GENERALIZED>(instruction, task);
        default: return run<FOCAL>(instruction, task);
    }
}

namespace {

/// A run of numbers `step` apart, of an output, its target and the gradient.
struct Vector {
    const float *y, *t;
    float* dy;
    int64_t count, step;
    bool whole, accumulate;

    BW_INLINE_MEMBER float target(int64_t i) const {
        return whole ? (float)((const int32_t*)t)[i * step] : t[i * step];
    }
    BW_INLINE_MEMBER void put(int64_t i, float slope) const {
        dy[i * step] = accumulate ? dy[i * step] + slope : slope;
    }
};

/// max(1 + max (1 - t) y - sum t y, 0)
float categorical_hinge(const Vector& v, float share) {
    float right = 0.0f, wrong = -__builtin_inff();
    int64_t winner = 0;
    for (int64_t i = 0; i < v.count; ++i) {
        const float t = v.target(i), y = v.y[i * v.step], other = (1.0f - t) * y;
        right += t * y;
        if (other > wrong || other != other) {
            wrong = other;
            winner = i;
        }
    }
    const float gap = 1.0f + wrong - right;
    if (v.dy) {
        for (int64_t i = 0; i < v.count; ++i) {
            const float t = v.target(i);
            v.put(i, gap > 0.0f ? ((i == winner ? 1.0f - t : 0.0f) - t) * share : 0.0f);
        }
    }
    return gap > 0.0f || gap != gap ? gap : 0.0f;
}

/// -y t / (|y| |t|), lengths of at least epsilon
float cosine(const Vector& v, float share, float epsilon) {
    float yy = 0.0f, tt = 0.0f, yt = 0.0f;
    for (int64_t i = 0; i < v.count; ++i) {
        const float t = v.target(i), y = v.y[i * v.step];
        yy += y * y;
        tt += t * t;
        yt += y * t;
    }
    const float y_long = __builtin_sqrtf(yy), t_long = __builtin_sqrtf(tt);
    const float per_y = 1.0f / (y_long <= epsilon ? epsilon : y_long);
    const float per_t = 1.0f / (t_long <= epsilon ? epsilon : t_long);
    const float found = yt * per_y * per_t;
    if (v.dy) {
        const float along = y_long <= epsilon ? 0.0f : found * per_y * per_y * share;
        const float other = per_y * per_t * share;
        for (int64_t i = 0; i < v.count; ++i) v.put(i, v.y[i * v.step] * along - v.target(i) * other);
    }
    return -found;
}

/// 1 - a / d, with a = sum t y and d = a + alpha sum t (1 - y) + beta sum (1 - t) y + epsilon
float tversky(const Vector& v, float share, float alpha, float beta, float epsilon) {
    float both = 0.0f, missed = 0.0f, beyond = 0.0f;
    for (int64_t i = 0; i < v.count; ++i) {
        const float t = v.target(i), y = v.y[i * v.step];
        both += t * y;
        missed += t * (1.0f - y);
        beyond += (1.0f - t) * y;
    }
    const float apart = both + alpha * missed + beta * beyond + epsilon, part = both / apart;
    if (v.dy) {
        const float c = part * (1.0f - alpha - beta), per = share / apart;
        for (int64_t i = 0; i < v.count; ++i) {
            const float t = v.target(i);
            v.put(i, (c * t + part * beta - t) * per);
        }
    }
    return 1.0f - part;
}

/// One vector's loss, and its gradient.   p: the loss's own numbers
float vector_of(int64_t kind, const Vector& vector, float share, const float* p) {
    if (kind == 0) return categorical_hinge(vector, share);
    return kind == 1 ? cosine(vector, share, p[0]) : tversky(vector, share, p[0], p[1], p[2]);
}

}  // namespace

/// Losses of whole vectors of y and t, the mean over the vectors of a sample.
///
/// operands: y, t, l, weights, dy (absent: none)   ints: mean, loss, sizes before, along and behind the vectors,
/// whether t is whole numbers, accumulate   floats: share of E, epsilon
void vector_loss(const Instruction& instruction, const Task& task) {
    const int64_t before = instruction.ints[2], count = instruction.ints[3], behind = instruction.ints[4];
    const bool gradient = present(instruction.operands[4]);
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float *y = at(task, instruction.operands[0], n), *t = at(task, instruction.operands[1], n);
        float* dy = gradient ? at(task, instruction.operands[4], n) : nullptr;
        const float share = gradient ? seed_of(instruction, task, n) / (float)(before * behind) : 0.0f;
        float total = 0.0f;
        for (int64_t place = 0; place < before * behind; ++place) {
            const int64_t first = place / behind * count * behind + place % behind;
            const Vector vector{y + first, t + first, dy ? dy + first : nullptr, count, behind,
                                instruction.ints[5] != 0, instruction.ints[6] != 0};
            total += vector_of(instruction.ints[1], vector, share, instruction.floats + 1);
        }
        *at(task, instruction.operands[2], n) = total / (float)(before * behind);
    }
}

}  // namespace BW_ISA
}  // namespace bw
