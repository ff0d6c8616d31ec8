// Convolutions by the tile kernel: a tap is a row of the kernel (or one place of it, where places do not lie
// side by side), a tile's rows are neighbouring pixels of an output row.
#include "channels.hpp"
#include "operations.hpp"
#include "tile.hpp"

namespace bw {
namespace BW_ISA {

namespace {

constexpr int64_t MOST_TAPS = 1024;

}  // namespace

/// An image with a border around it, or without part of it.
///
/// operands: x, y   ints: height, width, channels of x; height, width of y; rows above, columns to the left
/// (negative: cut off)   floats: what stands in the border
void pad(const Instruction& instruction, const Task& task) {
    const int64_t* g = instruction.ints;
    const int64_t height = g[0], width = g[1], channels = g[2], high = g[3], wide = g[4], top = g[5], left = g[6];
    const float border = instruction.floats[0];
    const int64_t from = left < 0 ? -left : 0, before = left > 0 ? left : 0;
    int64_t inside = width - from < wide - before ? width - from : wide - before;
    if (inside < 0) inside = 0;
    const int64_t line = wide * channels;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        for (int64_t row = 0; row < high; ++row, y += line) {
            const int64_t source = row - top;
            if (source < 0 || source >= height) {
                for (int64_t i = 0; i < line; ++i) y[i] = border;
                continue;
            }
            for (int64_t i = 0; i < before * channels; ++i) y[i] = border;
            __builtin_memcpy(y + before * channels, x + (source * width + from) * channels,
                             (unsigned long)(inside * channels * 4));
            for (int64_t i = (before + inside) * channels; i < line; ++i) y[i] = border;
        }
    }
}

/// For each pixel of y, all numbers of x that the kernel meets there, side by side: for images of few channels,
/// whose taps would be too short, a convolution is then a matrix product.
///
/// operands: x with its border, y   ints: floats of a row of x, channels, rows and columns of y, strides, rows
/// and columns of the kernel
template <int N>
static void unfold_by(const Instruction& instruction, const Task& task) {
    const int64_t* g = instruction.ints;
    const int64_t line = g[0], channels = g[1], high = g[2], wide = g[3], down = g[4] * line, across = g[5] * channels;
    const int64_t rows = g[6], run = g[7] * channels;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        for (int64_t i = 0; i < high; ++i) {
            for (int64_t j = 0; j < wide; ++j) {
                const float* from = x + i * down + j * across;
                for (int64_t p = 0; p < rows; ++p, from += line, y += run) {
                    // What is too much is written over by what comes next, or lies behind the end.
                    for (int64_t c = 0; c < run; c += N) store<N>(y + c, load<N>(from + c));
                }
            }
        }
    }
}

void unfold(const Instruction& instruction, const Task& task) {
    const int64_t run = instruction.ints[7] * instruction.ints[1];
    if constexpr (WIDEST >= 8) {
        if (run > 4 && run <= 8) return unfold_by<8>(instruction, task);
    }
    if (run > 8) return unfold_by<WIDEST>(instruction, task);
    unfold_by<4>(instruction, task);
}

/// The adjoint of unfolding: every pixel of x gets the sum of its copies.
///
/// operands: unfolded, x   ints: rows and columns of x, channels; rows and columns of y; strides; rows and
/// columns of the kernel; rows above, columns to the left of x; accumulate
void fold(const Instruction& instruction, const Task& task) {
    const int64_t* g = instruction.ints;
    const int64_t height = g[0], width = g[1], channels = g[2], high = g[3], wide = g[4];
    const int64_t rows = g[7], columns = g[8], top = g[9], left = g[10];
    const int64_t piece = columns * channels;  // a kernel row's places lie side by side in both
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* unfolded = at(task, instruction.operands[0], n);
        float* x = at(task, instruction.operands[1], n);
        if (!g[11]) {
            for (int64_t i = 0; i < height * width * channels; ++i) x[i] = 0.0f;
        }
        // Pieces of neighbouring pixels overlap. Going down the rows first puts some time between a store and the
        // load of a part of it, which waits until the store is in the cache.
        for (int64_t p = 0; p < rows; ++p) {
            for (int64_t j = 0; j < wide; ++j) {
                const int64_t column = j * g[6] - left;
                const int64_t skip = column < 0 ? -column : 0;
                const int64_t stop = width - column < columns ? width - column : columns;
                const int64_t count = (stop - skip) * channels;
                if (count <= 0) continue;
                const float* from = unfolded + (j * rows + p) * piece + skip * channels;
                float* to = x + (column + skip) * channels;
                for (int64_t i = 0; i < high; ++i, from += wide * rows * piece) {
                    const int64_t row = i * g[5] - top + p;
                    if (row < 0 || row >= height) continue;
                    float* at = to + row * width * channels;
                    channel_runs(count, [=](auto lanes, int64_t c, int32_t valid) {
                        constexpr int N = decltype(lanes)::N;
                        store_part<N>(at + c, load_part<N>(at + c, valid) + load_part<N>(from + c, valid), valid);
                    });
                }
            }
        }
    }
}

