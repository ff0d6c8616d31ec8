// Axes in another order.
#include "operations.hpp"
#include "rows.hpp"
#include "turn.hpp"

namespace bw {
namespace BW_ISA {

namespace {

constexpr int AXES = 6;

/// The places of all axes but three, one after the other.
struct Counter {
    const int64_t* sizes;
    int rank, skip, last, inner;  ///< axes that are not counted
    int64_t place[AXES];

    bool next() {
        for (int axis = rank - 1; axis >= 0; --axis) {
            if (axis == skip || axis == last || axis == inner) continue;
            if (++place[axis] < sizes[axis]) return true;
            place[axis] = 0;
        }
        return false;
    }
};

BW_INLINE void copy_line(const float* a, float* b, int64_t columns, bool accumulate) {
    vectors(columns, [=](auto width, int64_t i, int32_t valid) {
        constexpr int N = decltype(width)::N;
        Float<N> v = load_part<N>(a + i, valid);
        if (accumulate) v += load_part<N>(b + i, valid);
        store_part<N>(b + i, v, valid);
    });
}

/// b[r * over + c] (+)= a[c * step + r]
void turn_plane(const float* a, int64_t step, int64_t columns, float* b, int64_t over, int64_t rows, bool accumulate) {
    int64_t r = 0;
    for (; !accumulate && r + WIDEST <= rows; r += WIDEST) {
        int64_t c = 0;
        for (; c + WIDEST <= columns; c += WIDEST) turn<WIDEST>(a + c * step + r, step, b + r * over + c, over);
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
}

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
    int inner = last - 1;  // one more is walked along by steps: the last that is neither of these
    while (inner >= 0 && inner == side) --inner;
    const int64_t lines = inner < 0 ? 1 : sizes[inner];
    const int64_t line_from = inner < 0 ? 0 : from[inner], line_to = inner < 0 ? 0 : to[inner];
    const int64_t columns = sizes[last], step = from[last];
    const int64_t rows = side < 0 ? 1 : sizes[side], over = side < 0 ? 0 : to[side];
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        Counter counter{sizes, rank, side, last, inner, {}};
        do {
            const float* a = x;
            float* b = y;
            for (int axis = 0; axis < rank; ++axis) {
                a += counter.place[axis] * from[axis];
                b += counter.place[axis] * to[axis];
            }
            for (int64_t line = 0; line < lines; ++line, a += line_from, b += line_to) {
                if (side == last) {
                    copy_line(a, b, columns, accumulate);
                } else {
                    turn_plane(a, step, columns, b, over, rows, accumulate);
                }
            }
        } while (counter.next());
    }
}

}  // namespace BW_ISA
}  // namespace bw
