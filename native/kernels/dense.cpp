// Matrix products with packed kernels: forward, both gradients, and sums over rows.
#include "../kernels.hpp"
#include "operations.hpp"
#include "tile.hpp"
#include "turn.hpp"

namespace bw {
namespace BW_ISA {

namespace {

const int64_t NO_TAPS[1] = {0};

/// Bytes of the rows that all blocks of a matrix are multiplied with before the next rows are.
constexpr int64_t ROWS_BYTES = 256 << 10;

/// C (m rows, c_step apart) from A (m rows, a_step apart) and a packed matrix.
void product_of(const float* a, int64_t a_step, int64_t m, const float* packed, const Matrix& matrix, float* c,
             int64_t c_step, const float* bias, int32_t finish) {
    for (int32_t index = 0; index < matrix.count; ++index) {
        const Block& block = matrix.blocks[index];
        const int32_t most = tile_rows(block.width);
        Tile tile{};
        tile.row = a_step;
        tile.along = 1;
        tile.a_taps = tile.b_taps = NO_TAPS;
        tile.taps = 1;
        tile.b = packed + block.offset;
        tile.b_step = block.width;
        tile.depth = matrix.rows;
        tile.c_step = c_step;
        tile.bias = bias + (finish & BIAS ? block.column : 0);
        tile.finish = finish;
        tile.valid = block.valid;
        for (int64_t done = 0; done < m;) {
            const int32_t rows = next_rows(m - done, most);
            tile.a = a + done * a_step;
            tile.c = c + done * c_step + block.column;
            tile_function(block.width, rows)(tile);
            done += rows;
        }
    }
}

/// The same, some rows after the other, so that A and C stay in the second-level cache for all blocks.
void product(const float* a, int64_t a_step, int64_t m, const float* packed, const Matrix& matrix, float* c,
             int64_t c_step, const float* bias, int32_t finish) {
    const int64_t fitting = ROWS_BYTES / (4 * (matrix.rows + matrix.columns)), most = fitting < 48 ? 48 : fitting;
    for (int64_t done = 0; done < m; done += most) {
        product_of(a + done * a_step, a_step, m - done < most ? m - done : most, packed, matrix, c + done * c_step,
                   c_step, bias, finish);
    }
}

/// Room for the gradient of a few rows of a block.
constexpr int32_t HELD = 32 * 32;

/// Rows of a batch up to which its part of x is laid side by side for the gradient.
constexpr int64_t PACKED_ROWS = 256;

/// Of more rows, so many are taken at a time: with those of dy side by side too, they stay in the cache.
constexpr int64_t PIECE_ROWS = 64;

/// Parts that are then worked on together at most, so that dy is read once for all of them.
constexpr int64_t TOGETHER = 8;

/// What an instruction whose gradients go straight into the update puts on them.
BW_INLINE Terms terms_of(const Instruction& instruction) {
    return {1.0f, instruction.floats[0], instruction.floats[1], instruction.floats[2]};
}

/// Hand gradients of parameters [offset, offset + count) on: into the update, or into their place.
void deliver(const Instruction& instruction, const Task& task, const float* g, int64_t offset, int64_t count,
             bool accumulate) {
    if (task.fused) {
        task.kernels->update(*task.rule, task.base[PARAMETER], g, task.slots, offset, count, terms_of(instruction));
        return;
    }
    float* to = task.base[GRADIENT] + offset;
    if (accumulate) {
        for (int64_t i = 0; i < count; ++i) to[i] += g[i];
    } else {
        __builtin_memcpy(to, g, (unsigned long)(count * 4));
    }
}

/// Columns of x or dy, at most 32, side by side.
BW_INLINE void pack(const float* from, int64_t step, int64_t count, int64_t columns, float* slice) {
    if (columns == 32) {
        for (int64_t k = 0; k < count; ++k) __builtin_memcpy(slice + k * 32, from + k * step, 128);
    } else {
        for (int64_t k = 0; k < count; ++k) {
            for (int64_t i = 0; i < columns; ++i) slice[k * 32 + i] = from[k * step + i];
        }
    }
}

/// All tiles of some rows of a block.
BW_INLINE void tiles(Tile& tile, const float* a, float* c, int64_t rows, int32_t width) {
    for (int64_t done = 0; done < rows;) {
        const int32_t height = next_rows(rows - done, tile_rows(width));
        tile.a = a + done;
        tile.c = c + done * width;
        tile_function(width, height)(tile);
        done += height;
    }
}

/// Ask for what the update of parameters [start, start + count) will need, while the products are computed.
BW_INLINE void prefetch_update(const Task& task, const Matrix& turned, const Block& block, int64_t start,
                               int64_t count) {
    for (int64_t i = 0; i < count; i += 16) {
        __builtin_prefetch(task.base[PARAMETER] + start + i, 0, 2);
        for (const float* slot : task.slots) {
            if (slot) __builtin_prefetch(slot + start + i, 0, 2);
        }
    }
    if (!turned.count) return;
    const Block& column = turned.blocks[task.index];
    const float* out = task.base[TRANSPOSED] + turned.offset + column.offset + (int64_t)block.column * column.width;
    for (int64_t i = 0; i < (int64_t)block.valid * column.width; i += 16) __builtin_prefetch(out + i, 0, 2);
}

/// Gradients of the rows of a part in a block go into the update, and what comes of it into the transpose.
void update_part(const Instruction& instruction, const Task& task, const float* g, int64_t part, const Block& block) {
    const Matrix &matrix = instruction.matrices[0], &turned = instruction.matrices[1];
    const int64_t first = instruction.table[2 * part], rows = instruction.table[2 * part + 1];
    const int64_t start = matrix.offset + block.offset + first * block.width;
    task.kernels->update(*task.rule, task.base[PARAMETER], g, task.slots, start, rows * block.width,
                         terms_of(instruction));
    if (!turned.count) return;
    const Block& column = turned.blocks[part];
    turn_block(task.base[PARAMETER] + start, block.width, block.valid,
               task.base[TRANSPOSED] + turned.offset + column.offset + (int64_t)block.column * column.width,
               column.width, (int32_t)rows);
}

/// The gradient where a batch has many rows, such as those of all moments or places of its samples.
///
/// Some rows of x and dy at a time are multiplied for several parts of W together, whose sums lie where gradients do.
void deep_gradient(const Instruction& instruction, const Task& task, int64_t depth) {
    const Operand &x = instruction.operands[0], &dy = instruction.operands[1];
    const Matrix& matrix = instruction.matrices[0];
    const bool single = instruction.ints[0] == 1, accumulate = instruction.ints[1];
    const int64_t fitting = ROWS_BYTES / (32 * 4 * matrix.columns), share = (task.count + task.threads - 1) / task.threads;
    int64_t together = fitting < TOGETHER ? fitting : TOGETHER;
    if (share < together) together = share;
    if (together < 1) together = 1;
    const int64_t from = task.index * together, to = from + together < task.count ? from + together : task.count;
    if (from >= to) return;
    const int64_t x_step = single ? x.stride : matrix.rows, dy_step = single ? dy.stride : matrix.columns;
    alignas(64) float slices[TOGETHER][PIECE_ROWS * 32], panel[PIECE_ROWS * 32];
    Tile tile{};
    tile.row = 1;
    tile.along = tile.b_step = 32;
    tile.a_taps = tile.b_taps = NO_TAPS;
    tile.taps = 1;
    tile.b = panel;
    for (int64_t begin = 0; begin < depth; begin += PIECE_ROWS) {
        const bool ends = begin + PIECE_ROWS >= depth;
        tile.depth = (int32_t)(ends ? depth - begin : PIECE_ROWS);
        tile.finish = begin || (!task.fused && accumulate) ? ACCUMULATE : STORE;
        for (int64_t part = from; part < to; ++part) {
            const int64_t* rows = instruction.table + 2 * part;
            pack(at(task, x, 0) + begin * x_step + rows[0], x_step, tile.depth, rows[1], slices[part - from]);
        }
        for (int32_t index = 0; index < matrix.count; ++index) {
            const Block& block = matrix.blocks[index];
            pack(at(task, dy, 0) + begin * dy_step + block.column, dy_step, tile.depth, block.valid, panel);
            tile.c_step = block.width;
            tile.valid = block.valid;
            for (int64_t part = from; part < to; ++part) {
                const int64_t* rows = instruction.table + 2 * part;
                float* c = task.base[GRADIENT] + matrix.offset + block.offset + rows[0] * block.width;
                tiles(tile, slices[part - from], c, rows[1], block.width);
                if (task.fused && ends) update_part(instruction, task, c, part, block);
            }
        }
    }
}

/// dW of a part whose columns fill one vector at most, as it is packed: dy.T @ x, with the columns of x in the
/// lanes, then turned. The other way round most lanes would be empty, and each would ask for a number of x.
void gradient_of_few(const float* x, int64_t x_step, const float* dy, int64_t dy_step, int32_t depth, int32_t columns,
                     int32_t rows, int32_t width, float* packed) {
    const int32_t lanes = rows <= WIDEST ? WIDEST : 2 * WIDEST;
    float turned[WIDEST * 2 * WIDEST];
    for (int32_t i = columns * lanes; i < width * lanes; ++i) turned[i] = 0.0f;
    Tile tile{};
    tile.row = 1;
    tile.along = dy_step;
    tile.a_taps = tile.b_taps = NO_TAPS;
    tile.taps = 1;
    tile.b = x;
    tile.b_step = x_step;
    tile.depth = depth;
    tile.c_step = tile.valid = lanes;
    tile.finish = STORE;
    tiles(tile, dy, turned, columns, lanes);
    turn_block(turned, lanes, rows, packed, width, width);
}

}  // namespace

/// y = x @ W (+ b) (then ReLU); as the gradient of x, the same with the packed transpose.
///
/// operands: x, y, b   ints: rows of each sample, finish   matrices: W, of whose blocks each part takes some
void matmul(const Instruction& instruction, const Task& task) {
    const Operand &x = instruction.operands[0], &y = instruction.operands[1], &b = instruction.operands[2];
    Matrix matrix = instruction.matrices[0];
    const int64_t blocks = matrix.count, first = blocks * task.index / task.count;
    matrix.count = (int32_t)(blocks * (task.index + 1) / task.count - first);
    matrix.blocks += first;
    const int64_t each = instruction.ints[0];
    const int32_t finish = (int32_t)instruction.ints[1];
    const float* packed = task.base[instruction.ints[2]] + matrix.offset;
    const float* bias = present(b) ? task.base[b.space] + b.offset : nullptr;
    const int64_t count = task.end - task.begin;
    const bool single = each == 1;
    product(at(task, x, task.begin), single ? x.stride : matrix.rows, count * each, packed, matrix,
            at(task, y, task.begin), single ? y.stride : matrix.columns, bias, finish);
}

/// dW = x.T @ dy over the whole batch, a part of W's rows at a time; then the update and the transpose.
///
/// operands: x, dy   ints: rows of each sample, accumulate   matrices: W, its transpose (count 0: none)
/// floats: l1, l2, whether weight decay acts   Part p is block p of the transpose's columns, in `table` as (first row, rows) pairs.
void matmul_gradient(const Instruction& instruction, const Task& task) {
    const int64_t depth = task.rows * instruction.ints[0];
    if (depth > PACKED_ROWS) return deep_gradient(instruction, task, depth);
    const Operand &x = instruction.operands[0], &dy = instruction.operands[1];
    const Matrix &matrix = instruction.matrices[0], &turned = instruction.matrices[1];
    const int64_t each = instruction.ints[0];
    const bool accumulate = instruction.ints[1];
    const int64_t first = instruction.table[2 * task.index], rows = instruction.table[2 * task.index + 1];
    const int64_t x_step = each == 1 ? x.stride : matrix.rows, dy_step = each == 1 ? dy.stride : matrix.columns;
    float held[HELD];
    if (matrix.count == 1 && matrix.blocks[0].width <= WIDEST) {
        const Block& block = matrix.blocks[0];
        const int64_t start = matrix.offset + block.offset + first * block.width;
        if (task.fused) prefetch_update(task, turned, block, start, rows * block.width);
        gradient_of_few(at(task, x, 0) + first, x_step, at(task, dy, 0), dy_step, (int32_t)depth, matrix.columns,
                        (int32_t)rows, block.width, held);
        if (task.fused) return update_part(instruction, task, held, task.index, block);
        return deliver(instruction, task, held, start, rows * block.width, accumulate);
    }
    // The part's columns of x, row by row: side by side they fill few lines and pages.
    float slice[PACKED_ROWS * 32];
    const bool packs = rows <= 32 && matrix.count > 2;
    if (packs) pack(at(task, x, 0) + first, x_step, depth, rows, slice);
    Tile tile{};
    tile.row = 1;
    tile.along = packs ? 32 : x_step;
    tile.a_taps = tile.b_taps = NO_TAPS;
    tile.taps = 1;
    tile.b_step = dy_step;
    tile.depth = (int32_t)depth;
    for (int32_t index = 0; index < matrix.count; ++index) {
        const Block& block = matrix.blocks[index];
        const int64_t start = matrix.offset + block.offset + first * block.width;
        if (task.fused) prefetch_update(task, turned, block, start, rows * block.width);
        float* c = task.fused ? held : task.base[GRADIENT] + start;
        if (task.fused && block.valid < block.width) {
            for (int64_t i = 0; i < rows * block.width; ++i) held[i] = 0.0f;
        }
        tile.b = at(task, dy, 0) + block.column;
        tile.c_step = block.width;
        tile.finish = !task.fused && accumulate ? ACCUMULATE : STORE;
        tile.valid = block.valid;
        tiles(tile, packs ? slice : at(task, x, 0) + first, c, rows, block.width);
        if (task.fused) update_part(instruction, task, c, task.index, block);
    }
}

/// Packed transposes of the taps of a kernel, after it has changed: part p is tap p.
///
/// ints: rows of a tap, whether the transpose holds the taps in the opposite order, groups
/// matrices: W with taps * rows rows, its transpose with taps * (columns of a group) rows
void transpose(const Instruction& instruction, const Task& task) {
    const Matrix &matrix = instruction.matrices[0], &turned = instruction.matrices[1];
    const int64_t rows = instruction.ints[0], from_tap = task.index, columns = matrix.columns / instruction.ints[2];
    const int64_t to_tap = instruction.ints[1] ? instruction.parts - 1 - from_tap : from_tap;
    for (int32_t index = 0; index < matrix.count; ++index) {
        const Block& block = matrix.blocks[index];
        const int64_t group = block.column / columns;
        for (int32_t other = 0; other < turned.count; ++other) {
            const Block& column = turned.blocks[other];
            if (column.column / rows != group) continue;
            turn_block(task.base[PARAMETER] + matrix.offset + block.offset +
                           (from_tap * rows + column.column - group * rows) * block.width,
                       block.width, block.valid,
                       task.base[TRANSPOSED] + turned.offset + column.offset +
                           (to_tap * columns + block.column - group * columns) * column.width,
                       column.width, column.valid);
        }
    }
}

/// db = the sum of dy over all rows, a part of the columns at a time.
///
/// operands: dy, b (its place among the parameters)   ints: rows of each sample, accumulate, columns,
/// columns of a part   floats: l1, l2
void column_sums(const Instruction& instruction, const Task& task) {
    const Operand& dy = instruction.operands[0];
    const int64_t each = instruction.ints[0], columns = instruction.ints[2], width = instruction.ints[3];
    const int64_t first = task.index * width, count = columns - first < width ? columns - first : width;
    const int64_t step = each == 1 ? dy.stride : columns, rows = task.rows * each;
    float held[64];  // at most `width`
    const float* from = at(task, dy, 0) + first;
    int64_t column = 0;
    for (; column + 2 * WIDEST <= count; column += 2 * WIDEST) {
        Float<WIDEST> left{}, right{};
        for (int64_t row = 0; row < rows; ++row) {
            left += load<WIDEST>(from + row * step + column);
            right += load<WIDEST>(from + row * step + column + WIDEST);
        }
        store<WIDEST>(held + column, left);
        store<WIDEST>(held + column + WIDEST, right);
    }
    for (; column < count; column += 4) {
        const int32_t valid = count - column < 4 ? (int32_t)(count - column) : 4;
        Float<4> sum{};
        for (int64_t row = 0; row < rows; ++row) sum += load<4>(from + row * step + column);
        store_part<4>(held + column, sum, valid);
    }
    deliver(instruction, task, held, instruction.operands[1].offset + first, count, instruction.ints[1]);
}

/// A parameter's gradient from the sums of the chunks, added in their order, a part at a time.
///
/// operands: sums (a row for each chunk), parameter   ints: numbers, numbers of a part, rows of a chunk, accumulate
void reduce(const Instruction& instruction, const Task& task) {
    const Operand& sums = instruction.operands[0];
    const int64_t width = instruction.ints[1], first = task.index * width;
    const int64_t left = instruction.ints[0] - first, count = left < width ? left : width;
    const int64_t chunks = (task.rows + instruction.ints[2] - 1) / instruction.ints[2];
    float* to = task.base[GRADIENT] + instruction.operands[1].offset + first;
    int64_t chunk = 0;
    if (!instruction.ints[3]) {
        __builtin_memcpy(to, at(task, sums, 0) + first, (unsigned long)(count * 4));
        chunk = 1;
    }
    for (; chunk < chunks; ++chunk) {
        const float* from = at(task, sums, chunk) + first;
        for (int64_t i = 0; i < count; ++i) to[i] += from[i];
    }
}

/// Calls back to Python are phases of their own; as an instruction it does nothing.
void host(const Instruction&, const Task&) {}

}  // namespace BW_ISA
}  // namespace bw
