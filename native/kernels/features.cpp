// A gain and a shift for each feature, sums over axes of a sample, and what a sample pays for its activations.
#include "channels.hpp"
#include "functions.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// Where the numbers of the features come from; engines/native/lower_features writes the same numbers.
enum From : int64_t { TABLE, GAIN, STATISTICS, INVERSE };

template <int N>
struct Map {
    Float<N> before, gain, after;  ///< y = (x - before) * gain + after
};

template <int N>
BW_INLINE Map<N> map_of(const Instruction& instruction, const Task& task, int64_t c, int32_t valid) {
    const int64_t features = instruction.ints[0];
    const Operand &one = instruction.operands[2], &two = instruction.operands[3];
    Map<N> map{Float<N>{}, all<N>(1.0f), Float<N>{}};
    if (instruction.ints[2] == TABLE) {
        const float* numbers = (const float*)instruction.table + c;
        map.before = load_part<N>(numbers, valid);
        map.gain = load_part<N>(numbers + features, valid);
        map.after = load_part<N>(numbers + 2 * features, valid);
    } else if (instruction.ints[2] == GAIN) {
        map.gain = load_part<N>(at(task, one, 0) + c, valid);
    } else {
        const Float<N> mean = load_part<N>(at(task, one, 0) + c, valid);
        const Float<N> found = root<N>(load_part<N>(at(task, two, 0) + c, valid));
        const Float<N> deviation = max<N>(found, all<N>(instruction.floats[0]));
        const bool inverse = instruction.ints[2] == INVERSE;
        map.gain = inverse ? deviation : 1.0f / deviation;
        (inverse ? map.after : map.before) = mean;
    }
    return map;
}

}  // namespace

/// y = (x - before) * gain + after; as gradient y (+)= x * gain.
///
/// operands: x, y, gain or mean, variance   ints: features, places, whence, whether the gradient, accumulate
/// floats: the least deviation   table: before, gain, after as float32
void feature_map(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], each = instruction.ints[1];
    const bool gradient = instruction.ints[3], accumulate = instruction.ints[4];
    channel_runs(features, [&](auto width, int64_t c, int32_t valid) {
        constexpr int N = decltype(width)::N;
        Map<N> map = map_of<N>(instruction, task, c, valid);
        if (gradient) map.before = map.after = Float<N>{};
        for (int64_t n = task.begin; n < task.end; ++n) {
            const float* x = at(task, instruction.operands[0], n) + c;
            float* y = at(task, instruction.operands[1], n) + c;
            for (int64_t p = 0; p < each; ++p) {
                Float<N> v = (load_part<N>(x + p * features, valid) - map.before) * map.gain + map.after;
                if (accumulate) v += load_part<N>(y + p * features, valid);
                store_part<N>(y + p * features, v, valid);
            }
        }
    });
}

/// The sums of x dy over the places of a chunk.   operands: x, dy, sums   ints: features, places
void feature_products(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], each = instruction.ints[1];
    float* sums = at(task, instruction.operands[2], task.chunk);
    channel_runs(features, [&](auto width, int64_t c, int32_t valid) {
        constexpr int N = decltype(width)::N;
        Float<N> total = task.first ? Float<N>{} : load_part<N>(sums + c, valid);
        for (int64_t n = task.begin; n < task.end; ++n) {
            const float* x = at(task, instruction.operands[0], n) + c;
            const float* dy = at(task, instruction.operands[1], n) + c;
            Float<N> sum{};
            for (int64_t p = 0; p < each; ++p) sum += load<N>(x + p * features) * load<N>(dy + p * features);
            total += sum;
        }
        store_part<N>(sums + c, total, valid);
    });
}

namespace {

/// Numbers that places share: number j of `each` belongs to x[i, j, k] of a sample, for all i and k.
struct Shared {
    int64_t outer, each, inner;
};

BW_INLINE Shared shared_of(const Instruction& instruction) {
    return {instruction.ints[0], instruction.ints[1], instruction.ints[2]};
}

}  // namespace

