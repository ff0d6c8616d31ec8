// Rows of a table by their numbers, and their gradients added where they came from.
#include "operations.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// The number at p, whole or cut off to one; -1 where there is no such row.
BW_INLINE int64_t row_at(const float* p, bool whole, int64_t rows) {
    if (whole) {
        int32_t number;
        __builtin_memcpy(&number, p, 4);
        return number >= 0 && number < rows ? number : -1;
    }
    return *p > -1.0f && *p < (float)rows ? (int64_t)*p : -1;
}

}  // namespace

/// y = E[x]; a number without a row gives NaN.
///
/// operands: x, y, E   ints: places of a sample, rows of E, columns, whether x holds whole numbers
void embed(const Instruction& instruction, const Task& task) {
    const int64_t places = instruction.ints[0], rows = instruction.ints[1], columns = instruction.ints[2];
    const float* table = at(task, instruction.operands[2], 0);
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        for (int64_t place = 0; place < places; ++place, y += columns) {
            const int64_t row = row_at(x + place, instruction.ints[3], rows);
            if (row < 0) {
                for (int64_t i = 0; i < columns; ++i) y[i] = __builtin_nanf("");
            } else {
                __builtin_memcpy(y, table + row * columns, (unsigned long)(columns * 4));
            }
        }
    }
}

/// dE[v] (+)= the sum of dy over the places where x = v, some of the columns at a time, rows in their order.
///
/// operands: x, dy, dE   ints: places of a sample, rows of E, columns, whether x holds whole numbers, columns of
/// a part, accumulate
void embed_gradient(const Instruction& instruction, const Task& task) {
    const int64_t places = instruction.ints[0], rows = instruction.ints[1], columns = instruction.ints[2];
    const int64_t first = task.index * instruction.ints[4], left = columns - first;
    const int64_t count = left < instruction.ints[4] ? left : instruction.ints[4];
    float* to = at(task, instruction.operands[2], 0) + first;
    if (!instruction.ints[5]) {
        for (int64_t row = 0; row < rows; ++row) {
            for (int64_t i = 0; i < count; ++i) to[row * columns + i] = 0.0f;
        }
    }
    for (int64_t n = 0; n < task.rows; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        const float* dy = at(task, instruction.operands[1], n) + first;
        for (int64_t place = 0; place < places; ++place, dy += columns) {
            const int64_t row = row_at(x + place, instruction.ints[3], rows);
            if (row < 0) continue;
            float* sum = to + row * columns;
            vectors(count, [=](auto width, int64_t i, int32_t valid) {
                constexpr int N = decltype(width)::N;
                store_part<N>(sum + i, load_part<N>(sum + i, valid) + load_part<N>(dy + i, valid), valid);
            });
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
