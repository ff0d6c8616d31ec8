// Rows in and out: gathering from the caller's arrays, copies, fills, sizes, and what metrics count.
#include "operations.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

namespace {

float from_half(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = (half >> 10) & 31, fraction = half & 1023, bits;
    float value;
    if (exponent == 0) {
        value = (float)fraction * 5.9604644775390625e-8f;
        __builtin_memcpy(&bits, &value, 4);
    } else {
        bits = (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13;
    }
    bits |= sign;
    __builtin_memcpy(&value, &bits, 4);
    return value;
}

template <class From, class To>
void convert(const char* from, To* to, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        From value;
        __builtin_memcpy(&value, from + i * (int64_t)sizeof(From), sizeof value);
        to[i] = (To)value;
    }
}

template <class To>
void convert_row(int32_t kind, const char* from, To* to, int64_t count) {
    switch (kind) {
        case F32: return convert<float>(from, to, count);
        case F64: return convert<double>(from, to, count);
        case U8: return convert<uint8_t>(from, to, count);
        case I8: return convert<int8_t>(from, to, count);
        case U16: return convert<uint16_t>(from, to, count);
        case I16: return convert<int16_t>(from, to, count);
        case U32: return convert<uint32_t>(from, to, count);
        case I32: return convert<int32_t>(from, to, count);
        case U64: return convert<uint64_t>(from, to, count);
        case I64: return convert<int64_t>(from, to, count);
        default:
            for (int64_t i = 0; i < count; ++i) {
                uint16_t half;
                __builtin_memcpy(&half, from + 2 * i, 2);
                to[i] = (To)from_half(half);
            }
    }
}

int64_t row_of(const Task& task, int64_t n) {
    return task.order ? task.order[task.position + n] : task.position + n;
}

/// Asks the memory for the row that is taken `after` rows later: they come in no order that the processor foresees.
/// Into the second-level cache, which has room for more requests at a time than the first.
BW_INLINE void ask_for(const Source& source, const Task& task, int64_t n, int64_t after) {
    if (n + after >= task.known) return;
    const char* next = source.data + row_of(task, n + after) * source.stride;
    for (int64_t i = 0; i < source.stride && i < 4096; i += 64) __builtin_prefetch(next + i, 0, 2);
}

constexpr int64_t LARGE_AHEAD = 4, SMALL_AHEAD = 16;

}  // namespace

namespace {

/// Rows of one number each, which lie side by side where they go: no call for each of them.
template <class From, class To>
void gather_column(const Source& source, const Task& task, To* out) {
    for (int64_t n = task.begin; n < task.end; ++n, ++out) {
        ask_for(source, task, n, SMALL_AHEAD);
        From value;
        __builtin_memcpy(&value, source.data + row_of(task, n) * source.stride, sizeof value);
        *out = (To)value;
    }
}

template <class To>
bool gather_numbers(const Source& source, const Task& task, To* out) {
    switch (source.kind) {
        case F32: gather_column<float>(source, task, out); return true;
        case U8: gather_column<uint8_t>(source, task, out); return true;
        case I32: gather_column<int32_t>(source, task, out); return true;
        case I64: gather_column<int64_t>(source, task, out); return true;
        default: return false;
    }
}

}  // namespace

/// Rows of a source, converted.   operands: to   ints: source, whether to whole numbers
void gather(const Instruction& instruction, const Task& task) {
    const Source& source = task.sources[instruction.ints[0]];
    const Operand& to = instruction.operands[0];
    if (source.size == 1 && to.stride == 1 && source.data) {
        float* out = at(task, to, task.begin);
        if (instruction.ints[1] ? gather_numbers(source, task, (int32_t*)out) : gather_numbers(source, task, out)) {
            return;
        }
    }
    if (source.kind == F32 && source.size < 16 && source.data && !instruction.ints[1]) {
        for (int64_t n = task.begin; n < task.end; ++n) {
            ask_for(source, task, n, SMALL_AHEAD);
            const char* from = source.data + row_of(task, n) * source.stride;
            float* out = at(task, to, n);
            for (int64_t i = 0; i < source.size; ++i) __builtin_memcpy(out + i, from + 4 * i, 4);
        }
        return;
    }
    for (int64_t n = task.begin; n < task.end; ++n) {
        float* out = at(task, to, n);
        if (!source.data) {
            for (int64_t i = 0; i < source.size; ++i) out[i] = 1.0f;
            continue;
        }
        const char* from = source.data + row_of(task, n) * source.stride;
        ask_for(source, task, n, LARGE_AHEAD);
        if (instruction.ints[1]) {
            convert_row(source.kind, from, (int32_t*)out, source.size);
        } else if (source.kind == F32) {
            // Not memcpy, which for rows of some thousand bytes takes instructions that are slow to start.
            vectors(source.size, [=](auto width, int64_t i, int32_t valid) {
                constexpr int N = decltype(width)::N;
                store_part<N>(out + i, load_part<N>((const float*)from + i, valid), valid);
            });
        } else {
            convert_row(source.kind, from, out, source.size);
        }
    }
}

/// operands: to   ints: numbers of a row   floats: the number
void fill(const Instruction& instruction, const Task& task) {
    const Operand* operands[1] = {&instruction.operands[0]};
    const float number = instruction.floats[0];
    each_row(task, instruction.ints[0], operands, 1, [number](float** at, int64_t count) {
        for (int64_t i = 0; i < count; ++i) at[0][i] = number;
    });
}

