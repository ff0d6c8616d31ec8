// Colours of images changed at random, and rectangles of them erased.
#include "channels.hpp"
#include "operations.hpp"
#include "philox.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// engines/native/lower_color counts the same way.
enum Kind : int64_t { BRIGHTNESS, CONTRAST, SATURATION, HUE };

/// Words that are set aside for the rectangle, as in bricks/color.
constexpr int64_t WORDS = 16;

BW_INLINE float within(float x, float low, float high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}
BW_INLINE float between(uint32_t bits, float low, float high) { return uniform(bits) * (high - low) + low; }

/// Red, green and blue of a pixel: the largest, how far the smallest is below it, and the hue in sixths of a turn.
struct Color {
    float most, spread, hue;

    explicit Color(const float* x) {
        const float r = x[0], g = x[1], b = x[2];
        most = r > g ? (r > b ? r : b) : (g > b ? g : b);
        const float least = r < g ? (r < b ? r : b) : (g < b ? g : b);
        spread = most - least;
        const float per = spread > 0.0f ? 1.0f / spread : 0.0f;
        hue = most == r ? (g - b) * per : most == g ? (b - r) * per + 2.0f : (r - g) * per + 4.0f;
    }
};

struct Recolor {
    int64_t kind, places, channels;
    float ends[2], low, high;
    RandomSource source;

    Recolor(const Instruction& instruction, const Task& task)
        : kind(instruction.ints[0]), places(instruction.ints[1]), channels(instruction.ints[2]),
          ends{instruction.floats[0], instruction.floats[1]}, low(instruction.floats[2]), high(instruction.floats[3]),
          source(instruction.ints + 4, task) {}
    float drawn(int64_t row) const {
        uint32_t bits[16];
        source.draw_in_order<4>(row, 0, bits);
        const float factor = between(bits[0], ends[0], ends[1]);
        if (kind == BRIGHTNESS) return factor * (high - low);
        if (kind == SATURATION) return factor / (1.0f - factor + 1e-7f);
        if (kind == HUE) return uniform(bits[1]) < 0.5f ? 3.0f * factor : -3.0f * factor;
        return factor;
    }
    float mean(const float* x, int64_t channel) const {
        // Several sums, since each addition has to wait for the one before it.
        double sums[8] = {};
        int64_t p = 0;
        for (; p + 8 <= places; p += 8) {
            for (int i = 0; i < 8; ++i) sums[i] += (double)x[(p + i) * channels + channel];
        }
        for (; p < places; ++p) sums[0] += (double)x[p * channels + channel];
        for (int i = 1; i < 8; ++i) sums[0] += sums[i];
        return (float)(sums[0] / (double)places);
    }
};

}  // namespace

/// operands: x, y   ints: kind, places, channels, 0, a RandomSource   floats: ends of what is drawn, of the values
void color_image(const Instruction& instruction, const Task& task) {
    const Recolor how(instruction, task);
    const int64_t size = how.places * how.channels;
    const float low = how.low, high = how.high;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        const float factor = how.drawn(n);
        if (how.kind == BRIGHTNESS) {
            for (int64_t i = 0; i < size; ++i) y[i] = within(x[i] + factor, low, high);
        } else if (how.kind == CONTRAST) {
            for (int64_t c = 0; c < how.channels; ++c) {
                const float mean = how.mean(x, c);
                for (int64_t i = c; i < size; i += how.channels) {
                    y[i] = within((x[i] - mean) * factor + mean, low, high);
                }
            }
        } else {
            for (int64_t i = 0; i < size; i += 3) {
                const Color color(x + i);
                for (int c = 0; c < 3; ++c) {
                    if (how.kind == SATURATION) {
                        const float share = color.spread > 0.0f ? color.most / color.spread : 0.0f;
                        y[i + c] = color.most - (color.most - x[i + c]) * (factor < share ? factor : share);
                        continue;
                    }
                    float k = color.hue + factor + (float)(5 - 2 * c);
                    k -= 6.0f * __builtin_floorf(k * (1.0f / 6.0f));
                    const float part = within(k < 4.0f - k ? k : 4.0f - k, 0.0f, 1.0f);
                    y[i + c] = within(color.most - color.spread * part, low, high);
                }
            }
        }
    }
}

