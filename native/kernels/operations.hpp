// The operations of one instruction set; what each reads of its instruction stands where it is defined.
#pragma once

#include "../instruction.hpp"

namespace bw {
namespace BW_ISA {

#define OPERATION(name) void name(const Instruction&, const Task&);
#include "../operations.def"
#undef OPERATION

void update_run(const UpdateRule& rule, float* w, const float* g, float* const* slots, int64_t offset,
                int64_t count, const Terms& terms);
double squares_of(const float* w, const float* g, int64_t count, const Terms& terms);
float peak_of(const float* x, int64_t count);
double penalty_of(const float* x, int64_t count, float l1, float l2);

}  // namespace BW_ISA
}  // namespace bw
