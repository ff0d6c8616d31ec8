// 3x3 convolutions of stride 1 by Winograd's F(2x2, 3x3): 16 products for four pixels where there would be 36.
//
// y = A' [(G g G') . (B' d B)] A for each 4x4 patch d, which makes 2x2 pixels of y; the products of one place of
// the 4x4 grid, over all patches and channels, are a matrix product. See Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016. The gradient of the kernel is the exact adjoint.
#include "operations.hpp"
#include "rows.hpp"
#include "tile.hpp"
#include "turn.hpp"

namespace bw {
namespace BW_ISA {

namespace {

constexpr int PLACES = 16;
constexpr int64_t PATCHES = 56;  // that go through together: their numbers stay in the second-level cache
const int64_t NO_TAPS[1] = {0};

/// Floats from a place of the grid to the next: a line more than the patches take, so that the sixteen places of a
/// patch do not compete for the same few sets of the cache.
constexpr int64_t places_apart(int64_t channels) { return PATCHES * channels + 16; }

/// The 4x4 patches of an image, every second pixel one, from a pixel above and to the left of it on.
struct Patches {
    int64_t down, across;  ///< how many
    int64_t height, width, channels, top, left;

    int64_t each() const { return down * across; }
};

/// B' d B of one patch; `pixel(row, column)` gives its numbers.
template <int N, class F>
BW_INLINE void transform_patch(const F& pixel, float* to, int64_t apart, int32_t valid) {
    Float<N> t[4][4];
    _Pragma("GCC unroll 4")
    for (int column = 0; column < 4; ++column) {
        Float<N> d[4];
        _Pragma("GCC unroll 4")
        for (int row = 0; row < 4; ++row) d[row] = pixel(row, column);
        t[0][column] = d[0] - d[2];
        t[1][column] = d[1] + d[2];
        t[2][column] = d[2] - d[1];
        t[3][column] = d[1] - d[3];
    }
    _Pragma("GCC unroll 4")
    for (int row = 0; row < 4; ++row) {
        float* place = to + row * 4 * apart;
        store_part<N>(place, t[row][0] - t[row][2], valid);
        store_part<N>(place + apart, t[row][1] + t[row][2], valid);
        store_part<N>(place + 2 * apart, t[row][2] - t[row][1], valid);
        store_part<N>(place + 3 * apart, t[row][1] - t[row][3], valid);
    }
}

/// V[place][patch][channel] = B' d B, zeros around the image.
void transform_input(const Task& task, const Operand& x, const Patches& s, int64_t first, int64_t count, float* v) {
    const int64_t apart = places_apart(s.channels), line = s.width * s.channels;
    int64_t n = task.begin + first / s.each(), spot = first % s.each();
    for (int64_t i = 0; i < count; ++i) {
        const int64_t row = spot / s.across * 2 - s.top, column = spot % s.across * 2 - s.left;
        const float* from = at(task, x, n) + row * line + column * s.channels;
        float* to = v + i * s.channels;
        if (row >= 0 && column >= 0 && row + 4 <= s.height && column + 4 <= s.width) {
            vectors(s.channels, [=](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                const auto pixel = [=](int r, int q) __attribute__((always_inline)) {
                    return load_part<N>(from + r * line + q * s.channels + c, valid);
                };
                transform_patch<N>(pixel, to + c, apart, valid);
            });
        } else {
            vectors(s.channels, [=](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                const auto pixel = [=](int r, int q) __attribute__((always_inline)) {
                    const bool inside =
                        row + r >= 0 && row + r < s.height && column + q >= 0 && column + q < s.width;
                    return inside ? load_part<N>(from + r * line + q * s.channels + c, valid) : Float<N>{};
                };
                transform_patch<N>(pixel, to + c, apart, valid);
            });
        }
        if (++spot == s.each()) {
            spot = 0;
            ++n;
        }
    }
}

/// D[place][patch][filter] = A dy A', for a dy of `line` floats a row.
void transform_gradient(const Task& task, const Operand& dy, const Patches& s, int64_t filters, int64_t line,
                        int64_t first, int64_t count, float* d) {
    const int64_t apart = places_apart(filters);
    for (int64_t i = 0; i < count; ++i) {
        const int64_t n = (first + i) / s.each(), spot = (first + i) % s.each();
        const float* from = at(task, dy, task.begin + n) + spot / s.across * 2 * line + spot % s.across * 2 * filters;
        float* to = d + i * filters;
        vectors(filters, [=](auto width, int64_t c, int32_t valid) {
            constexpr int N = decltype(width)::N;
            Float<N> t[4][2];
            _Pragma("GCC unroll 2")
            for (int column = 0; column < 2; ++column) {
                const Float<N> one = load_part<N>(from + column * filters + c, valid);
                const Float<N> two = load_part<N>(from + line + column * filters + c, valid);
                t[0][column] = one;
                t[1][column] = one + two;
                t[2][column] = one - two;
                t[3][column] = -two;
            }
            _Pragma("GCC unroll 4")
            for (int row = 0; row < 4; ++row) {
                float* place = to + row * 4 * apart + c;
                store_part<N>(place, t[row][0], valid);
                store_part<N>(place + apart, t[row][0] + t[row][1], valid);
                store_part<N>(place + 2 * apart, t[row][0] - t[row][1], valid);
                store_part<N>(place + 3 * apart, -t[row][1], valid);
            }
        });
    }
}

}  // namespace

/// y = x * W (+ b) (then ReLU).
///
/// operands: x, y, b, room for V, room for M   ints: finish, then Patches; rows and columns of y
/// matrices: W transformed, 16 * channels rows
void winograd(const Instruction& instruction, const Task& task) {
    const Operand &x = instruction.operands[0], &y = instruction.operands[1], &b = instruction.operands[2];
    const Matrix& matrix = instruction.matrices[0];
    const int64_t* g = instruction.ints;
    const int32_t finish = (int32_t)g[0];
    const Patches grid{g[1], g[2], g[3], g[4], g[5], g[6], g[7]};
    const int64_t high = g[8], wide = g[9], filters = matrix.columns, apart = places_apart(filters);
    float *v = at(task, instruction.operands[3], task.begin), *m = at(task, instruction.operands[4], task.begin);
    const float* packed = task.base[TRANSPOSED] + matrix.offset;
    const float* bias = finish & BIAS ? task.base[b.space] + b.offset : nullptr;
    const int64_t each = grid.each(), total = each * (task.end - task.begin);
    Tile tile{};
    tile.row = grid.channels;
    tile.along = 1;
    tile.a_taps = tile.b_taps = NO_TAPS;
    tile.taps = 1;
    tile.depth = (int32_t)grid.channels;
    tile.c_step = filters;
    tile.finish = STORE;
    for (int64_t first = 0; first < total; first += PATCHES) {
        const int64_t count = total - first < PATCHES ? total - first : PATCHES;
        transform_input(task, x, grid, first, count, v);
        for (int place = 0; place < PLACES; ++place) {
            for (int32_t index = 0; index < matrix.count; ++index) {
                const Block& block = matrix.blocks[index];
                tile.b = packed + block.offset + place * grid.channels * block.width;
                tile.b_step = block.width;
                tile.valid = block.valid;
                for (int64_t done = 0; done < count;) {
                    const int32_t rows = next_rows(count - done, tile_rows(block.width));
                    tile.a = v + place * places_apart(grid.channels) + done * grid.channels;
                    tile.c = m + place * apart + done * filters + block.column;
                    tile_function(block.width, rows)(tile);
                    done += rows;
                }
            }
        }
        for (int64_t i = 0; i < count; ++i) {
            const int64_t index = first + i, n = index / each, spot = index % each;
            const int64_t row = spot / grid.across * 2, column = spot % grid.across * 2;
            float* to = at(task, y, task.begin + n) + (row * wide + column) * filters;
            const bool below = row + 1 < high, right = column + 1 < wide;
            const float* from = m + i * filters;
            vectors(filters, [=](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                Float<N> t[2][4];
                _Pragma("GCC unroll 4")
                for (int k = 0; k < 4; ++k) {
                    Float<N> e[4];
                    _Pragma("GCC unroll 4")
                    for (int j = 0; j < 4; ++j) e[j] = load_part<N>(from + (j * 4 + k) * apart + c, valid);
                    t[0][k] = e[0] + e[1] + e[2];
                    t[1][k] = e[1] - e[2] - e[3];
                }
                Float<N> shift{};
                if (bias) shift = load_part<N>(bias + c, valid);
                const auto put = [&](float* place, Float<N> value) __attribute__((always_inline)) {
                    value += shift;
                    if (finish & ACCUMULATE) value += load_part<N>(place, valid);
                    if (finish & RELU) value = max<N>(Float<N>{}, value);
                    store_part<N>(place, value, valid);
                };
                put(to + c, t[0][0] + t[0][1] + t[0][2]);
                if (right) put(to + filters + c, t[0][1] - t[0][2] - t[0][3]);
                if (!below) return;
                put(to + wide * filters + c, t[1][0] + t[1][1] + t[1][2]);
                if (right) put(to + (wide + 1) * filters + c, t[1][1] - t[1][2] - t[1][3]);
            });
        }
    }
}

/// The gradient of the transformed kernel from a group of samples, added to the chunk's sums.
///
/// operands: x, dy (rows and columns even), sums, room for V, room for D   ints: Patches; columns of dy, floats of
/// the sums   matrices: the transformed kernel's shape
void winograd_gradient(const Instruction& instruction, const Task& task) {
    const Operand &x = instruction.operands[0], &dy = instruction.operands[1];
    const Matrix& matrix = instruction.matrices[0];
    const int64_t* g = instruction.ints;
    const int64_t filters = matrix.columns;
    const Patches images{g[0], g[1], g[2], g[3], g[4], g[5], g[6]};
    float *v = at(task, instruction.operands[3], task.begin), *d = at(task, instruction.operands[4], task.begin);
    float* sums = at(task, instruction.operands[2], task.chunk);
    if (task.first) {
        for (int64_t i = 0; i < g[8]; ++i) sums[i] = 0.0f;
    }
    const int64_t total = images.each() * (task.end - task.begin), channels = images.channels;
    Tile tile{};
    tile.row = 1;
    tile.along = channels;
    tile.a_taps = tile.b_taps = NO_TAPS;
    tile.taps = 1;
    tile.b_step = filters;
    tile.finish = ACCUMULATE;
    for (int64_t first = 0; first < total; first += PATCHES) {
        const int64_t count = total - first < PATCHES ? total - first : PATCHES;
        transform_input(task, x, images, first, count, v);
        transform_gradient(task, dy, images, filters, g[7] * filters, first, count, d);
        tile.depth = (int32_t)count;
        for (int place = 0; place < PLACES; ++place) {
            for (int32_t index = 0; index < matrix.count; ++index) {
                const Block& block = matrix.blocks[index];
                tile.b = d + place * places_apart(filters) + block.column;
                tile.c_step = block.width;
                tile.valid = block.valid;
                for (int64_t done = 0; done < channels;) {
                    const int32_t rows = next_rows(channels - done, tile_rows(block.width));
                    tile.a = v + place * places_apart(channels) + done;
                    tile.c = sums + block.offset + (place * channels + done) * block.width;
                    tile_function(block.width, rows)(tile);
                    done += rows;
                }
            }
        }
    }
}

/// G g G' for the columns of block p, and its transposes with rows and columns of the grid in mirrored order.
///
/// A mirrored kernel's transform is the kernel's with the first and last rows, and columns, exchanged.
///
/// ints: channels, whether the transposes are wanted   matrices: W, its transform, the transform's transposes
void winograd_weights(const Instruction& instruction, const Task& task) {
    const int64_t channels = instruction.ints[0];
    const Matrix &matrix = instruction.matrices[0], &made = instruction.matrices[1], &turned = instruction.matrices[2];
    const Block &block = matrix.blocks[task.index], &to = made.blocks[task.index];
    const float* w = task.base[PARAMETER] + matrix.offset + block.offset;
    float* u = task.base[TRANSPOSED] + made.offset + to.offset;
    const int64_t apart = channels * block.width;  // a place of the kernel from the next
    for (int64_t i = 0; i < apart; i += 4) {
        Float<4> t[4][3];
        for (int q = 0; q < 3; ++q) {
            const Float<4> g0 = load<4>(w + q * apart + i), g1 = load<4>(w + (3 + q) * apart + i);
            const Float<4> g2 = load<4>(w + (6 + q) * apart + i);
            t[0][q] = g0;
            t[1][q] = (g0 + g1 + g2) * 0.5f;
            t[2][q] = (g0 - g1 + g2) * 0.5f;
            t[3][q] = g2;
        }
        for (int row = 0; row < 4; ++row) {
            float* out = u + row * 4 * apart + i;
            store<4>(out, t[row][0]);
            store<4>(out + apart, (t[row][0] + t[row][1] + t[row][2]) * 0.5f);
            store<4>(out + 2 * apart, (t[row][0] - t[row][1] + t[row][2]) * 0.5f);
            store<4>(out + 3 * apart, t[row][2]);
        }
    }
    if (!instruction.ints[1]) return;
    constexpr int MIRRORED[4] = {3, 1, 2, 0};
    for (int place = 0; place < PLACES; ++place) {
        const int other = MIRRORED[place / 4] * 4 + MIRRORED[place % 4];
        for (int32_t index = 0; index < turned.count; ++index) {
            const Block& column = turned.blocks[index];
            float* out = task.base[TRANSPOSED] + turned.offset + column.offset +
                         (other * matrix.columns + block.column) * (int64_t)column.width;
            const float* from = u + (place * channels + column.column) * block.width;
            turn_block(from, block.width, block.valid, out, column.width, column.valid);
        }
    }
}

/// A kernel's gradient from the chunks' sums of its transform's: G' dU G, a few channels of a block at a time.
///
/// operands: sums   ints: channels, rows of a chunk, accumulate   table: block, first channel, channels of each
/// part   matrices: W, its transform
void winograd_reduce(const Instruction& instruction, const Task& task) {
    const Matrix &matrix = instruction.matrices[0], &made = instruction.matrices[1];
    const int64_t channels = instruction.ints[0];
    const int64_t chunks = (task.rows + instruction.ints[1] - 1) / instruction.ints[1];
    const int64_t* part = instruction.table + 3 * task.index;
    const Block &block = matrix.blocks[part[0]], &from = made.blocks[part[0]];
    float* g = task.base[GRADIENT] + matrix.offset + block.offset;
    const int64_t apart = channels * block.width;
    for (int64_t i = part[1] * block.width; i < (part[1] + part[2]) * block.width; i += 4) {
        Float<4> u[4][4] = {};
        for (int64_t chunk = 0; chunk < chunks; ++chunk) {
            const float* sums = at(task, instruction.operands[0], chunk) + from.offset + i;
            for (int place = 0; place < PLACES; ++place) u[place / 4][place % 4] += load<4>(sums + place * apart);
        }
        Float<4> t[3][4];
        for (int k = 0; k < 4; ++k) {
            const Float<4> sum = (u[1][k] + u[2][k]) * 0.5f;
            t[0][k] = u[0][k] + sum;
            t[1][k] = (u[1][k] - u[2][k]) * 0.5f;
            t[2][k] = sum + u[3][k];
        }
        for (int row = 0; row < 3; ++row) {
            const Float<4> sum = (t[row][1] + t[row][2]) * 0.5f;
            const Float<4> three[3] = {t[row][0] + sum, (t[row][1] - t[row][2]) * 0.5f, sum + t[row][3]};
            for (int q = 0; q < 3; ++q) {
                float* to = g + (row * 3 + q) * apart + i;
                store<4>(to, instruction.ints[2] ? load<4>(to) + three[q] : three[q]);
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
