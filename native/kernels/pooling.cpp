// One number for each window of an image: its largest or its mean.
//
// Forward walks over the windows; backward over the pixels, each of which sums what the windows that hold it hand
// back. So every number is written once, in the order of the addresses.
#include "channels.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// ints 0 to 10 of every pooling: the image's sizes, the windows' number, size, stride, and padding before.
struct Windows {
    int64_t height, width, channels, high, wide, rows, columns, down, right, top, left;

    explicit Windows(const Instruction& instruction) {
        __builtin_memcpy(this, instruction.ints, sizeof(Windows));
    }
    int64_t image() const { return height * width * channels; }
    int64_t pooled() const { return high * wide * channels; }
    bool inside() const {
        return top == 0 && left == 0 && (high - 1) * down + rows <= height && (wide - 1) * right + columns <= width;
    }
    bool tiled() const { return inside() && rows == down && columns == right; }
};

/// The taps [first, last) of one window that lie inside of the image, along one axis.
struct Taps {
    int64_t first, last;
};

BW_INLINE Taps taps_inside(int64_t start, int64_t taps, int64_t size) {
    return {start < 0 ? -start : 0, start + taps > size ? size - start : taps};
}

/// The windows [first, last] along one axis that hold a pixel, for pixels in ascending order.
struct Holders {
    int64_t first = 0, last = -1;

    inline __attribute__((always_inline)) void advance(int64_t place, int64_t taps, int64_t stride, int64_t count) {
        while (first * stride + taps <= place) ++first;
        while (last + 1 < count && (last + 1) * stride <= place) ++last;
    }
};

template <int N>
struct Best {
    Float<N> y;
    Int<N> winner;

    /// The first of equal numbers stays; NaN wins over all and stays.
    inline __attribute__((always_inline)) void consider(Float<N> tap, int32_t index) {
        const Int<N> more = (tap > y) | (tap != tap);
        y = more ? tap : y;
        winner = more ? Int<N>{} + index : winner;
    }
};

template <class T>
void largest(const Windows& s, const float* x, float* y, T* winners) {
    const int64_t line = s.width * s.channels;
    const float* y_end = y + s.pooled();
    const T* winners_end = winners + s.pooled();
    const bool pairs = s.inside() && s.rows == 2 && s.columns == 2;
    for (int64_t i = 0; i < s.high; ++i) {
        const int64_t row = i * s.down - s.top;
        const Taps p = taps_inside(row, s.rows, s.height);
        for (int64_t j = 0; j < s.wide; ++j) {
            const int64_t column = j * s.right - s.left, to = (i * s.wide + j) * s.channels;
            const Taps q = taps_inside(column, s.columns, s.width);
            const float* corner = x + row * line + column * s.channels;
            channel_runs(s.channels, [&](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                Best<N> best;
                best.winner = Int<N>{};
                if (pairs) {
                    const float* from = corner + c;
                    best.y = load<N>(from);
                    best.consider(load<N>(from + s.channels), 1);
                    best.consider(load<N>(from + line), 2);
                    best.consider(load<N>(from + line + s.channels), 3);
                } else {
                    best.y = all<N>(-__builtin_inff());
                    for (int64_t a = p.first; a < p.last; ++a) {
                        for (int64_t b = q.first; b < q.last; ++b) {
                            best.consider(load<N>(corner + a * line + b * s.channels + c),
                                          (int32_t)(a * s.columns + b));
                        }
                    }
                }
                store_over<N>(y + to + c, best.y, valid, y_end);
                if (winners) store_small_over<N, T>(winners + to + c, best.winner, valid, winners_end);
            });
        }
    }
}

template <bool ACCUMULATE, int N>
BW_INLINE void put(float* to, Float<N> v, int32_t valid, const float* end) {
    if (ACCUMULATE) v = load<N>(to) + only<N>(v, valid);
    store_over<N>(to, v, valid, end);
}

