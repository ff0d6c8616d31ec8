// Softmax, its logarithm and sparsemax along the last axis.
#include "channels.hpp"
#include "functions.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// A sum over the numbers of a row: the widest vectors together, a narrower rest beside them.
struct Total {
    Float<WIDEST> wide{};
    float rest = 0.0f;

    template <int N>
    BW_INLINE_MEMBER void add(Float<N> v, int32_t valid) {
        if (valid < N) v = only<N>(v, valid);
        if constexpr (N == WIDEST) {
            wide += v;
        } else {
            rest += sum_of<N>(v);
        }
    }
    BW_INLINE_MEMBER float value() const { return sum_of<WIDEST>(wide) + rest; }
};

/// The largest number of a row; NaN where the first one is.
BW_INLINE float most_of(const float* x, int64_t count) {
    Float<WIDEST> most = all<WIDEST>(x[0]);
    channel_runs(count, [&](auto width, int64_t i, int32_t valid) {
        constexpr int N = decltype(width)::N;
        const Float<N> v = load_part<N>(x + i, valid);
        if constexpr (N == WIDEST) {
            const Float<N> larger = max<N>(v, most);
            most = valid < N ? (lanes_of<N>() < valid ? larger : most) : larger;
        } else {
            for (int lane = 0; lane < valid; ++lane) most[lane] = v[lane] > most[lane] ? v[lane] : most[lane];
        }
    });
    return max_of<WIDEST>(most);
}

}  // namespace

/// y = e^(x - max) / sum, or x - max - log sum.   operands: x, y   ints: classes, places, whether the logarithm
void softmax(const Instruction& instruction, const Task& task) {
    const int64_t classes = instruction.ints[0], places = instruction.ints[1];
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t place = 0; place < places; ++place) {
            const float* x = at(task, instruction.operands[0], n) + place * classes;
            float* y = at(task, instruction.operands[1], n) + place * classes;
            const float most = most_of(x, classes);
            Total sums;
            channel_runs(classes, [&](auto width, int64_t i, int32_t valid) {
                constexpr int N = decltype(width)::N;
                const Float<N> apart = load_part<N>(x + i, valid) - most, e = exp<N>(apart);
                sums.add<N>(e, valid);
                store_part<N>(y + i, instruction.ints[2] ? apart : e, valid);
            });
            const float sum = sums.value();
            if (instruction.ints[2]) {
                const float less = log<4>(all<4>(sum))[0];
                channel_runs(classes, [=](auto width, int64_t i, int32_t valid) {
                    constexpr int N = decltype(width)::N;
                    store_part<N>(y + i, load_part<N>(y + i, valid) - less, valid);
                });
            } else {
                const float share = 1.0f / sum;
                channel_runs(classes, [=](auto width, int64_t i, int32_t valid) {
                    constexpr int N = decltype(width)::N;
                    store_part<N>(y + i, load_part<N>(y + i, valid) * share, valid);
                });
            }
        }
    }
}

/// dx (+)= y (dy - sum dy y), or dy - e^y sum dy.
///
/// operands: y, dy, dx   ints: classes, places, whether the logarithm, accumulate
void softmax_backward(const Instruction& instruction, const Task& task) {
    const int64_t classes = instruction.ints[0], places = instruction.ints[1];
    const bool logarithm = instruction.ints[2], accumulate = instruction.ints[3];
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t place = 0; place < places; ++place) {
            const float* y = at(task, instruction.operands[0], n) + place * classes;
            const float* dy = at(task, instruction.operands[1], n) + place * classes;
            float* dx = at(task, instruction.operands[2], n) + place * classes;
            Total sums;
            channel_runs(classes, [&](auto width, int64_t i, int32_t valid) {
                constexpr int N = decltype(width)::N;
                const Float<N> g = load_part<N>(dy + i, valid);
                sums.add<N>(logarithm ? g : g * load_part<N>(y + i, valid), valid);
            });
            const float sum = sums.value();
            channel_runs(classes, [=](auto width, int64_t i, int32_t valid) {
                constexpr int N = decltype(width)::N;
                const Float<N> p = load_part<N>(y + i, valid), g = load_part<N>(dy + i, valid);
                Float<N> v = logarithm ? g - exp<N>(p) * sum : p * (g - sum);
                if (accumulate) v += load_part<N>(dx + i, valid);
                store_part<N>(dx + i, v, valid);
            });
        }
    }
}

namespace {

/// Calls f(i, valid) for the numbers of a row, four at a time.
template <class F>
BW_INLINE void fours(int64_t count, const F& f) {
    for (int64_t i = 0; i < count; i += 4) f(i, count - i < 4 ? (int32_t)(count - i) : 4);
}

}  // namespace

/// y = max(x - tau, 0), tau such that y adds up to 1.   operands: x, y   ints: classes, places
///
/// tau is that of ever fewer numbers, those above the last tau, until none falls out (Michelot 1986).
void sparsemax(const Instruction& instruction, const Task& task) {
    const int64_t classes = instruction.ints[0], places = instruction.ints[1];
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t place = 0; place < places; ++place) {
            const float* x = at(task, instruction.operands[0], n) + place * classes;
            float* y = at(task, instruction.operands[1], n) + place * classes;
            const float most = most_of(x, classes);
            float tau = -1.0f;  // no number below the largest one less 1 is in
            for (int64_t held = classes + 1;;) {
                Float<4> sums{}, counts{};
                fours(classes, [&](int64_t i, int32_t valid) {
                    const Float<4> z = load_part<4>(x + i, valid) - most;
                    const Int<4> in = (z > tau) & (Int<4>{0, 1, 2, 3} < valid);
                    sums += in ? z : Float<4>{};
                    counts += in ? all<4>(1.0f) : Float<4>{};
                });
                const float count = sum_of<4>(counts);
                if (!((int64_t)count < held) || count == 0.0f) break;
                held = (int64_t)count;
                tau = (sum_of<4>(sums) - 1.0f) / count;
            }
            fours(classes, [&](int64_t i, int32_t valid) {
                const Float<4> above = load_part<4>(x + i, valid) - most - tau;
                store_part<4>(y + i, above <= 0.0f ? Float<4>{} : above, valid);
            });
        }
    }
}

/// dx (+)= dy - mean of dy where y > 0, 0 elsewhere.   operands: y, dy, dx   ints: classes, places, accumulate
void sparsemax_backward(const Instruction& instruction, const Task& task) {
    const int64_t classes = instruction.ints[0], places = instruction.ints[1];
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t place = 0; place < places; ++place) {
            const float* y = at(task, instruction.operands[0], n) + place * classes;
            const float* dy = at(task, instruction.operands[1], n) + place * classes;
            float* dx = at(task, instruction.operands[2], n) + place * classes;
            Float<4> sums{}, counts{};
            fours(classes, [&](int64_t i, int32_t valid) {
                const Int<4> in = load_part<4>(y + i, valid) > 0.0f;
                sums += in ? load_part<4>(dy + i, valid) : Float<4>{};
                counts += in ? all<4>(1.0f) : Float<4>{};
            });
            const float mean = sum_of<4>(sums) / sum_of<4>(counts);
            fours(classes, [&](int64_t i, int32_t valid) {
                const Int<4> in = load_part<4>(y + i, valid) > 0.0f;
                Float<4> v = in ? load_part<4>(dy + i, valid) - mean : Float<4>{};
                if (instruction.ints[2]) v += load_part<4>(dx + i, valid);
                store_part<4>(dx + i, v, valid);
            });
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
