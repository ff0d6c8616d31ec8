// Convolutions of each channel with a kernel of its own: neighbouring channels fill the vectors, and sums of several
// pixels stay in registers while all places of the kernel are met.
//
// Forward and the gradient of x are the same walk: along each axis a table says, for each residue of the pixels that
// are made, which places of the kernel meet which pixels of the source.
#include "channels.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

constexpr int PIXELS = 8;   ///< sums held at a time
constexpr int PLACES = 9;   ///< places of the kernel whose gradients are held at a time
constexpr int MOST_PLACES = 1024;

#define BW_UNROLL _Pragma("GCC unroll 16")

/// Pixels first, first + step, ... that are made along one axis: number a meets, through each place of the kernel,
/// pixel a * stride + offset of the source where there is one.
struct Pass {
    int64_t first, step, count, stride, places;
    const int64_t* pairs;  ///< (place in the kernel, offset)

    inline __attribute__((always_inline)) int64_t place(int64_t i) const { return pairs[2 * i]; }
    inline __attribute__((always_inline)) int64_t offset(int64_t i) const { return pairs[2 * i + 1]; }
    inline __attribute__((always_inline)) bool meets(int64_t i, int64_t a, int64_t size) const {
        const int64_t at = a * stride + offset(i);
        return at >= 0 && at < size;
    }
};

BW_INLINE Pass pass_at(const int64_t*& table) {
    const Pass pass{table[0], table[1], table[2], table[3], table[4], table + 5};
    table += 5 + 2 * pass.places;
    return pass;
}

/// Where the pixels begin and end that meet the source through every place.
struct Inside {
    int64_t begin, end;

    Inside(const Pass& pass, int64_t size) : begin(0), end(pass.count) {
        for (int64_t i = 0; i < pass.places; ++i) {
            while (begin < end && !pass.meets(i, begin, size)) ++begin;
            while (end > begin && !pass.meets(i, end - 1, size)) --end;
        }
    }
};

/// What one place of the kernel meets: steps of the source and of the kernel, in floats.
struct Met {
    int64_t source, weight;
};

/// P pixels of N channels.
template <int P, int N>
BW_INLINE void pixels(const float* x, int64_t x_step, const float* w, const Met* met, int64_t count,
                      const float* bias, int64_t finish, float* y, int64_t y_step, int32_t valid) {
    Float<N> sums[P];
    BW_UNROLL
    for (int k = 0; k < P; ++k) sums[k] = bias ? load_part<N>(bias, valid) : Float<N>{};
    for (int64_t i = 0; i < count; ++i) {
        const Float<N> weight = load_part<N>(w + met[i].weight, valid);
        const float* from = x + met[i].source;
        BW_UNROLL
        for (int k = 0; k < P; ++k) sums[k] += weight * load<N>(from + k * x_step);
    }
    BW_UNROLL
    for (int k = 0; k < P; ++k) {
        float* to = y + k * y_step;
        if (finish & 4) sums[k] = max<N>(Float<N>{}, sums[k]);
        if (finish & 1) sums[k] += load_part<N>(to, valid);
        store_part<N>(to, sums[k], valid);
    }
}

template <int N>
void line_of_pixels(const float* x, int64_t x_step, const float* w, const Met* met, int64_t count, const float* bias,
                    int64_t finish, float* y, int64_t y_step, int32_t valid, int64_t wide) {
    int64_t done = 0;
    for (; done + PIXELS <= wide; done += PIXELS) {
        pixels<PIXELS, N>(x + done * x_step, x_step, w, met, count, bias, finish, y + done * y_step, y_step, valid);
    }
    for (; done + 4 <= wide; done += 4) {
        pixels<4, N>(x + done * x_step, x_step, w, met, count, bias, finish, y + done * y_step, y_step, valid);
    }
    for (; done < wide; ++done) {
        pixels<1, N>(x + done * x_step, x_step, w, met, count, bias, finish, y + done * y_step, y_step, valid);
    }
}

/// Sums over the pixels of a line of x dy, for T places of the kernel.
template <int T, int N>
void line_of_products(const float* x, int64_t x_step, const int64_t* met, const float* dy, int64_t dy_step,
                      int64_t wide, float* const* sums) {
    Float<N> total[T];
    BW_UNROLL
    for (int t = 0; t < T; ++t) total[t] = load<N>(sums[t]);
    for (int64_t j = 0; j < wide; ++j, x += x_step, dy += dy_step) {
        const Float<N> gradient = load<N>(dy);
        BW_UNROLL
        for (int t = 0; t < T; ++t) total[t] += gradient * load<N>(x + met[t]);
    }
    BW_UNROLL
    for (int t = 0; t < T; ++t) store<N>(sums[t], total[t]);
}

using LineOfProducts = void (*)(const float*, int64_t, const int64_t*, const float*, int64_t, int64_t, float* const*);

template <int N>
struct Lines {
    LineOfProducts of[PLACES + 1];

    template <int T>
    constexpr void fill() {
        of[T] = line_of_products<T, N>;
        if constexpr (T > 1) fill<T - 1>();
    }
    constexpr Lines() : of() { fill<PLACES>(); }
};

template <int N>
struct Held {
    static constexpr Lines<N> LINES{};
};

}  // namespace

