// Convolutions of images of one channel with few filters: neighbouring pixels of a line fill the vectors, since
// channels and filters would leave most of their lanes empty. One weight at a time meets a line of pixels.
#include "channels.hpp"
#include "operations.hpp"
#include "turn.hpp"

namespace bw {
namespace BW_ISA {

namespace {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int AT_ONCE = 2, MOST_PLACES = 4, MOST_FILTERS = 6;  // vectors of pixels; sums held: 32 registers
#else
constexpr int AT_ONCE = 1, MOST_PLACES = 4, MOST_FILTERS = 3;  // 16 registers
#endif

/// Filters that are turned between pixels side by side and filters side by side.
constexpr int SQUARE = WIDEST < 8 ? 4 : 8;
constexpr int PIXELS = AT_ONCE * WIDEST;

#define BW_UNROLL _Pragma("GCC unroll 16")

/// A kernel's places on an image of one channel.
struct Places {
    int64_t line, rows, columns;

    int64_t count() const { return rows * columns; }
};

/// PIXELS neighbouring pixels of F filters, filter by filter.
template <int F>
void few_pixels(const float* x, const Places& places, const float* w, int64_t w_step, const float* bias, bool relu,
                float* out) {
    Float<WIDEST> sums[F][AT_ONCE];
    BW_UNROLL
    for (int f = 0; f < F; ++f) {
        BW_UNROLL
        for (int v = 0; v < AT_ONCE; ++v) sums[f][v] = bias ? all<WIDEST>(bias[f]) : Float<WIDEST>{};
    }
    for (int64_t p = 0; p < places.rows; ++p, x += places.line) {
        for (int64_t q = 0; q < places.columns; ++q, w += w_step) {
            Float<WIDEST> pixels[AT_ONCE];
            BW_UNROLL
            for (int v = 0; v < AT_ONCE; ++v) pixels[v] = load<WIDEST>(x + q + v * WIDEST);
            BW_UNROLL
            for (int f = 0; f < F; ++f) {
                const Float<WIDEST> weight = all<WIDEST>(w[f]);
                BW_UNROLL
                for (int v = 0; v < AT_ONCE; ++v) sums[f][v] += weight * pixels[v];
            }
        }
    }
    BW_UNROLL
    for (int f = 0; f < F; ++f) {
        BW_UNROLL
        for (int v = 0; v < AT_ONCE; ++v) {
            store<WIDEST>(out + f * PIXELS + v * WIDEST,
                          relu ? max<WIDEST>(Float<WIDEST>{}, sums[f][v]) : sums[f][v]);
        }
    }
}

using FewPixels = void (*)(const float*, const Places&, const float*, int64_t, const float*, bool, float*);
constexpr FewPixels FEW_PIXELS[9] = {nullptr,       few_pixels<1>, few_pixels<2>, few_pixels<3>, few_pixels<4>,
                                     few_pixels<5>, few_pixels<6>, few_pixels<7>, few_pixels<8>};

/// Sums over lines of the products of T places of x with F planes of dy.
template <int T, int F>
void few_products(const float* x, int64_t x_step, const int64_t* taps, const float* dy, int64_t plane, int64_t high,
                  int64_t wide, float* sums, int64_t step) {
    Float<WIDEST> products[T][F];
    BW_UNROLL
    for (int t = 0; t < T; ++t) {
        BW_UNROLL
        for (int f = 0; f < F; ++f) products[t][f] = Float<WIDEST>{};
    }
    for (int64_t row = 0; row < high; ++row, x += x_step, dy += wide) {
        for (int64_t column = 0; column < wide; column += WIDEST) {
            Float<WIDEST> gradient[F];
            BW_UNROLL
            for (int f = 0; f < F; ++f) gradient[f] = load<WIDEST>(dy + f * plane + column);
            BW_UNROLL
            for (int t = 0; t < T; ++t) {
                const Float<WIDEST> pixels = load<WIDEST>(x + taps[t] + column);
                BW_UNROLL
                for (int f = 0; f < F; ++f) products[t][f] += pixels * gradient[f];
            }
        }
    }
    BW_UNROLL
    for (int t = 0; t < T; ++t) {
        BW_UNROLL
        for (int f = 0; f < F; ++f) sums[t * step + f] += sum_of<WIDEST>(products[t][f]);
    }
}

using FewProducts = void (*)(const float*, int64_t, const int64_t*, const float*, int64_t, int64_t, int64_t, float*,
                             int64_t);

struct Products {
    FewProducts of[MOST_PLACES + 1][MOST_FILTERS + 1];

