// Each pixel as a weighted sum of a few pixels of another image: upsampling, and its gradient.
#include "channels.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// For each pixel of y along one axis: which pixels of x it is made of, and with what weights.
struct Axis {
    const int64_t* starts;  ///< of each pixel's pairs, and where the last ones end
    const int64_t* pairs;   ///< (pixel of x, bits of the weight)

    Axis(const int64_t* table, int64_t count) : starts(table), pairs(table + count + 1) {}
    inline __attribute__((always_inline)) int64_t place(int64_t pair) const { return pairs[2 * pair]; }
    inline __attribute__((always_inline)) float weight(int64_t pair) const {
        const int32_t bits = (int32_t)pairs[2 * pair + 1];
        float w;
        __builtin_memcpy(&w, &bits, sizeof w);
        return w;
    }
    inline __attribute__((always_inline)) int64_t length(int64_t count) const { return count + 1 + 2 * starts[count]; }
};

}  // namespace

/// y[i, j] (+)= sums over pairs of row i and column j of weight * weight * x.
///
/// operands: x, y   ints: columns, channels of x; rows, columns of y; accumulate   table: for rows, then for
/// columns of y, starts and pairs
void resample(const Instruction& instruction, const Task& task) {
    const int64_t* g = instruction.ints;
    const int64_t channels = g[1], line = g[0] * channels, high = g[2], wide = g[3];
    const bool accumulate = g[4];
    const Axis rows(instruction.table, high);
    const Axis columns(instruction.table + rows.length(high), wide);
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        const float* end = y + high * wide * channels;
        for (int64_t i = 0; i < high; ++i) {
            for (int64_t j = 0; j < wide; ++j, y += channels) {
                channel_runs(channels, [&](auto width, int64_t c, int32_t valid) {
                    constexpr int N = decltype(width)::N;
                    Float<N> total{};
                    for (int64_t a = rows.starts[i]; a < rows.starts[i + 1]; ++a) {
                        const float* from = x + rows.place(a) * line + c;
                        Float<N> sum{};
                        for (int64_t b = columns.starts[j]; b < columns.starts[j + 1]; ++b) {
                            sum += columns.weight(b) * load<N>(from + columns.place(b) * channels);
                        }
                        total += rows.weight(a) * sum;
                    }
                    if (accumulate) total = load<N>(y + c) + only<N>(total, valid);
                    store_over<N>(y + c, total, valid, end);
                });
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
