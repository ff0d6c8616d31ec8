// Local response normalization: y = x s^(-beta), s = k + alpha times the squares of the channels around.
#include "channels.hpp"
#include "functions.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

struct Window {
    int64_t channels, places, size, before, after;
    float alpha, beta, k;

    explicit Window(const Instruction& instruction)
        : channels(instruction.ints[0]), places(instruction.ints[1]), size(instruction.ints[2]),
          before(size / 2), after((size - 1) / 2), alpha(instruction.floats[0]), beta(instruction.floats[1]),
          k(instruction.floats[2]) {}
    /// Numbers of a row of channels with zeros on both sides, on whole vectors.
    int64_t pitch() const { return (channels + 2 * size + 47) / 16 * 16; }
};

/// s^(-beta); AlexNet's three quarters by roots, which cost less than a logarithm.
template <int N>
BW_INLINE Float<N> power(Float<N> s, float beta) {
    if (beta != 0.75f) return exp<N>(log<N>(s) * -beta);
    Float<N> root;
    for (int lane = 0; lane < N; ++lane) root[lane] = __builtin_sqrtf(s[lane]);
    Float<N> fourth;
    for (int lane = 0; lane < N; ++lane) fourth[lane] = __builtin_sqrtf(root[lane]);
    return 1.0f / (root * fourth);
}

/// Σ of `size` numbers of a row with zeros around, from `before` places before each on.
template <int N>
BW_INLINE Float<N> around(const Window& window, const float* row, int64_t c, int64_t before) {
    const float* from = row + window.size + c - before;
    Float<N> sum = load<N>(from);
    for (int64_t t = 1; t < window.size; ++t) sum += load<N>(from + t);
    return sum;
}

/// Calls f(Width<N>(), c, valid) for all channels of a place.
template <class F>
BW_INLINE void each_channel(const Window& window, const F& f) {
    channel_runs(window.channels, f);
}

BW_INLINE void squares(const Window& window, const float* x, float* row) {
    each_channel(window, [=](auto width, int64_t c, int32_t valid) {
        constexpr int N = decltype(width)::N;
        const Float<N> v = load_part<N>(x + c, valid);
        store_part<N>(row + window.size + c, v * v, valid);
    });
}

}  // namespace

/// operands: x, y, room   ints: channels, places, size   floats: alpha, beta, k
void local_response(const Instruction& instruction, const Task& task) {
    const Window window(instruction);
    float* row = at(task, instruction.operands[2], 0);
    __builtin_memset(row, 0, (unsigned long)(window.pitch() * 4));
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t p = 0; p < window.places; ++p) {
            const float* x = at(task, instruction.operands[0], n) + p * window.channels;
            float* y = at(task, instruction.operands[1], n) + p * window.channels;
            squares(window, x, row);
            each_channel(window, [=](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                const Float<N> s = around<N>(window, row, c, window.before) * window.alpha + window.k;
                store_part<N>(y + c, load_part<N>(x + c, valid) * power<N>(s, window.beta), valid);
            });
        }
    }
}

/// operands: x, dy, dx, room   ints: channels, places, size, accumulate   floats: alpha, beta, k
void local_response_backward(const Instruction& instruction, const Task& task) {
    const Window window(instruction);
    const bool accumulate = instruction.ints[3];
    float *row = at(task, instruction.operands[3], 0), *held = row + window.pitch(), *straight = held + window.pitch();
    __builtin_memset(row, 0, (unsigned long)(2 * window.pitch() * 4));
    const float factor = 2.0f * window.alpha * window.beta;
    for (int64_t n = task.begin; n < task.end; ++n) {
        for (int64_t p = 0; p < window.places; ++p) {
            const float* x = at(task, instruction.operands[0], n) + p * window.channels;
            const float* dy = at(task, instruction.operands[1], n) + p * window.channels;
            float* dx = at(task, instruction.operands[2], n) + p * window.channels;
            squares(window, x, row);
            each_channel(window, [=](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                const Float<N> s = around<N>(window, row, c, window.before) * window.alpha + window.k;
                const Float<N> own = load_part<N>(dy + c, valid) * power<N>(s, window.beta);
                store_part<N>(straight + c, own, valid);
                store_part<N>(held + window.size + c, own * load_part<N>(x + c, valid) / s, valid);
            });
            each_channel(window, [=](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                const Float<N> back = around<N>(window, held, c, window.after);
                Float<N> v = load<N>(straight + c) - load_part<N>(x + c, valid) * back * factor;
                if (accumulate) v += load_part<N>(dx + c, valid);
                store_part<N>(dx + c, v, valid);
            });
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
