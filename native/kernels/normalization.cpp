// Batch normalization: mean and variance of each feature over all places of the batch, y = (x - mean) * factor + offset.
//
// A place is a row of features side by side: a pixel, or a sample without axes between. Sums over the places of a
// chunk are taken block by block, about the block's own mean, and merged as Chan does; the few numbers of the
// features are finished in double. So a mean that is a thousand times the deviation does no harm.
//
// What a batch makes of a feature stands in rows of the node's own room, `pitch` apart (the features, on whole
// vectors): mean, what float32 lost of it, 1 / deviation, factor, offset, and B, C of dx = factor dy + B (x - mean) + C.
#include "channels.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

enum Row : int64_t { MEAN, LOST, INVERSE, FACTOR, OFFSET, PULL, SHIFT };

constexpr int64_t BLOCK = 64;  // places that are summed before their sums are merged

struct Places {
    float* start;
    int64_t step, count;
};

BW_INLINE Places places_of(const Task& task, const Operand& operand, int64_t begin, int64_t end, int64_t each,
                           int64_t features) {
    return {at(task, operand, begin), each == 1 ? operand.stride : features, (end - begin) * each};
}

/// Calls f(Width<N>(), c, valid, first, stop) for runs of channels of the places [first, stop), block by block.
///
/// A run that reaches into the next place comes before those that are written there.
template <class F>
BW_INLINE void column_runs(int64_t places, int64_t features, const F& f) {
    const int64_t whole = features / WIDEST * WIDEST;
    for (int64_t first = 0; first < places; first += BLOCK) {
        const int64_t stop = first + BLOCK < places ? first + BLOCK : places;
        channel_runs(features - whole, [&](auto width, int64_t c, int32_t valid) {
            f(width, whole + c, valid, first, stop);
        });
        for (int64_t c = 0; c < whole; c += WIDEST) f(Width<WIDEST>(), c, WIDEST, first, stop);
    }
}

/// Before which of the places [first, stop) whole vectors may be stored: rows side by side are overwritten in their
/// order, but what lies between other rows may be another part's, as what lies behind the last row.
BW_INLINE int64_t stop_of(const Places& to, int64_t features, int64_t first, int64_t stop, bool whole) {
    if (whole) return stop;
    if (to.step != features) return first;
    return stop < to.count ? stop : to.count - 1;
}

BW_INLINE int64_t pitch_of(int64_t features) { return (features + 15) / 16 * 16; }

/// Merges the places of x into (shift, mean - shift, sum of squares about the mean), rows of `sums`.
void add_moments(const Places& x, int64_t features, float* sums, int64_t pitch, float before) {
    for (int64_t first = 0; first < x.count; first += BLOCK) {
        const int64_t count = x.count - first < BLOCK ? x.count - first : BLOCK;
        const float own = (float)count, together = before + own;
        const float share = own / together, cross = before * share, per = 1.0f / own;
        channel_runs(features, [&](auto width, int64_t c, int32_t) {
            constexpr int N = decltype(width)::N;
            const float* from = x.start + first * x.step + c;
            float *shifts = sums + c, *means = shifts + pitch, *squares = means + pitch;
            if (before == 0.0f) {
                store<N>(shifts, load<N>(from));
                store<N>(means, Float<N>{});
                store<N>(squares, Float<N>{});
            }
            const Float<N> shift = load<N>(shifts);
            Float<N> sum[4] = {}, square[4] = {};
            int64_t p = 0;
            for (; p + 4 <= count; p += 4) {
                _Pragma("GCC unroll 4")
                for (int u = 0; u < 4; ++u) sum[u] += load<N>(from + (p + u) * x.step) - shift;
            }
            for (; p < count; ++p) sum[0] += load<N>(from + p * x.step) - shift;
            const Float<N> mean = ((sum[0] + sum[1]) + (sum[2] + sum[3])) * per;
            for (p = 0; p + 4 <= count; p += 4) {
                _Pragma("GCC unroll 4")
                for (int u = 0; u < 4; ++u) {
                    const Float<N> apart = (load<N>(from + (p + u) * x.step) - shift) - mean;
                    square[u] += apart * apart;
                }
            }
            for (; p < count; ++p) {
                const Float<N> apart = (load<N>(from + p * x.step) - shift) - mean;
                square[0] += apart * apart;
            }
            const Float<N> old = load<N>(means), apart = mean - old;
            store<N>(means, old + apart * share);
            store<N>(squares, load<N>(squares) + ((square[0] + square[1]) + (square[2] + square[3])) +
                                  apart * apart * cross);
        });
        before = together;
    }
}

