// Groups of features that become one: the largest of several, or one gated by another. x is (outer, groups, inner).
#include "functions.hpp"
#include "operations.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// Calls f(x's group 0, y) for each run of `inner` numbers of y, and there for each vector of it.
template <class F>
BW_INLINE void each_group(const Instruction& instruction, const Task& task, const F& f) {
    const int64_t outer = instruction.ints[0], groups = instruction.ints[1], inner = instruction.ints[2];
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t o = 0; o < outer; ++o) {
            vectors(inner, [&](auto width, int64_t i, int32_t valid) {
                f(width, n, o * groups * inner + i, o * inner + i, valid);
            });
        }
    }
}

}  // namespace

/// y = the largest of the groups.   operands: x, y   ints: outer, groups, inner
void maxout(const Instruction& instruction, const Task& task) {
    const int64_t groups = instruction.ints[1], inner = instruction.ints[2];
    each_group(instruction, task, [&](auto width, int64_t n, int64_t from, int64_t to, int32_t valid) {
        constexpr int N = decltype(width)::N;
        const float* x = at(task, instruction.operands[0], n) + from;
        Float<N> y = load_part<N>(x, valid);
        for (int64_t g = 1; g < groups; ++g) {
            const Float<N> other = load_part<N>(x + g * inner, valid);
            y = (other > y) | (other != other) ? other : y;
        }
        store_part<N>(at(task, instruction.operands[1], n) + to, y, valid);
    });
}

/// dx (+)= dy in the first group that equals y, else 0.
///
/// operands: x, y, dy, dx   ints: outer, groups, inner, accumulate
void maxout_backward(const Instruction& instruction, const Task& task) {
    const int64_t groups = instruction.ints[1], inner = instruction.ints[2];
    const bool accumulate = instruction.ints[3];
    each_group(instruction, task, [&](auto width, int64_t n, int64_t from, int64_t to, int32_t valid) {
        constexpr int N = decltype(width)::N;
        const float* x = at(task, instruction.operands[0], n) + from;
        float* dx = at(task, instruction.operands[3], n) + from;
        const Float<N> y = load_part<N>(at(task, instruction.operands[1], n) + to, valid);
        const Float<N> dy = load_part<N>(at(task, instruction.operands[2], n) + to, valid);
        Int<N> taken{};
        for (int64_t g = 0; g < groups; ++g) {
            const Int<N> won = (load_part<N>(x + g * inner, valid) == y) & ~taken;
            taken |= won;
            Float<N> made = won ? dy : Float<N>{};
            if (accumulate) made += load_part<N>(dx + g * inner, valid);
            store_part<N>(dx + g * inner, made, valid);
        }
    });
}

/// y = a sigmoid(b) of two groups a, b.   operands: x, y   ints: outer, 2, inner
void glu(const Instruction& instruction, const Task& task) {
    const int64_t inner = instruction.ints[2];
    each_group(instruction, task, [&](auto width, int64_t n, int64_t from, int64_t to, int32_t valid) {
        constexpr int N = decltype(width)::N;
        const float* x = at(task, instruction.operands[0], n) + from;
        const Float<N> y = load_part<N>(x, valid) * sigmoid<N>(load_part<N>(x + inner, valid));
        store_part<N>(at(task, instruction.operands[1], n) + to, y, valid);
    });
}

/// da (+)= dy s, db (+)= dy a s (1 - s) with s = sigmoid(b).   operands: x, dy, dx   ints: outer, 2, inner, accumulate
void glu_backward(const Instruction& instruction, const Task& task) {
    const int64_t inner = instruction.ints[2];
    const bool accumulate = instruction.ints[3];
    each_group(instruction, task, [&](auto width, int64_t n, int64_t from, int64_t to, int32_t valid) {
        constexpr int N = decltype(width)::N;
        const float* x = at(task, instruction.operands[0], n) + from;
        float* dx = at(task, instruction.operands[2], n) + from;
        const Float<N> dy = load_part<N>(at(task, instruction.operands[1], n) + to, valid);
        const Float<N> s = sigmoid<N>(load_part<N>(x + inner, valid));
        Float<N> da = dy * s, db = dy * (load_part<N>(x, valid) * (s * (1.0f - s)));
        if (accumulate) da += load_part<N>(dx, valid), db += load_part<N>(dx + inner, valid);
        store_part<N>(dx, da, valid);
        store_part<N>(dx + inner, db, valid);
    });
}

}  // namespace BW_ISA
}  // namespace bw