/// Of brightness and contrast; through the others goes no gradient.
///
/// operands: x, dy, dx   ints: kind, places, channels, accumulate, a RandomSource   floats: as above
void color_image_backward(const Instruction& instruction, const Task& task) {
    const Recolor how(instruction, task);
    const int64_t size = how.places * how.channels;
    const bool accumulate = instruction.ints[3];
    const float low = how.low, high = how.high;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float *x = at(task, instruction.operands[0], n), *dy = at(task, instruction.operands[1], n);
        float* dx = at(task, instruction.operands[2], n);
        const float factor = how.drawn(n);
        for (int64_t c = 0; c < how.channels; ++c) {
            const bool contrast = how.kind == CONTRAST, none = how.kind > CONTRAST;
            const float mean = contrast ? how.mean(x, c) : 0.0f, gain = contrast ? factor : 1.0f;
            const auto kept = [=](int64_t i) {
                const float v = contrast ? (x[i] - mean) * factor + mean : x[i] + factor;
                return v >= low && v <= high && !none ? dy[i] : 0.0f;
            };
            double sum = 0.0;
            for (int64_t i = c; contrast && i < size; i += how.channels) sum += (double)kept(i);
            const float shared = contrast ? (1.0f - factor) * (float)(sum / (double)how.places) : 0.0f;
            for (int64_t i = c; i < size; i += how.channels) {
                const float g = kept(i) * gain + shared;
                dx[i] = accumulate ? dx[i] + g : g;
            }
        }
    }
}

/// operands: x, y; for the gradient dy, dx   ints: height, width, channels, accumulate, a RandomSource, whether the gradient,
/// whether noise fills in
/// floats: ends of the probability, of the part that is erased, of the values   table: what is filled in
void erase_image(const Instruction& instruction, const Task& task) {
    const int64_t height = instruction.ints[0], width = instruction.ints[1], channels = instruction.ints[2];
    const bool accumulate = instruction.ints[3], gradient = instruction.ints[8], noise = instruction.ints[9];
    const RandomSource source(instruction.ints + 4, task);
    const float *f = instruction.floats, *filling = (const float*)instruction.table;
    const int64_t size = height * width * channels;
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float* x = at(task, instruction.operands[0], n);
        float* y = at(task, instruction.operands[1], n);
        uint32_t bits[WORDS];
        source.draw_in_order<4>(n, 0, bits);
        const float wide = __builtin_sqrtf(between(bits[0], f[2], f[3])) * (float)width;
        const float tall = __builtin_sqrtf(between(bits[1], f[2], f[3])) * (float)height;
        const float left = uniform(bits[2]) * ((float)width - wide);
        const float top = uniform(bits[3]) * ((float)height - tall);
        const bool erases = uniform(bits[5]) < between(bits[4], f[0], f[1]);
        if (!accumulate) {
            __builtin_memcpy(y, x, (unsigned long)(size * 4));
        } else {
            for (int64_t i = 0; i < size; ++i) y[i] += x[i];
        }
        if (!erases) continue;
        const auto first = [](float from) { return (int64_t)__builtin_ceilf(from); };
        const int64_t begin = first(left), end = first(left + wide) < width ? first(left + wide) : width;
        for (int64_t i = first(top); i < height && (float)i < top + tall; ++i) {
            int64_t block = -1;
            float normals[16];
            for (int64_t e = (i * width + begin) * channels; e < (i * width + end) * channels; ++e) {
                float made = gradient ? 0.0f : filling[e % channels];
                if (noise && !gradient) {
                    if (e / 16 != block) {
                        block = e / 16;
                        source.normals<4>(n, WORDS + block * 16, normals);
                    }
                    made = normals[e % 16] * f[5];
                }
                made = gradient ? made : within(made, f[4], f[5]);
                y[e] = accumulate ? y[e] - x[e] + made : made;
            }
        }
    }
}

}  // namespace BW_ISA
}  // namespace bw
