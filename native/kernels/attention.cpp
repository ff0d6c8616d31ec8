// Products of matrices that are both data, axes in another order, and masks: what attention adds to dense layers.
#include "operations.hpp"
#include "rows.hpp"
#include "tile.hpp"
#include "turn.hpp"

namespace bw {
namespace BW_ISA {

namespace {

const int64_t NO_TAPS[1] = {0};

/// Rows of B that are laid side by side at a time.
constexpr int32_t DEPTH = 256;

/// The narrowest block that holds so many columns, or the widest one.
BW_INLINE int32_t width_for(int64_t columns) {
    if (columns > WIDEST) return 2 * WIDEST;
    if (WIDEST > 8 && columns <= 8) return columns <= 4 ? 4 : 8;
    if (WIDEST == 8 && columns <= 4) return 4;
    return WIDEST;
}

/// `valid` rows of B, `step` apart, as columns of a panel: panel[k][j] = from[j][k].
void turn_panel(const float* from, int64_t step, int32_t valid, int32_t depth, float* panel, int32_t width) {
    int32_t j = 0;
    for (; j + 4 <= valid; j += 4) {
        int32_t k = 0;
        for (; k + 4 <= depth; k += 4) turn<4>(from + j * step + k, step, panel + (int64_t)k * width + j, width);
        for (; k < depth; ++k) {
            for (int32_t i = j; i < j + 4; ++i) panel[(int64_t)k * width + i] = from[i * step + k];
        }
    }
    for (; j < valid; ++j) {
        for (int32_t k = 0; k < depth; ++k) panel[(int64_t)k * width + j] = from[j * step + k];
    }
}

}  // namespace

/// y (+)= a @ b for each of several matrices of a sample.
///
/// operands: a, b, y   ints: matrices of a sample, rows of y, columns, depth; whether a is stored (depth, rows),
/// whether b is stored (columns, depth); accumulate
void matrices(const Instruction& instruction, const Task& task) {
    const int64_t count = instruction.ints[0], m = instruction.ints[1], n = instruction.ints[2], k = instruction.ints[3];
    const bool turned_a = instruction.ints[4], turned_b = instruction.ints[5];
    alignas(64) float panel[DEPTH * 2 * WIDEST] = {};
    Tile tile{};
    tile.row = turned_a ? 1 : k;
    tile.along = turned_a ? m : 1;
    tile.a_taps = tile.b_taps = NO_TAPS;
    tile.taps = 1;
    tile.c_step = n;
    for (int64_t row = task.begin; row < task.end; ++row) {
        for (int64_t index = 0; index < count; ++index) {
            const float* a = at(task, instruction.operands[0], row) + index * m * k;
            const float* b = at(task, instruction.operands[1], row) + index * k * n;
            float* y = at(task, instruction.operands[2], row) + index * m * n;
            for (int64_t column = 0; column < n;) {
                const int32_t width = width_for(n - column);
                tile.valid = n - column < width ? (int32_t)(n - column) : width;
                for (int64_t start = 0; start < k; start += DEPTH) {
                    tile.depth = k - start < DEPTH ? (int32_t)(k - start) : DEPTH;
                    tile.finish = start || instruction.ints[6] ? ACCUMULATE : STORE;
                    tile.b = b + start * n + column;
                    tile.b_step = n;
                    if (turned_b) {
                        turn_panel(b + column * k + start, k, tile.valid, tile.depth, panel, width);
                        tile.b = panel;
                        tile.b_step = width;
                    }
                    const float* from = a + start * tile.along;
                    for (int64_t done = 0; done < m;) {
                        const int32_t rows = next_rows(m - done, tile_rows(width));
                        tile.a = from + done * tile.row;
                        tile.c = y + done * n + column;
                        tile_function(width, rows)(tile);
                        done += rows;
                    }
                }
                column += tile.valid;
            }
        }
    }
}

/// y = x where the mask lets it through, else low; as the gradient y (+)= x there, else 0.
///
/// operands: x, y, mask   ints: sizes o, k, i of x; the steps of these in the mask; whether it is of whole
/// numbers, whether only i <= k is let through (there is no mask then), accumulate   floats: low
void mask_scores(const Instruction& instruction, const Task& task) {
    const int64_t *sizes = instruction.ints, *steps = sizes + 3;
    const bool whole = instruction.ints[6], causal = instruction.ints[7], accumulate = instruction.ints[8];
    const float low = instruction.floats[0];
    const int64_t inner = sizes[2];
    for (int64_t row = task.begin; row < task.end; ++row) {
        const float* x = at(task, instruction.operands[0], row);
        float* y = at(task, instruction.operands[1], row);
        const float* mask = causal ? nullptr : at(task, instruction.operands[2], row);
        for (int64_t o = 0; o < sizes[0]; ++o) {
            for (int64_t k = 0; k < sizes[1]; ++k, x += inner, y += inner) {
                const float* m = causal ? nullptr : mask + o * steps[0] + k * steps[1];
                for (int64_t i = 0; i < inner; ++i) {
                    bool keep = i <= k;
                    if (!causal) {
                        const float number = m[i * steps[2]];
                        int32_t bits;
                        __builtin_memcpy(&bits, &number, 4);
                        keep = whole ? bits != 0 : number != 0.0f;
                    }
                    y[i] = (keep ? x[i] : low) + (accumulate ? y[i] : 0.0f);
                }
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
