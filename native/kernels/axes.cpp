// Axes in another order, and products along axes of two values.
#include "functions.hpp"
#include "operations.hpp"
#include "rows.hpp"
#include "turn.hpp"

namespace bw {
namespace BW_ISA {

namespace {

constexpr int AXES = 6;

/// The places of all axes but two, one after the other.
struct Counter {
    const int64_t* sizes;
    int rank, skip, last;  ///< axes that are not counted
    int64_t place[AXES];

    bool next() {
        for (int axis = rank - 1; axis >= 0; --axis) {
            if (axis == skip || axis == last) continue;
            if (++place[axis] < sizes[axis]) return true;
            place[axis] = 0;
        }
        return false;
    }
};

}  // namespace

/// y = x with its axes in another order.
///
/// operands: x, y   ints: how many axes, accumulate, then of each axis of y its size (6) and its step in x (6)
void permute(const Instruction& instruction, const Task& task) {
    const int rank = (int)instruction.ints[0];
    const bool accumulate = instruction.ints[1];
    const int64_t *sizes = instruction.ints + 2, *from = instruction.ints + 2 + AXES;
    int64_t to[AXES];
    to[rank - 1] = 1;
    for (int axis = rank - 2; axis >= 0; --axis) to[axis] = to[axis + 1] * sizes[axis + 1];
    const int last = rank - 1;
    int side = -1;  // the axis of y along which x lies side by side
    for (int axis = 0; axis < rank; ++axis) {
        if (from[axis] == 1) side = axis;
    }
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        Counter counter{sizes, rank, side, last, {}};
        do {
            const float* a = x;
            float* b = y;
            for (int axis = 0; axis < rank; ++axis) {
                a += counter.place[axis] * from[axis];
                b += counter.place[axis] * to[axis];
            }
            const int64_t columns = sizes[last], step = from[last];
            if (side == last) {
                vectors(columns, [=](auto width, int64_t i, int32_t valid) {
                    constexpr int N = decltype(width)::N;
                    Float<N> v = load_part<N>(a + i, valid);
                    if (accumulate) v += load_part<N>(b + i, valid);
                    store_part<N>(b + i, v, valid);
                });
                continue;
            }
            const int64_t rows = side < 0 ? 1 : sizes[side], over = side < 0 ? 0 : to[side];
            int64_t r = 0;
            for (; !accumulate && r + WIDEST <= rows; r += WIDEST) {
                int64_t c = 0;
                for (; c + WIDEST <= columns; c += WIDEST) {
                    bw::BW_ISA::turn<WIDEST>(a + c * step + r, step, b + r * over + c, over);
                }
                for (; c < columns; ++c) {
                    for (int64_t i = r; i < r + WIDEST; ++i) b[i * over + c] = a[c * step + i];
                }
            }
            for (; r < rows; ++r) {
                for (int64_t c = 0; c < columns; ++c) {
                    const float v = a[c * step + r];
                    b[r * over + c] = accumulate ? b[r * over + c] + v : v;
                }
            }
        } while (counter.next());
    }
}

/// y[i, j] (+)= sum over r of a[i, r] b[j, r], each of i, j and r standing for two axes with steps of their own.
///
/// operands: a, b, y   ints: sizes of i, j, r (2 each); steps of i, r in a; of j, r in b; of i, j in y; accumulate
void contract(const Instruction& instruction, const Task& task) {
    const int64_t* n = instruction.ints;
    const int64_t *a_steps = n + 6, *b_steps = n + 10, *y_steps = n + 14;
    const bool accumulate = n[18];
    const bool across = b_steps[1] == 1 && n[3] > 1, along = a_steps[3] == 1 && b_steps[3] == 1;
    for (int64_t row = task.begin; row < task.end; ++row) {
        for (int64_t i = 0; i < n[0] * n[1]; ++i) {
            const float* a = at(task, instruction.operands[0], row) + i / n[1] * a_steps[0] + i % n[1] * a_steps[1];
            float* yi = at(task, instruction.operands[2], row) + i / n[1] * y_steps[0] + i % n[1] * y_steps[1];
            for (int64_t j = 0; j < n[2]; ++j) {
                const float* b = at(task, instruction.operands[1], row) + j * b_steps[0];
                float* y = yi + j * y_steps[2];
                if (across) {
                    vectors(n[3], [=](auto width, int64_t c, int32_t valid) {
                        constexpr int N = decltype(width)::N;
                        Float<N> sum{};
                        for (int64_t r = 0; r < n[4]; ++r) {
                            for (int64_t s = 0; s < n[5]; ++s) {
                                sum += load_part<N>(b + r * b_steps[2] + s * b_steps[3] + c, valid) *
                                       a[r * a_steps[2] + s * a_steps[3]];
                            }
                        }
                        if (y_steps[3] == 1) {
                            if (accumulate) sum += load_part<N>(y + c, valid);
                            store_part<N>(y + c, sum, valid);
                            return;
                        }
                        for (int lane = 0; lane < valid; ++lane) {
                            float* to = y + (c + lane) * y_steps[3];
                            *to = accumulate ? *to + sum[lane] : sum[lane];
                        }
                    });
                    continue;
                }
                for (int64_t c = 0; c < n[3]; ++c) {
                    float sum = 0.0f;
                    for (int64_t r = 0; r < n[4]; ++r) {
                        const float *p = a + r * a_steps[2], *q = b + r * b_steps[2] + c * b_steps[1];
                        if (along) {
                            Float<WIDEST> wide{};
                            Float<4> rest{};
                            vectors(n[5], [&](auto width, int64_t s, int32_t valid) {
                                constexpr int N = decltype(width)::N;
                                if constexpr (N == WIDEST && N != 4) {
                                    wide += load<N>(p + s) * load<N>(q + s);
                                } else {
                                    rest += load_part<4>(p + s, valid) * load_part<4>(q + s, valid);
                                }
                            });
                            sum += sum_of<WIDEST>(wide) + sum_of<4>(rest);
                            continue;
                        }
                        for (int64_t s = 0; s < n[5]; ++s) sum += p[s * a_steps[3]] * q[s * b_steps[3]];
                    }
                    float* to = y + c * y_steps[3];
                    *to = accumulate ? *to + sum : sum;
                }
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