/// What pixel after pixel gets. `held(width, window, c)` gives a function of the tap: what one window hands back to
/// it; `window` counts windows row by row.
template <bool ACCUMULATE, class F>
BW_INLINE void spread(const Windows& s, float* dx, const F& held) {
    const float* end = dx + s.image();
    Holders down;
    for (int64_t h = 0; h < s.height; ++h) {
        down.advance(h + s.top, s.rows, s.down, s.high);
        Holders right;
        for (int64_t w = 0; w < s.width; ++w) {
            right.advance(w + s.left, s.columns, s.right, s.wide);
            float* to = dx + (h * s.width + w) * s.channels;
            channel_runs(s.channels, [&](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                Float<N> sum{};
                for (int64_t i = down.first; i <= down.last; ++i) {
                    for (int64_t j = right.first; j <= right.last; ++j) {
                        const int64_t tap = (h + s.top - i * s.down) * s.columns + w + s.left - j * s.right;
                        sum += held(width, i * s.wide + j, c)((int32_t)tap);
                    }
                }
                put<ACCUMULATE, N>(to + c, sum, valid, end);
            });
        }
    }
}

/// The same for windows side by side, of which at most one holds a pixel: each is looked at once.
template <bool ACCUMULATE, class F>
BW_INLINE void spread_tiles(const Windows& s, float* dx, const F& held) {
    const int64_t line = s.width * s.channels, across = s.columns * s.channels;
    const auto nothing = [&](float* from, int64_t count) {
        if (!ACCUMULATE) __builtin_memset(from, 0, (unsigned long)(count * 4));
    };
    for (int64_t i = 0; i < s.high; ++i) {
        float* row = dx + i * s.rows * line;
        for (int64_t j = 0; j < s.wide; ++j) {
            channel_runs(s.channels, [&](auto width, int64_t c, int32_t valid) {
                constexpr int N = decltype(width)::N;
                const auto back = held(width, i * s.wide + j, c);
                for (int64_t a = 0; a < s.rows; ++a) {
                    // A vector may reach into what is written later: not beyond its line, since the next one is
                    // done, nor from the last channels into the next pixel's first ones.
                    float* to = row + a * line + j * across + c;
                    for (int64_t b = 0; b < s.columns; ++b, to += s.channels) {
                        const float* end = c ? to : row + a * line + s.wide * across;
                        put<ACCUMULATE, N>(to, back((int32_t)(a * s.columns + b)), valid, end);
                    }
                }
            });
        }
        for (int64_t a = 0; a < s.rows; ++a) nothing(row + a * line + s.wide * across, line - s.wide * across);
    }
    nothing(dx + s.high * s.rows * line, (s.height - s.high * s.rows) * line);
}

template <bool ACCUMULATE, class F>
BW_INLINE void hand_back(const Windows& s, float* dx, const F& held) {
    if (s.tiled()) {
        spread_tiles<ACCUMULATE>(s, dx, held);
    } else {
        spread<ACCUMULATE>(s, dx, held);
    }
}

template <class T, bool ACCUMULATE>
void largest_backward(const Windows& s, const float* dy, const T* winners, const float* y, float* dx) {
    const int64_t channels = s.channels;
    const auto back = [=](auto width, int64_t at, auto kept) {
        constexpr int N = decltype(width)::N;
        const Int<N> won = load_small<N, T>(winners + at);
        return [=](int32_t tap) { return won == tap ? kept : Float<N>{}; };
    };
    if (y) {
        hand_back<ACCUMULATE>(s, dx, [=](auto width, int64_t window, int64_t c) {
            constexpr int N = decltype(width)::N;
            const int64_t at = window * channels + c;
            return back(width, at, load<N>(y + at) > 0.0f ? load<N>(dy + at) : Float<N>{});
        });
    } else {
        hand_back<ACCUMULATE>(s, dx, [=](auto width, int64_t window, int64_t c) {
            constexpr int N = decltype(width)::N;
            const int64_t at = window * channels + c;
            return back(width, at, load<N>(dy + at));
        });
    }
}

/// 1 / the number of a window's places inside of the image.
BW_INLINE float share_of(const Windows& s, int64_t i, int64_t j) {
    const Taps p = taps_inside(i * s.down - s.top, s.rows, s.height);
    const Taps q = taps_inside(j * s.right - s.left, s.columns, s.width);
    return 1.0f / (float)((p.last - p.first) * (q.last - q.first));
}

