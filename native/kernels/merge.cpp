// Several values become one, or parts of one: sums, products, maxima of equal shapes, and numbers moved about.
#include "operations.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// Codes of the operations; engines/native/lower_merge writes the same numbers.
enum Merge : int64_t { ADD, MULTIPLY, MAXIMUM, MINIMUM, SUBTRACT, AVERAGE };

template <int64_t KIND, bool RELU, bool ACCUMULATE>
void run(const Instruction& instruction, const Task& task) {
    const Operand* operands[3] = {&instruction.operands[0], &instruction.operands[1], &instruction.operands[2]};
    const float factor = instruction.floats[0];
    each_row(task, instruction.ints[1], operands, 3, [factor](float** at, int64_t count) {
        vectors(count, [=](auto width, int64_t i, int32_t valid) {
            (void)factor;
            constexpr int N = decltype(width)::N;
            const Float<N> a = load_part<N>(at[0] + i, valid), b = load_part<N>(at[1] + i, valid);
            Float<N> y = a + b;
            if (KIND == SUBTRACT) y = a - b;
            if (KIND == AVERAGE) y *= factor;
            if (KIND == MINIMUM) y = (b < a) | (b != b) ? b : a;
            if (KIND == MULTIPLY) y = a * b;
            if (KIND == MAXIMUM) y = (b > a) | (b != b) ? b : a;
            if (RELU) y = max<N>(Float<N>{}, y);
            if (ACCUMULATE) y += load_part<N>(at[2] + i, valid);
            store_part<N>(at[2] + i, y, valid);
        });
    });
}

}  // namespace

/// y (+)= a + b, a * b, max(a, b), min(a, b), a - b or (a + b) * factor.
///
/// operands: a, b, y   ints: which, numbers of a row, then ReLU, accumulate   floats: factor
void merge(const Instruction& instruction, const Task& task) {
    const bool accumulate = instruction.ints[3];
    switch (instruction.ints[0]) {
        case ADD: return instruction.ints[2] ? run<ADD, true, false>(instruction, task)
                                             : run<ADD, false, false>(instruction, task);
        case MULTIPLY: return accumulate ? run<MULTIPLY, false, true>(instruction, task)
                                         : run<MULTIPLY, false, false>(instruction, task);
        case MINIMUM: return run<MINIMUM, false, false>(instruction, task);
        case SUBTRACT: return run<SUBTRACT, false, false>(instruction, task);
        case AVERAGE: return run<AVERAGE, false, false>(instruction, task);
        default: return run<MAXIMUM, false, false>(instruction, task);
    }
}

/// dx (+)= dy where x is the chosen y, a maximum or minimum, and none of the inputs before it is.
///
/// operands: dy, y, dx, x, inputs before it   ints: how many of these, numbers of a row, accumulate
void maximum_backward(const Instruction& instruction, const Task& task) {
    const Operand* operands[8];
    const int earlier = (int)instruction.ints[0];
    for (int i = 0; i < 4 + earlier; ++i) operands[i] = &instruction.operands[i];
    const bool accumulate = instruction.ints[2];
    each_row(task, instruction.ints[1], operands, 4 + earlier, [=](float** at, int64_t count) {
        vectors(count, [=](auto width, int64_t i, int32_t valid) {
            constexpr int N = decltype(width)::N;
            const Float<N> y = load_part<N>(at[1] + i, valid);
            Int<N> won = load_part<N>(at[3] + i, valid) == y;
            for (int other = 0; other < earlier; ++other) won &= load_part<N>(at[4 + other] + i, valid) != y;
            Float<N> dx = won ? load_part<N>(at[0] + i, valid) : Float<N>{};
            if (accumulate) dx += load_part<N>(at[2] + i, valid);
            store_part<N>(at[2] + i, dx, valid);
        });
    });
}

/// y[o, k, i] (+)= x[o, k, i] with steps of their own.
///
/// operands: x, y   ints: sizes of o, k, i; steps of o, k in x; in y; where x, y begin; accumulate
void move(const Instruction& instruction, const Task& task) {
    const int64_t* n = instruction.ints;
    const bool accumulate = n[9];
    for (int64_t row = task.begin; row < task.end; ++row) {
        const float* from = at(task, instruction.operands[0], row) + n[7];
        float* to = at(task, instruction.operands[1], row) + n[8];
        for (int64_t o = 0; o < n[0]; ++o) {
            for (int64_t k = 0; k < n[1]; ++k) {
                const float* x = from + o * n[3] + k * n[4];
                float* y = to + o * n[5] + k * n[6];
                if (!accumulate) {
                    __builtin_memcpy(y, x, (unsigned long)(n[2] * 4));
                    continue;
                }
                vectors(n[2], [=](auto width, int64_t i, int32_t valid) {
                    constexpr int N = decltype(width)::N;
                    store_part<N>(y + i, load_part<N>(y + i, valid) + load_part<N>(x + i, valid), valid);
                });
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