/// y (+)= z where x > 0, else alpha z: forward with z = x, backward with z = dy.
///
/// operands: x, z, y, alpha   ints: how alpha is shared (outer, each, inner), accumulate
void prelu(const Instruction& instruction, const Task& task) {
    const Shared shared = shared_of(instruction);
    const bool accumulate = instruction.ints[3];
    const float* alpha = at(task, instruction.operands[3], 0);
    const auto put = [accumulate](const float* x, const float* z, float* y, auto slope, int32_t valid) {
        constexpr int N = sizeof(slope) / 4;
        const Float<N> v = load_part<N>(z, valid);
        Float<N> made = load_part<N>(x, valid) > 0.0f ? v : v * slope;
        if (accumulate) made += load_part<N>(y, valid);
        store_part<N>(y, made, valid);
    };
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float *x = at(task, instruction.operands[0], n), *z = at(task, instruction.operands[1], n);
        float* y = at(task, instruction.operands[2], n);
        for (int64_t o = 0; o < shared.outer; ++o) {
            if (shared.inner == 1) {
                const int64_t from = o * shared.each;
                vectors(shared.each, [=](auto width, int64_t i, int32_t valid) {
                    put(x + from + i, z + from + i, y + from + i, load_part<decltype(width)::N>(alpha + i, valid), valid);
                });
                continue;
            }
            for (int64_t j = 0; j < shared.each; ++j) {
                const int64_t from = (o * shared.each + j) * shared.inner;
                const float slope = alpha[j];
                vectors(shared.inner, [=](auto width, int64_t i, int32_t valid) {
                    put(x + from + i, z + from + i, y + from + i, all<decltype(width)::N>(slope), valid);
                });
            }
        }
    }
}

/// The sums of min(x, 0) dy over a chunk, for each alpha.   operands: x, dy, sums   ints: as for prelu
void prelu_products(const Instruction& instruction, const Task& task) {
    const Shared shared = shared_of(instruction);
    float* sums = at(task, instruction.operands[2], task.chunk);
    if (task.first) {
        for (int64_t j = 0; j < shared.each; ++j) sums[j] = 0.0f;
    }
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float *x = at(task, instruction.operands[0], n), *dy = at(task, instruction.operands[1], n);
        if (shared.inner == 1) {
            channel_runs(shared.each, [&](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                Float<N> sum{};
                for (int64_t o = 0; o < shared.outer; ++o) {
                    const int64_t from = o * shared.each + c;
                    sum += min<N>(Float<N>{}, load_part<N>(x + from, valid)) * load_part<N>(dy + from, valid);
                }
                store_part<N>(sums + c, load_part<N>(sums + c, valid) + sum, valid);
            });
            continue;
        }
        for (int64_t o = 0; o < shared.outer; ++o) {
            for (int64_t j = 0; j < shared.each; ++j) {
                const int64_t from = (o * shared.each + j) * shared.inner;
                Float<WIDEST> wide{};
                Float<4> rest{};
                vectors(shared.inner, [&](auto width, int64_t i, int32_t valid) {
                    constexpr int N = decltype(width)::N;
                    const Float<N> a = load_part<N>(x + from + i, valid), b = load_part<N>(dy + from + i, valid);
                    if constexpr (N == WIDEST && N != 4) {
                        wide += min<N>(Float<N>{}, a) * b;
                    } else {
                        rest += min<N>(Float<N>{}, a) * b;
                    }
                });
                sums[j] += sum_of<WIDEST>(wide) + sum_of<4>(rest);
            }
        }
    }
}

