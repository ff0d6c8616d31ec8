// What an instruction set offers to the executor: one table of functions, made once per set.
//
// The files in kernels/ are compiled once for each instruction set, inside `namespace bw::BW_ISA`, and use
// no inline code of the standard library: the linker keeps one copy of such code, which could be the one with
// the widest registers.
#pragma once

#include "instruction.hpp"

namespace bw {

/// The rules of optimizers, each stated in kernels/update.cpp: RULE(name).
#define BW_RULES(RULE)                                                                                      \
    RULE(SGD) RULE(MOMENTUM) RULE(NESTEROV) RULE(ADAM) RULE(AMSGRAD) RULE(ADAMAX) RULE(NADAM) RULE(ADAGRAD) \
    RULE(ADADELTA) RULE(RMSPROP) RULE(RMSPROP_MOMENTUM) RULE(RMSPROP_CENTERED)                              \
    RULE(RMSPROP_CENTERED_MOMENTUM) RULE(LION) RULE(FTRL)

enum class Rule : int32_t {
#define BW_RULE(name) name,
    BW_RULES(BW_RULE)
#undef BW_RULE
};

/// How an optimizer updates a run of numbers, with the numbers of this step.
struct UpdateRule {
    Rule rule;
    float clip;              ///< bound on each entry of g; 0 for none
    float norm;              ///< bound on the 2-norm of a group of gradients; 0 for none
    int32_t bounded;         ///< the slot whose magnitude `bounds` speaks of; negative: of none
    float rate;              ///< learning rate
    float decay;             ///< rate * weight_decay, the part of w taken off before the step
    float keep, take;        ///< the running mean of w becomes keep * mean + take * w; take 0: there is none
    float overwrite;         ///< not 0: w becomes the mean
    float gather;            ///< 0: each gradient makes a step; above 0: those summed up make one, times this; below
                             ///< 0: a gradient is put to the sum, and no step is made
    int32_t gathered;        ///< the slot of the sum, where gather is not 0
    float constants[8];      ///< by rule
    /// With the largest |g| and the largest magnitude m of the slot before the step: m is at most
    /// [0] m + [1] g + [2] after it, and no w changes by more than [3] m (after the step) + [4] g + [5].
    double bounds[6];
};

/// What is put on the gradients of a run of parameters, and on the parameters, before the rule.
struct Terms {
    float scale;   ///< factor of g, its penalties included
    float l1, l2;  ///< penalties of w
    float decay;   ///< 1 where weight decay acts, else 0
};

struct Kernels {
    const char* name;   ///< of the instruction set
    int lanes;          ///< floats in the widest register
    int32_t widths[4];  ///< of column blocks, widest first; 0 where there are fewer
    const Operation* operations;
    int32_t operation_count;
    /// One step on `count` numbers, those from `offset` on; g is where their gradients begin.
    void (*update)(const UpdateRule& rule, float* w, const float* g, float* const* slots, int64_t offset,
                   int64_t count, const Terms& terms);
    /// The sum of the squares of g with its penalties.
    double (*squares)(const float* w, const float* g, int64_t count, const Terms& terms);
    /// The largest magnitude; NaN counts as infinity.
    float (*peak)(const float* x, int64_t count);
    /// l1 sum |x| + l2 sum x^2, summed in double.
    double (*penalty)(const float* x, int64_t count, float l1, float l2);
};

}  // namespace bw