/// y (+)= factor * x.   operands: x, y   ints: numbers of a row, accumulate   floats: factor
void copy(const Instruction& instruction, const Task& task) {
    const Operand* operands[2] = {&instruction.operands[0], &instruction.operands[1]};
    const float factor = instruction.floats[0];
    const bool accumulate = instruction.ints[1];
    each_row(task, instruction.ints[0], operands, 2, [=](float** at, int64_t count) {
        vectors(count, [=](auto width, int64_t i, int32_t valid) {
            constexpr int N = decltype(width)::N;
            Float<N> x = load_part<N>(at[0] + i, valid) * factor;
            if (accumulate) x += load_part<N>(at[1] + i, valid);
            store_part<N>(at[1] + i, x, valid);
        });
    });
}

/// y (+)= x at some moments of a loop; without an x, it is 0. Numbers of any kind are copied as they are.
///
/// operands: x, y   ints: numbers of a row, accumulate, when: 0 at the first moment, 1 at all but it, 2 at the
/// last one, 3 at all
void carry(const Instruction& instruction, const Task& task) {
    const int64_t when = instruction.ints[2];
    if (when == 0 && task.moment != 0) return;
    if (when == 1 && task.moment == 0) return;
    if (when == 2 && task.moment != task.moments - 1) return;
    const Operand &x = instruction.operands[0], &y = instruction.operands[1];
    const bool accumulate = instruction.ints[1];
    const int64_t size = instruction.ints[0];
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* from = present(x) ? at(task, x, n) : nullptr;
        float* to = at(task, y, n);
        vectors(size, [=](auto width, int64_t i, int32_t valid) {
            constexpr int N = decltype(width)::N;
            Float<N> sum = from ? load_part<N>(from + i, valid) : Float<N>{};
            if (accumulate) sum += load_part<N>(to + i, valid);
            store_part<N>(to + i, sum, valid);
        });
    }
}

/// y = x + b along the last axis.   operands: x, y, b   ints: places of a row, features, then ReLU
void add_bias(const Instruction& instruction, const Task& task) {
    const Operand &x = instruction.operands[0], &y = instruction.operands[1], &b = instruction.operands[2];
    const int64_t places = instruction.ints[0], features = instruction.ints[1];
    const bool relu = instruction.ints[2];
    const float* bias = task.base[b.space] + b.offset;
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t place = 0; place < places; ++place) {
            const float* from = at(task, x, n) + place * features;
            float* to = at(task, y, n) + place * features;
            vectors(features, [=](auto width, int64_t i, int32_t valid) {
                constexpr int N = decltype(width)::N;
                Float<N> sum = load_part<N>(from + i, valid) + load_part<N>(bias + i, valid);
                if (relu) sum = max<N>(Float<N>{}, sum);
                store_part<N>(to + i, sum, valid);
            });
        }
    }
}

/// The largest magnitude of each row, infinity for NaN.   operands: x, out (1 a row)   ints: numbers of a row
void peaks(const Instruction& instruction, const Task& task) {
    for (int64_t n = task.begin; n < task.end; ++n) {
        *at(task, instruction.operands[1], n) = peak_of(at(task, instruction.operands[0], n), instruction.ints[0]);
    }
}

namespace {

enum Metric : int64_t { CLASS, CLASS_OF_DISTRIBUTION, THRESHOLD, EQUAL, SQUARED, ABSOLUTE };

int64_t winner(const float* x, int64_t count) {
    int64_t best = 0;
    for (int64_t i = 1; i < count; ++i) {
        if (x[i] > x[best] || (x[i] != x[i] && x[best] == x[best])) best = i;  // NaN first, as NumPy
    }
    return best;
}

}  // namespace

/// What each row contributes to a metric.
///
/// operands: target, output, out (1 a row)   ints: metric, places of a row, numbers of a place, whether the
/// target is whole numbers   floats: threshold
void metric(const Instruction& instruction, const Task& task) {
    const int64_t kind = instruction.ints[0], places = instruction.ints[1], size = instruction.ints[2];
    const bool whole = instruction.ints[3];
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float *target = at(task, instruction.operands[0], n), *output = at(task, instruction.operands[1], n);
        const int32_t* labels = (const int32_t*)target;
        float total = 0.0f;
        if (kind <= CLASS_OF_DISTRIBUTION) {
            for (int64_t place = 0; place < places; ++place) {
                const int64_t best = winner(output + place * size, size);
                if (kind == CLASS) {
                    total += (whole ? (float)labels[place] : target[place]) == (float)best;
                } else {
                    total += winner(target + place * size, size) == best;
                }
            }
            total /= (float)places;
        } else {
            for (int64_t i = 0; i < places * size; ++i) {
                const float t = whole ? (float)labels[i] : target[i], y = output[i];
                if (kind == THRESHOLD) total += (float)(y > instruction.floats[0]) == t;
                if (kind == EQUAL) total += y == t;
                if (kind == SQUARED) total += (t - y) * (t - y);
                if (kind == ABSOLUTE) total += __builtin_fabsf(t - y);
            }
            total /= (float)(places * size);
        }
        *at(task, instruction.operands[2], n) = total;
    }
}

}  // namespace BW_ISA
}  // namespace bw