/// y[a, b] = the sum of x[a, r, b] over r.   operands: x, y   ints: sizes of a, r, b
void sum_axes(const Instruction& instruction, const Task& task) {
    const int64_t outer = instruction.ints[0], count = instruction.ints[1], inner = instruction.ints[2];
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t o = 0; o < outer; ++o) {
            const float* x = at(task, instruction.operands[0], n) + o * count * inner;
            float* y = at(task, instruction.operands[1], n) + o * inner;
            if (inner == 1) {
                Float<WIDEST> wide{};
                Float<4> rest{};
                vectors(count, [&](auto width, int64_t i, int32_t valid) {
                    constexpr int N = decltype(width)::N;
                    if constexpr (N == WIDEST && N != 4) {
                        wide += load<N>(x + i);
                    } else {
                        rest += load_part<4>(x + i, valid);
                    }
                });
                *y = sum_of<WIDEST>(wide) + sum_of<4>(rest);
                continue;
            }
            channel_runs(inner, [&](auto width, int64_t i, int32_t valid) {
                constexpr int N = decltype(width)::N;
                Float<N> even{}, odd{};
                int64_t r = 0;
                for (; r + 2 <= count; r += 2) {
                    even += load<N>(x + r * inner + i);
                    odd += load<N>(x + (r + 1) * inner + i);
                }
                if (r < count) even += load<N>(x + r * inner + i);
                store_part<N>(y + i, even + odd, valid);
            });
        }
    }
}

/// dx[a, r, b] (+)= dy[a, b].   operands: dy, dx   ints: sizes of a, r, b, accumulate
void spread_axes(const Instruction& instruction, const Task& task) {
    const int64_t outer = instruction.ints[0], count = instruction.ints[1], inner = instruction.ints[2];
    const bool accumulate = instruction.ints[3];
    const auto put = [=](float* to, auto v, int32_t valid) {
        constexpr int N = sizeof(v) / 4;
        if (accumulate) v += load_part<N>(to, valid);
        store_part<N>(to, v, valid);
    };
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t o = 0; o < outer; ++o) {
            const float* dy = at(task, instruction.operands[0], n) + o * inner;
            float* dx = at(task, instruction.operands[1], n) + o * count * inner;
            if (inner == 1) {
                vectors(count, [&](auto width, int64_t i, int32_t valid) {
                    put(dx + i, all<decltype(width)::N>(*dy), valid);
                });
                continue;
            }
            for (int64_t r = 0; r < count; ++r) {
                vectors(inner, [&](auto width, int64_t i, int32_t valid) {
                    put(dx + r * inner + i, load_part<decltype(width)::N>(dy + i, valid), valid);
                });
            }
        }
    }
}

/// y = l1 sum |x| + l2 sum x^2.   operands: x, y   ints: numbers of a row   floats: l1, l2
void activity_penalty(const Instruction& instruction, const Task& task) {
    const float one = instruction.floats[0], two = instruction.floats[1];
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        Float<4> sums{};
        for (int64_t i = 0; i < instruction.ints[0]; i += 4) {
            const int32_t valid = instruction.ints[0] - i < 4 ? (int32_t)(instruction.ints[0] - i) : 4;
            const Float<4> v = load_part<4>(x + i, valid);
            sums += magnitude<4>(v) * one + v * v * two;
        }
        *at(task, instruction.operands[1], n) = sum_of<4>(sums);
    }
}

/// dx (+)= dy (l1 sign(x) + 2 l2 x).   operands: x, dy (1 a row), dx   ints: numbers of a row, accumulate
/// floats: l1, l2
void activity_penalty_backward(const Instruction& instruction, const Task& task) {
    const float one = instruction.floats[0], two = 2.0f * instruction.floats[1];
    const bool accumulate = instruction.ints[1];
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float *x = at(task, instruction.operands[0], n), dy = *at(task, instruction.operands[1], n);
        float* dx = at(task, instruction.operands[2], n);
        vectors(instruction.ints[0], [=](auto width, int64_t i, int32_t valid) {
            constexpr int N = decltype(width)::N;
            const Float<N> v = load_part<N>(x + i, valid);
            const Float<N> sign = v > 0.0f ? all<N>(one) : (v < 0.0f ? all<N>(-one) : Float<N>{});
            Float<N> g = (sign + v * two) * dy;
            if (accumulate) g += load_part<N>(dx + i, valid);
            store_part<N>(dx + i, g, valid);
        });
    }
}

}  // namespace BW_ISA
}  // namespace bw