/// y = x * W (+ b) (then ReLU), or as the gradient of x the same with the mirrored transpose.
///
/// x has its border already. The table holds passes of 8 numbers (first row, step of rows, rows; first column,
/// step of columns, columns of y that the pass makes; first tap, taps), then taps of two (place in x, row of
/// the matrix). A strided gradient takes a pass for each residue of rows and columns.
///
/// operands: x, y, b   ints: finish, space of the matrix, steps of x in floats for a row and a column of a
/// pass, columns of y, depth of a tap, passes, groups, channels of a group of x   matrices: W
void convolve(const Instruction& instruction, const Task& task) {
    const Operand &x = instruction.operands[0], &y = instruction.operands[1], &b = instruction.operands[2];
    const Matrix& matrix = instruction.matrices[0];
    const int64_t* g = instruction.ints;
    const int32_t finish = (int32_t)g[0];
    const float* packed = task.base[g[1]] + matrix.offset;
    const int64_t row_step = g[2], column_step = g[3], width = g[4], passes = g[6];
    const int64_t group_columns = matrix.columns / g[7], group_channels = g[8];
    const int64_t* taps = instruction.table + 8 * passes;
    int64_t a_taps[MOST_TAPS], b_taps[MOST_TAPS];
    Tile tile{};
    tile.row = column_step;
    tile.along = 1;
    tile.depth = (int32_t)g[5];
    tile.finish = finish;
    tile.a_taps = a_taps;
    tile.b_taps = b_taps;
    for (int64_t which = 0; which < passes; ++which) {
        const int64_t* pass = instruction.table + 8 * which;
        tile.taps = (int32_t)pass[7];
        tile.c_step = pass[4] * matrix.columns;
        for (int32_t index = 0; index < matrix.count; ++index) {
            const Block& block = matrix.blocks[index];
            const int32_t most = tile_rows(block.width);
            for (int64_t tap = 0; tap < pass[7]; ++tap) {
                a_taps[tap] = taps[2 * (pass[6] + tap)];
                b_taps[tap] = taps[2 * (pass[6] + tap) + 1] * block.width;
            }
            tile.b = packed + block.offset;
            tile.b_step = block.width;
            tile.valid = block.valid;
            if (finish & BIAS) tile.bias = task.base[b.space] + b.offset + block.column;
            const int64_t group = block.column / group_columns * group_channels;
            for (int64_t n = task.begin; n < task.end; ++n) {
                const float* from = at(task, x, n) + group;
                float* to = at(task, y, n) + block.column;
                for (int64_t row = 0; row < pass[2]; ++row) {
                    const float* a = from + row * row_step;
                    float* c = to + ((pass[0] + row * pass[1]) * width + pass[3]) * matrix.columns;
                    for (int64_t done = 0; done < pass[5];) {
                        const int32_t rows = next_rows(pass[5] - done, most);
                        tile.a = a + done * column_step;
                        tile.c = c + done * tile.c_step;
                        tile_function(block.width, rows)(tile);
                        done += rows;
                    }
                }
            }
        }
    }
}

