// What an instruction set offers to the executor: one table of functions, made once per set.
//
// The files in kernels/ are compiled once for each instruction set, inside `namespace bw::BW_ISA`, and use
// no inline code of the standard library: the linker keeps one copy of such code, which could be the one with
// the widest registers.
#pragma once

#include "instruction.hpp"

namespace bw {

enum class Rule : int32_t { SGD = 0, MOMENTUM = 1, NESTEROV = 2, ADAM = 3, AMSGRAD = 4 };

/// How an optimizer updates a run of numbers, with the numbers of this step.
struct UpdateRule {
    Rule rule;
    float rate;          ///< learning rate
    float decay;         ///< rate * weight_decay, the part of w taken off before the step
    float clip;          ///< bound on each entry of g; 0 for none
    float constants[6];  ///< by rule
};

struct Kernels {
    const char* name;   ///< of the instruction set
    int lanes;          ///< floats in the widest register
    int32_t widths[4];  ///< of column blocks, widest first; 0 where there are fewer
    const Operation* operations;
    int32_t operation_count;
    /// One step on `count` numbers: scale is put on g, l1 and l2 are penalties of w.
    void (*update)(const UpdateRule& rule, float* w, const float* g, float* const* slots, int64_t offset,
                   int64_t count, float scale, float l1, float l2);
    /// The largest magnitude; NaN counts as infinity.
    float (*peak)(const float* x, int64_t count);
};

}  // namespace bw