/// y (+)= sums over the kernel's places of x W (+ b) (then ReLU), channel by channel.
///
/// operands: x, y, W, b   ints: rows and columns of x, channels, columns of y, columns of the kernel, finish, passes
/// of rows, of columns   table: the passes of rows, then of columns: first pixel, step, count, step of x, places, and
/// for each place (place in the kernel, offset in x)
void depthwise(const Instruction& instruction, const Task& task) {
    const int64_t* g = instruction.ints;
    const int64_t height = g[0], width = g[1], channels = g[2], wide = g[3], columns = g[4], finish = g[5];
    const float* kernel = at(task, instruction.operands[2], 0);
    const float* bias = present(instruction.operands[3]) ? at(task, instruction.operands[3], 0) : nullptr;
    const int64_t line = width * channels;
    const int64_t* table = instruction.table;
    const int64_t* column_passes = table;
    for (int64_t i = 0; i < g[6]; ++i) pass_at(column_passes);
    for (int64_t which = 0; which < g[6]; ++which) {
        const Pass rows = pass_at(table);
        const int64_t* next = column_passes;
        for (int64_t other = 0; other < g[7]; ++other) {
            const Pass across = pass_at(next);
            const Inside inside(across, width);
            for (int64_t n = task.begin; n < task.end; ++n) {
                const float* x = at(task, instruction.operands[0], n);
                float* y = at(task, instruction.operands[1], n);
                for (int64_t i = 0; i < rows.count; ++i) {
                    float* to = y + ((rows.first + i * rows.step) * wide + across.first) * channels;
                    // Runs of pixels that meet the same places: each of those at the edges, then all in between.
                    for (int64_t j = 0; j < across.count;) {
                        const bool within = j >= inside.begin && j < inside.end;
                        const int64_t end = within ? inside.end : j + 1;
                        Met met[MOST_PLACES];
                        int64_t count = 0;
                        for (int64_t p = 0; p < rows.places; ++p) {
                            if (!rows.meets(p, i, height)) continue;
                            const int64_t row = (i * rows.stride + rows.offset(p)) * line;
                            for (int64_t q = 0; q < across.places; ++q) {
                                if (!within && !across.meets(q, j, width)) continue;
                                met[count].source = row + (j * across.stride + across.offset(q)) * channels;
                                met[count++].weight = (rows.place(p) * columns + across.place(q)) * channels;
                            }
                        }
                        channel_runs(channels, [&](auto lanes, int64_t c, int32_t valid) {
                            line_of_pixels<decltype(lanes)::N>(x + c, across.stride * channels, kernel + c, met, count,
                                                               bias ? bias + c : nullptr, finish,
                                                               to + j * across.step * channels + c,
                                                               across.step * channels, valid, end - j);
                        });
                        j = end;
                    }
                }
            }
        }
    }
}

/// The kernel's gradient from a group of samples, added to the chunk's sums.
///
/// operands: x, dy, sums (a row for each chunk)   ints: rows and columns of x, channels, columns of dy, columns of the
/// kernel, floats of the sums   table: one pass of rows and one of columns, as forward
void depthwise_gradient(const Instruction& instruction, const Task& task) {
    const int64_t* g = instruction.ints;
    const int64_t height = g[0], width = g[1], channels = g[2], wide = g[3], columns = g[4];
    const int64_t* table = instruction.table;
    const Pass rows = pass_at(table);
    const Pass across = pass_at(table);
    const Inside inside(across, width);
    const int64_t line = width * channels, places = rows.places * across.places;
    float* total = at(task, instruction.operands[2], task.chunk);
    if (task.first) {
        for (int64_t i = 0; i < g[5]; ++i) total[i] = 0.0f;
    }
    // Sums of a sample first, so that long sums are made of shorter ones.
    float sums[MOST_PLACES * WIDEST];
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        const float* dy = at(task, instruction.operands[1], n);
        channel_runs(channels, [&](auto lanes, int64_t c, int32_t valid) {
            constexpr int N = decltype(lanes)::N;
            for (int64_t i = 0; i < places * N; ++i) sums[i] = 0.0f;
            for (int64_t i = 0; i < rows.count; ++i) {
                const float* from = dy + i * wide * channels + c;
                for (int64_t j = 0; j < across.count;) {
                    const bool within = j >= inside.begin && j < inside.end;
                    const int64_t end = within ? inside.end : j + 1;
                    int64_t met[PLACES];
                    float* own[PLACES];
                    int count = 0;
                    const auto flush = [&] {
                        if (count) {
                            Held<N>::LINES.of[count](x + c, across.stride * channels, met, from + j * channels,
                                                     channels, end - j, own);
                        }
                        count = 0;
                    };
                    for (int64_t p = 0; p < rows.places; ++p) {
                        if (!rows.meets(p, i, height)) continue;
                        const int64_t row = (i * rows.stride + rows.offset(p)) * line;
                        for (int64_t q = 0; q < across.places; ++q) {
                            if (!within && !across.meets(q, j, width)) continue;
                            met[count] = row + (j * across.stride + across.offset(q)) * channels;
                            own[count++] = sums + (rows.place(p) * columns + across.place(q)) * N;
                            if (count == PLACES) flush();
                        }
                    }
                    flush();
                    j = end;
                }
            }
            for (int64_t place = 0; place < places; ++place) {
                float* to = total + place * channels + c;
                store_part<N>(to, load_part<N>(to, valid) + load<N>(sums + place * N), valid);
            }
        });
    }
}

}  // namespace BW_ISA
}  // namespace bw