/// The kernel's gradient from a group of samples, added to the chunk's sums: k runs over pixels.
///
/// operands: x (with its border), dy, sums (a row for each chunk, laid out like W)   ints: floats of a row of x,
/// channels; rows, columns of dy; strides; kernel rows, columns; dilations; groups   matrices: W
void convolve_gradient(const Instruction& instruction, const Task& task) {
    const Operand &x = instruction.operands[0], &dy = instruction.operands[1], &sums = instruction.operands[2];
    const Matrix& matrix = instruction.matrices[0];
    const int64_t* g = instruction.ints;
    const int64_t line = g[0], channels = g[1], high = g[2], wide = g[3], stride_rows = g[4], stride_columns = g[5];
    const int64_t kernel_rows = g[6], kernel_columns = g[7], apart_rows = g[8], apart_columns = g[9], groups = g[10];
    const int64_t own = channels / groups, group_columns = matrix.columns / groups;
    float* total = at(task, sums, task.chunk);
    if (task.first) {
        for (int64_t i = 0; i < g[11]; ++i) total[i] = 0.0f;
    }
    const bool together = apart_columns == 1 && groups == 1;  // a kernel row's places lie side by side in x
    const int64_t runs = together ? 1 : kernel_columns, height = together ? kernel_columns * own : own;
    int64_t a_taps[MOST_TAPS], b_taps[MOST_TAPS];
    const int64_t at_once = MOST_TAPS / high > 0 ? MOST_TAPS / high : 1;
    Tile tile{};
    tile.row = 1;
    tile.along = stride_columns * channels;
    tile.b_step = matrix.columns;
    tile.depth = (int32_t)wide;
    tile.finish = ACCUMULATE;
    tile.a_taps = a_taps;
    tile.b_taps = b_taps;
    for (int64_t begin = task.begin; begin < task.end; begin += at_once) {
        const int64_t end = begin + at_once < task.end ? begin + at_once : task.end;
        int32_t count = 0;
        for (int64_t n = begin; n < end; ++n) {
            for (int64_t row = 0; row < high && count < MOST_TAPS; ++row, ++count) {
                a_taps[count] = (n - begin) * x.stride + row * stride_rows * line;
                b_taps[count] = (n - begin) * dy.stride + row * wide * matrix.columns;
            }
        }
        tile.taps = count;
        for (int32_t index = 0; index < matrix.count; ++index) {
            const Block& block = matrix.blocks[index];
            tile.b = at(task, dy, begin) + block.column;
            tile.c_step = block.width;
            tile.valid = block.valid;
            const float* from = at(task, x, begin) + block.column / group_columns * own;
            for (int64_t p = 0; p < kernel_rows; ++p) {
                for (int64_t run = 0; run < runs; ++run) {
                    const float* a = from + p * apart_rows * line + run * apart_columns * channels;
                    float* c = total + block.offset + (p * kernel_columns + run) * own * block.width;
                    for (int64_t done = 0; done < height;) {
                        const int32_t rows = next_rows(height - done, tile_rows(block.width));
                        tile.a = a + done;
                        tile.c = c + done * block.width;
                        tile_function(block.width, rows)(tile);
                        done += rows;
                    }
                }
            }
        }
    }
}

/// Sums of a group's rows along the last axis, added to the chunk's.
///
/// operands: dy, sums (a row for each chunk)   ints: places of a sample, columns
void column_partial(const Instruction& instruction, const Task& task) {
    const int64_t places = instruction.ints[0], columns = instruction.ints[1];
    float* total = at(task, instruction.operands[1], task.chunk);
    if (task.first) {
        for (int64_t i = 0; i < columns; ++i) total[i] = 0.0f;
    }
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* dy = at(task, instruction.operands[0], n);
        int64_t column = 0;
        // Four sums side by side: one alone would wait for each addition.
        for (; column + WIDEST <= columns; column += WIDEST) {
            Float<WIDEST> sum[4] = {};
            int64_t place = 0;
            for (; place + 4 <= places; place += 4) {
                for (int i = 0; i < 4; ++i) sum[i] += load<WIDEST>(dy + (place + i) * columns + column);
            }
            for (; place < places; ++place) sum[0] += load<WIDEST>(dy + place * columns + column);
            store<WIDEST>(total + column, load<WIDEST>(total + column) + ((sum[0] + sum[1]) + (sum[2] + sum[3])));
        }
        for (; column < columns; column += 4) {
            const int32_t valid = columns - column < 4 ? (int32_t)(columns - column) : 4;
            Float<4> sum[2] = {};
            int64_t place = 0;
            for (; place + 2 <= places; place += 2) {
                sum[0] += load<4>(dy + place * columns + column);
                sum[1] += load<4>(dy + (place + 1) * columns + column);
            }
            if (place < places) sum[0] += load<4>(dy + place * columns + column);
            store_part<4>(total + column, load_part<4>(total + column, valid) + (sum[0] + sum[1]), valid);
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
