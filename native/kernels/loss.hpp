// What kernels of losses share.
#pragma once

#include "rows.hpp"

namespace bw {
namespace BW_ISA {

/// dE/dl of row n: the loss's share of E times the row's weight.   operand 3: weights   float 0: share of E
/// int 0: whether E takes the mean over the rows
BW_INLINE float seed_of(const Instruction& instruction, const Task& task, int64_t n) {
    const Operand& weight = instruction.operands[3];
    const float share = instruction.floats[0] / (instruction.ints[0] ? (float)task.rows : 1.0f);
    return present(weight) ? share * *at(task, weight, n) : share;
}

}  // namespace BW_ISA
}  // namespace bw