/// Adds dy and dy (x - mean) of all places to two rows of `sums`, `apart` numbers apart; dy where y > 0 if ReLU follows.
template <bool RELU>
void add_products(const Places& x, const Places& dy, int64_t features, const float* room, int64_t pitch, float* sums,
                  int64_t apart, bool fresh) {
    for (int64_t first = 0; first < x.count; first += BLOCK) {
        const int64_t count = x.count - first < BLOCK ? x.count - first : BLOCK;
        channel_runs(features, [&](auto width, int64_t c, int32_t) {
            constexpr int N = decltype(width)::N;
            const float *from = x.start + first * x.step + c, *back = dy.start + first * dy.step + c;
            const Float<N> mean = load<N>(room + MEAN * pitch + c), factor = load<N>(room + FACTOR * pitch + c);
            const Float<N> offset = load<N>(room + OFFSET * pitch + c);
            Float<N> sum[4] = {}, product[4] = {};
            const auto add = [&](int64_t p, int u) __attribute__((always_inline)) {
                const Float<N> centred = load<N>(from + p * x.step) - mean;
                Float<N> g = load<N>(back + p * dy.step);
                if (RELU) g = centred * factor + offset > 0.0f ? g : Float<N>{};
                sum[u] += g;
                product[u] += g * centred;
            };
            int64_t p = 0;
            for (; p + 4 <= count; p += 4) {
                _Pragma("GCC unroll 4")
                for (int u = 0; u < 4; ++u) add(p + u, u);
            }
            for (; p < count; ++p) add(p, 0);
            Float<N> one = (sum[0] + sum[1]) + (sum[2] + sum[3]);
            Float<N> two = (product[0] + product[1]) + (product[2] + product[3]);
            if (!fresh || first > 0) {
                one += load<N>(sums + c);
                two += load<N>(sums + apart + c);
            }
            store<N>(sums + c, one);
            store<N>(sums + apart + c, two);
        });
    }
}

template <bool RELU>
void normalise_places(const Places& x, const Places& y, int64_t features, const float* room, int64_t pitch) {
    column_runs(x.count, features, [&](auto width, int64_t c, int32_t valid, int64_t first, int64_t stop) {
        constexpr int N = decltype(width)::N;
        const Float<N> mean = load<N>(room + MEAN * pitch + c), factor = load<N>(room + FACTOR * pitch + c);
        const Float<N> offset = load<N>(room + OFFSET * pitch + c);
        const float* from = x.start + c;
        float* to = y.start + c;
        const int64_t x_step = x.step, y_step = y.step;
        const auto one = [=](int64_t p) __attribute__((always_inline)) {
            const Float<N> v = (load<N>(from + p * x_step) - mean) * factor + offset;
            return RELU ? max<N>(Float<N>{}, v) : v;
        };
        const int64_t whole = stop_of(y, features, first, stop, valid == N);
        int64_t p = first;
        for (; p < whole; ++p) store<N>(to + p * y_step, one(p));
        for (; p < stop; ++p) store_part<N>(to + p * y_step, one(p), valid);
    });
}

