// Walking over the numbers of rows, a vector at a time.
#pragma once

#include "../instruction.hpp"
#include "simd.hpp"

namespace bw {
namespace BW_ISA {

template <int L>
struct Width {
    static constexpr int N = L;
};

/// Calls f(Width<N>(), offset, valid) so that every number is met once: with the widest vectors, then with
/// four lanes, the last of them in part.
template <class F>
BW_INLINE void vectors(int64_t count, const F& f) {
    int64_t i = 0;
    for (; i + WIDEST <= count; i += WIDEST) f(Width<WIDEST>(), i, WIDEST);
    for (; i + 4 <= count; i += 4) f(Width<4>(), i, 4);
    if (i < count) f(Width<4>(), i, (int32_t)(count - i));
}

/// The rows of a task as one run of numbers where all operands lie close, else row by row.
template <class F>
BW_INLINE void each_row(const Task& task, int64_t size, const Operand* const* operands, int count, const F& f) {
    bool close = true;
    for (int i = 0; i < count; ++i) close = close && (!present(*operands[i]) || operands[i]->stride == size);
    float* pointers[8];
    if (close) {
        for (int i = 0; i < count; ++i) {
            pointers[i] = present(*operands[i]) ? at(task, *operands[i], task.begin) : nullptr;
        }
        f(pointers, size * (task.end - task.begin));
        return;
    }
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int i = 0; i < count; ++i) pointers[i] = present(*operands[i]) ? at(task, *operands[i], n) : nullptr;
        f(pointers, size);
    }
}

}  // namespace BW_ISA
}  // namespace bw