    template <int T, int F>
    constexpr void fill() {
        of[T][F] = few_products<T, F>;
        if constexpr (F > 1) {
            fill<T, F - 1>();
        } else if constexpr (T > 1) {
            fill<T - 1, MOST_FILTERS>();
        }
    }
    constexpr Products() : of() { fill<MOST_PLACES, MOST_FILTERS>(); }
};
constexpr Products PRODUCTS;

/// The next of `left` things, split evenly into runs of at most `most`.
BW_INLINE int64_t next_run(int64_t left, int64_t most) {
    const int64_t runs = (left + most - 1) / most;
    return (left + runs - 1) / runs;
}

}  // namespace

/// y = x * W (+ b) (then ReLU), for x of one channel, with its border.
///
/// x's lines reach a vector of pixels beyond the kernel's last place.   operands: x, y, b   ints: finish, space of
/// the matrix, floats of a row of x, rows and columns of y, step of rows, rows and columns of the kernel
/// matrices: W
void convolve_lines(const Instruction& instruction, const Task& task) {
    const Operand& b = instruction.operands[2];
    const Matrix& matrix = instruction.matrices[0];
    const int64_t* g = instruction.ints;
    const Places places{g[2], g[6], g[7]};
    const int64_t high = g[3], wide = g[4], down = g[5] * places.line, filters = matrix.columns;
    const bool relu = g[0] & 4;
    float held[SQUARE * PIXELS] = {};
    for (int32_t index = 0; index < matrix.count; ++index) {
        const Block& block = matrix.blocks[index];
        for (int32_t first = 0; first < block.valid; first += SQUARE) {
            const int32_t valid = block.valid - first < SQUARE ? block.valid - first : SQUARE;
            const int64_t column = block.column + first;
            const float* w = task.base[g[1]] + matrix.offset + block.offset + first;
            const float* bias = present(b) ? task.base[b.space] + b.offset + column : nullptr;
            for (int64_t n = task.begin; n < task.end; ++n) {
                const float* x = at(task, instruction.operands[0], n);
                float* y = at(task, instruction.operands[1], n);
                // A pixel's lanes that are too many are written over by the next pixel, if it has no other filters.
                const float* end = valid == filters ? y + high * wide * filters : y;
                for (int64_t row = 0; row < high; ++row) {
                    for (int64_t pixel = 0; pixel < wide; pixel += PIXELS) {
                        FEW_PIXELS[valid](x + row * down + pixel, places, w, block.width, bias, relu, held);
                        const int64_t left = wide - pixel;
                        float* to = y + (row * wide + pixel) * filters + column;
                        for (int64_t part = 0; part < PIXELS && part < left; part += SQUARE) {
                            turned<SQUARE>(held + part, PIXELS, [=](int i, Float<SQUARE> v) {
                                if (part + i < left) store_over<SQUARE>(to + (part + i) * filters, v, valid, end);
                            });
                        }
                    }
                }
            }
        }
    }
}

/// dy filter by filter, its lines filled up with zeros.
///
/// operands: dy, planes   ints: rows and columns of dy, filters, floats of a line of a plane
void planes(const Instruction& instruction, const Task& task) {
    const int64_t* g = instruction.ints;
    const int64_t high = g[0], wide = g[1], filters = g[2], line = g[3], plane = high * line;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* dy = at(task, instruction.operands[0], n);
        float* to = at(task, instruction.operands[1], n);
        for (int64_t row = 0; row < high; ++row) {
            for (int64_t first = 0; first < filters; first += SQUARE) {
                const int64_t valid = filters - first < SQUARE ? filters - first : SQUARE;
                for (int64_t pixel = 0; pixel < line; pixel += SQUARE) {
                    float* out = to + first * plane + row * line + pixel;
                    const float* from = dy + (row * wide + pixel) * filters + first;
                    const int64_t left = wide - pixel;
                    float few[SQUARE * SQUARE] = {};
                    int64_t step = filters;
                    if (left < SQUARE) {
                        for (int64_t i = 0; i < left; ++i) {
                            for (int64_t f = 0; f < valid; ++f) few[i * SQUARE + f] = from[i * filters + f];
                        }
                        from = few;
                        step = SQUARE;
                    }
                    turned<SQUARE>(from, step, [=](int i, Float<SQUARE> v) {
                        if (i < valid) store<SQUARE>(out + i * plane, v);
                    });
                }
            }
        }
    }
}

/// The kernel's gradient from a group of samples, added to the chunk's sums, for x of one channel, with its border.
///
/// operands: x, planes of dy, sums (a row for each chunk, laid out like W)   ints: floats of a row of x, rows of y,
/// floats of a line of a plane, step of rows, rows and columns of the kernel, floats of the sums   matrices: W
void convolve_lines_gradient(const Instruction& instruction, const Task& task) {
    const Matrix& matrix = instruction.matrices[0];
    const int64_t* g = instruction.ints;
    const Places places{g[0], g[4], g[5]};
    const int64_t high = g[1], line = g[2], down = g[3] * places.line, plane = high * line;
    float* total = at(task, instruction.operands[2], task.chunk);
    if (task.first) {
        for (int64_t i = 0; i < g[6]; ++i) total[i] = 0.0f;
    }
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        const float* dy = at(task, instruction.operands[1], n);
        for (int32_t index = 0; index < matrix.count; ++index) {
            const Block& block = matrix.blocks[index];
            for (int64_t tap = 0; tap < places.count();) {
                const int64_t taps = next_run(places.count() - tap, MOST_PLACES);
                int64_t offsets[MOST_PLACES];
                for (int64_t t = 0; t < taps; ++t) {
                    offsets[t] = (tap + t) / places.columns * places.line + (tap + t) % places.columns;
                }
                for (int64_t f = 0; f < block.valid;) {
                    const int64_t filters = next_run(block.valid - f, MOST_FILTERS);
                    PRODUCTS.of[taps][filters](x, down, offsets, dy + (block.column + f) * plane, plane, high, line,
                                               total + block.offset + tap * block.width + f, block.width);
                    f += filters;
                }
                tap += taps;
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