template <bool RELU, bool ACCUMULATE>
void hand_on(const Places& x, const Places& dy, const Places& dx, int64_t features, const float* room, int64_t pitch) {
    column_runs(x.count, features, [&](auto width, int64_t c, int32_t valid, int64_t first, int64_t stop) {
        constexpr int N = decltype(width)::N;
        const Float<N> mean = load<N>(room + MEAN * pitch + c), factor = load<N>(room + FACTOR * pitch + c);
        const Float<N> offset = load<N>(room + OFFSET * pitch + c);
        const Float<N> pull = load<N>(room + PULL * pitch + c), shift = load<N>(room + SHIFT * pitch + c);
        const float *from = x.start + c, *back = dy.start + c;
        float* to = dx.start + c;
        const int64_t x_step = x.step, dy_step = dy.step, dx_step = dx.step;
        const auto one = [=](int64_t p) __attribute__((always_inline)) {
            const Float<N> centred = load<N>(from + p * x_step) - mean;
            Float<N> g = load<N>(back + p * dy_step);
            if (RELU) g = centred * factor + offset > 0.0f ? g : Float<N>{};
            g = g * factor + (centred * pull + shift);
            return ACCUMULATE ? load<N>(to + p * dx_step) + only<N>(g, valid) : g;
        };
        const int64_t whole = stop_of(dx, features, first, stop, valid == N);
        int64_t p = first;
        for (; p < whole; ++p) store<N>(to + p * dx_step, one(p));
        for (; p < stop; ++p) store_part<N>(to + p * dx_step, one(p), valid);
    });
}

void hand_on(const Places& x, const Places& dy, const Places& dx, int64_t features, const float* room, int64_t pitch,
             bool relu, bool accumulate) {
    if (relu && accumulate) return hand_on<true, true>(x, dy, dx, features, room, pitch);
    if (relu) return hand_on<true, false>(x, dy, dx, features, room, pitch);
    if (accumulate) return hand_on<false, true>(x, dy, dx, features, room, pitch);
    hand_on<false, false>(x, dy, dx, features, room, pitch);
}

/// operands 3 to 8: running mean and variance, the next ones, gamma, beta   floats: epsilon, momentum, 1 - momentum
struct Feature {
    const Instruction& instruction;
    const Task& task;
    float* room;  ///< of the first feature at hand
    int64_t pitch, first;

    float* number(int operand, int64_t f) const {
        const Operand& place = instruction.operands[operand];
        return present(place) ? task.base[place.space] + place.offset + first + f : nullptr;
    }

    void finish(int64_t f, double mean, double variance, bool trains) const {
        const float *numbers = instruction.floats, *gamma = number(7, f), *beta = number(8, f);
        const double inverse = 1.0 / __builtin_sqrt(variance + (double)numbers[0]);
        const float held = (float)mean, factor = (float)((gamma ? (double)*gamma : 1.0) * inverse);
        room[MEAN * pitch + f] = held;
        room[LOST * pitch + f] = (float)(mean - (double)held);
        room[INVERSE * pitch + f] = (float)inverse;
        room[FACTOR * pitch + f] = factor;
        room[OFFSET * pitch + f] = (float)((beta ? (double)*beta : 0.0) - (mean - (double)held) * (double)factor);
        room[PULL * pitch + f] = room[SHIFT * pitch + f] = 0.0f;
        if (!trains) return;
        *number(5, f) = numbers[1] * *number(3, f) + numbers[2] * (float)mean;
        *number(6, f) = numbers[1] * *number(4, f) + numbers[2] * (float)variance;
    }
};

/// dgamma, dbeta, and what dx needs, from the sums of dy and dy (x - mean) over all m places.
void finish_gradient(const Task& task, const Operand& dgamma, const Operand& dbeta, float* room, int64_t pitch,
                     int64_t first, int64_t f, double sum, double product, double m, bool trains, bool add_gamma,
                     bool add_beta) {
    const double lost = room[LOST * pitch + f], inverse = room[INVERSE * pitch + f], factor = room[FACTOR * pitch + f];
    product -= lost * sum;
    if (present(dgamma)) {
        float* to = task.base[dgamma.space] + dgamma.offset + first + f;
        *to = (float)(product * inverse) + (add_gamma ? *to : 0.0f);
    }
    if (present(dbeta)) {
        float* to = task.base[dbeta.space] + dbeta.offset + first + f;
        *to = (float)sum + (add_beta ? *to : 0.0f);
    }
    if (!trains) return;
    const double pull = -factor * inverse * inverse * product / m;
    room[PULL * pitch + f] = (float)pull;
    room[SHIFT * pitch + f] = (float)(-factor * sum / m - pull * lost);
}

}  // namespace