template <bool ACCUMULATE>
void mean_backward(const Windows& s, const float* dy, float* dx) {
    if (s.inside()) {
        const float share = share_of(s, 0, 0);
        hand_back<ACCUMULATE>(s, dx, [=](auto width, int64_t window, int64_t c) {
            const auto part = load<decltype(width)::N>(dy + window * s.channels + c) * share;
            return [=](int32_t) { return part; };
        });
    } else {
        spread<ACCUMULATE>(s, dx, [=, &s](auto width, int64_t window, int64_t c) {
            const float share = share_of(s, window / s.wide, window % s.wide);
            const auto part = load<decltype(width)::N>(dy + window * s.channels + c) * share;
            return [=](int32_t) { return part; };
        });
    }
}

}  // namespace

/// The largest number of each window, and which it was.
///
/// operands: x, y, winners (small whole numbers; absent: not asked for)   ints: Windows, bytes of a winner
void max_pool(const Instruction& instruction, const Task& task) {
    const Windows s(instruction);
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        const Operand& winner = instruction.operands[2];
        void* winners = present(winner) ? at(task, winner, n) : nullptr;
        if (instruction.ints[11] == 1) {
            largest(s, x, y, (uint8_t*)winners);
        } else {
            largest(s, x, y, (uint16_t*)winners);
        }
    }
}

/// dx (+)= dy where x has won, and where y is positive if y is given: the ReLU that made x is then in it.
///
/// operands: dy, winners, y, dx   ints: Windows, bytes of a winner, accumulate
void max_pool_backward(const Instruction& instruction, const Task& task) {
    const Windows s(instruction);
    const bool small = instruction.ints[11] == 1, accumulate = instruction.ints[12];
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* dy = at(task, instruction.operands[0], n);
        const void* winners = at(task, instruction.operands[1], n);
        const float* y = present(instruction.operands[2]) ? at(task, instruction.operands[2], n) : nullptr;
        float* dx = at(task, instruction.operands[3], n);
        if (small && accumulate) {
            largest_backward<uint8_t, true>(s, dy, (const uint8_t*)winners, y, dx);
        } else if (small) {
            largest_backward<uint8_t, false>(s, dy, (const uint8_t*)winners, y, dx);
        } else if (accumulate) {
            largest_backward<uint16_t, true>(s, dy, (const uint16_t*)winners, y, dx);
        } else {
            largest_backward<uint16_t, false>(s, dy, (const uint16_t*)winners, y, dx);
        }
    }
}

/// The mean of each window's places inside of the image.   operands: x, y   ints: Windows
void average_pool(const Instruction& instruction, const Task& task) {
    const Windows s(instruction);
    const int64_t line = s.width * s.channels;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        const float* end = y + s.pooled();
        for (int64_t i = 0; i < s.high; ++i) {
            const int64_t row = i * s.down - s.top;
            const Taps p = taps_inside(row, s.rows, s.height);
            for (int64_t j = 0; j < s.wide; ++j) {
                const int64_t column = j * s.right - s.left;
                const Taps q = taps_inside(column, s.columns, s.width);
                const float share = share_of(s, i, j);
                channel_runs(s.channels, [&](auto width, int64_t c, int32_t valid) {
                    constexpr int N = decltype(width)::N;
                    Float<N> total{};
                    for (int64_t a = p.first; a < p.last; ++a) {
                        const float* from = x + (row + a) * line + column * s.channels + c;
                        Float<N> even{}, odd{};
                        int64_t b = q.first;
                        for (; b + 2 <= q.last; b += 2) {
                            even += load<N>(from + b * s.channels);
                            odd += load<N>(from + (b + 1) * s.channels);
                        }
                        if (b < q.last) even += load<N>(from + b * s.channels);
                        total += even + odd;
                    }
                    store_over<N>(y + (i * s.wide + j) * s.channels + c, total * share, valid, end);
                });
            }
        }
    }
}

/// dx (+)= the windows' dy over the number of their places.   operands: dy, dx   ints: Windows, 0, accumulate
void average_pool_backward(const Instruction& instruction, const Task& task) {
    const Windows s(instruction);
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* dy = at(task, instruction.operands[0], n);
        float* dx = at(task, instruction.operands[1], n);
        if (instruction.ints[12]) {
            mean_backward<true>(s, dy, dx);
        } else {
            mean_backward<false>(s, dy, dx);
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