/// The moments of a chunk.   operands: x, sums (shift, mean, squares, number of places)   ints: features, places
void batch_moments(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], each = instruction.ints[1], pitch = pitch_of(features);
    const Places x = places_of(task, instruction.operands[0], task.begin, task.end, each, features);
    float *sums = at(task, instruction.operands[1], task.chunk), *count = sums + 3 * pitch;
    if (task.first) *count = 0.0f;
    add_moments(x, features, sums, pitch, *count);
    *count += (float)x.count;
}

/// What the features need, from the chunks' moments; without these from the running statistics.
///
/// operands: sums, room, -, see Feature   ints: features, places, features of a part, rows of a chunk
void batch_statistics(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], each = instruction.ints[1], width = instruction.ints[2];
    const int64_t pitch = pitch_of(features), first = task.index * width;
    const int64_t count = features - first < width ? features - first : width;
    const Feature feature{instruction, task, at(task, instruction.operands[1], 0) + first, pitch, first};
    const Operand& sums = instruction.operands[0];
    if (!present(sums)) {
        for (int64_t f = 0; f < count; ++f) feature.finish(f, *feature.number(3, f), *feature.number(4, f), false);
        return;
    }
    const int64_t rows = instruction.ints[3], chunks = (task.rows + rows - 1) / rows;
    const double m = (double)(task.rows * each);
    const auto places = [&](int64_t chunk) {
        return (double)(((chunk + 1) * rows < task.rows ? rows : task.rows - chunk * rows) * each);
    };
    for (int64_t f = 0; f < count; ++f) {
        double mean = 0.0, squares = 0.0;
        for (int64_t chunk = 0; chunk < chunks; ++chunk) {
            const float* from = at(task, sums, chunk) + first + f;
            mean += places(chunk) * ((double)from[0] + (double)from[pitch]);
        }
        mean /= m;
        for (int64_t chunk = 0; chunk < chunks; ++chunk) {
            const float* from = at(task, sums, chunk) + first + f;
            const double apart = ((double)from[0] + (double)from[pitch]) - mean;
            squares += (double)from[2 * pitch] + places(chunk) * apart * apart;
        }
        feature.finish(f, mean, squares / m, true);
    }
}

/// y = (x - mean) * factor + offset.   operands: x, y, room   ints: features, places, then ReLU
void batch_normalise(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], each = instruction.ints[1];
    const Places x = places_of(task, instruction.operands[0], task.begin, task.end, each, features);
    const Places y = places_of(task, instruction.operands[1], task.begin, task.end, each, features);
    const float* room = at(task, instruction.operands[2], 0);
    if (instruction.ints[2]) {
        normalise_places<true>(x, y, features, room, pitch_of(features));
    } else {
        normalise_places<false>(x, y, features, room, pitch_of(features));
    }
}

/// All of it for samples of one place, a part of the features at a time: a few columns stay in the cache.
///
/// operands: x, room, y, see Feature   ints: features, 1, features of a part, then ReLU
void batch_norm(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], width = instruction.ints[2];
    const int64_t pitch = pitch_of(features), first = task.index * width;
    const int64_t count = features - first < width ? features - first : width;
    Places x = places_of(task, instruction.operands[0], 0, task.rows, 1, features);
    Places y = places_of(task, instruction.operands[2], 0, task.rows, 1, features);
    x.start += first;
    y.start += first;
    float* room = at(task, instruction.operands[1], 0) + first;
    float sums[3 * 64];
    add_moments(x, count, sums, 64, 0.0f);
    const Feature feature{instruction, task, room, pitch, first};
    for (int64_t f = 0; f < count; ++f) {
        feature.finish(f, (double)sums[f] + (double)sums[64 + f], (double)sums[128 + f] / (double)task.rows, true);
    }
    if (instruction.ints[3]) {
        normalise_places<true>(x, y, count, room, pitch);
    } else {
        normalise_places<false>(x, y, count, room, pitch);
    }
}

/// The sums of a chunk that the gradients need.   operands: x, dy, room, sums   ints: features, places, then ReLU
void batch_products(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], each = instruction.ints[1], pitch = pitch_of(features);
    const Places x = places_of(task, instruction.operands[0], task.begin, task.end, each, features);
    const Places dy = places_of(task, instruction.operands[1], task.begin, task.end, each, features);
    const float* room = at(task, instruction.operands[2], 0);
    float* sums = at(task, instruction.operands[3], task.chunk);
    if (instruction.ints[2]) {
        add_products<true>(x, dy, features, room, pitch, sums, pitch, task.first);
    } else {
        add_products<false>(x, dy, features, room, pitch, sums, pitch, task.first);
    }
}

/// dgamma and dbeta, and what dx needs.
///
/// operands: sums, room, dgamma, dbeta   ints: features, places, features of a part, rows of a chunk, whether the
/// statistics were the batch's, accumulate dgamma, dbeta
void batch_finish(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], each = instruction.ints[1], width = instruction.ints[2];
    const int64_t pitch = pitch_of(features), first = task.index * width;
    const int64_t count = features - first < width ? features - first : width;
    const int64_t rows = instruction.ints[3], chunks = (task.rows + rows - 1) / rows;
    float* room = at(task, instruction.operands[1], 0) + first;
    for (int64_t f = 0; f < count; ++f) {
        double sum = 0.0, product = 0.0;
        for (int64_t chunk = 0; chunk < chunks; ++chunk) {
            const float* from = at(task, instruction.operands[0], chunk) + first + f;
            sum += (double)from[0];
            product += (double)from[pitch];
        }
        finish_gradient(task, instruction.operands[2], instruction.operands[3], room, pitch, first, f, sum, product,
                        (double)(task.rows * each), instruction.ints[4], instruction.ints[5], instruction.ints[6]);
    }
}

/// dx (+)= factor dy + B (x - mean) + C.   operands: x, dy, room, dx   ints: features, places, then ReLU, accumulate
void batch_gradient(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], each = instruction.ints[1];
    const Places x = places_of(task, instruction.operands[0], task.begin, task.end, each, features);
    const Places dy = places_of(task, instruction.operands[1], task.begin, task.end, each, features);
    const Places dx = places_of(task, instruction.operands[3], task.begin, task.end, each, features);
    hand_on(x, dy, dx, features, at(task, instruction.operands[2], 0), pitch_of(features), instruction.ints[2],
            instruction.ints[3]);
}

/// The gradients of batch_norm.
///
/// operands: x, room, dgamma, dbeta, dy, dx (absent: not wanted)   ints: features, 1, features of a part, then
/// ReLU, accumulate dx, dgamma, dbeta
void batch_norm_backward(const Instruction& instruction, const Task& task) {
    const int64_t features = instruction.ints[0], width = instruction.ints[2];
    const int64_t pitch = pitch_of(features), first = task.index * width;
    const int64_t count = features - first < width ? features - first : width;
    const bool relu = instruction.ints[3];
    Places x = places_of(task, instruction.operands[0], 0, task.rows, 1, features);
    Places dy = places_of(task, instruction.operands[4], 0, task.rows, 1, features);
    x.start += first;
    dy.start += first;
    float* room = at(task, instruction.operands[1], 0) + first;
    float sums[2 * 64];
    if (relu) {
        add_products<true>(x, dy, count, room, pitch, sums, 64, true);
    } else {
        add_products<false>(x, dy, count, room, pitch, sums, 64, true);
    }
    for (int64_t f = 0; f < count; ++f) {
        finish_gradient(task, instruction.operands[2], instruction.operands[3], room, pitch, first, f, sums[f],
                        sums[64 + f], (double)task.rows, true, instruction.ints[5], instruction.ints[6]);
    }
    if (!present(instruction.operands[5])) return;
    Places dx = places_of(task, instruction.operands[5], 0, task.rows, 1, features);
    dx.start += first;
    hand_on(x, dy, dx, count, room, pitch, relu, instruction.ints[4]);
}

}  // namespace BW_ISA
}  // namespace bw
