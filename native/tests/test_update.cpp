// The rules of the optimizers against their formulas, one number at a time, in double precision.
#include <cmath>

#include "check.hpp"
#include "operations.hpp"

namespace {

struct Given {
    float scale, l1, l2, decay, clip;
};

bool close(float found, double expected) { return std::fabs(found - expected) <= 2e-6 * (1.0 + std::fabs(expected)); }

bool right(bw::Rule rule, size_t count, const Given& given) {
    const bool adam = rule == bw::Rule::ADAM || rule == bw::Rule::AMSGRAD;
    bw::UpdateRule made{rule, 0.1f, given.decay, given.clip, {0.9f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f}};
    if (adam) made = {rule, 0.1f, given.decay, given.clip, {0.1f, 0.01f, 1e-3f, 0.05f, 0.0f, 0.0f}};
    run::Walled w(count), m(count), v(count), h(count);
    const auto from = run::numbers(4 * count, 7), g = run::numbers(count, 9);
    for (size_t i = 0; i < count; ++i) {
        w.data()[i] = i % 5 ? from[i] : 0.0f;
        m.data()[i] = from[count + i];
        v.data()[i] = std::fabs(from[2 * count + i]);
        h.data()[i] = std::fabs(from[3 * count + i]);
    }
    const auto was = [count](run::Walled& held) { return std::vector<double>(held.data(), held.data() + count); };
    const auto w0 = was(w), m0 = was(m), v0 = was(v), h0 = was(h);
    float* slots[3] = {rule == bw::Rule::SGD ? nullptr : m.data(), adam ? v.data() : nullptr,
                       rule == bw::Rule::AMSGRAD ? h.data() : nullptr};
    bw::kernels().update(made, w.data(), g.data(), slots, 0, static_cast<int64_t>(count), given.scale, given.l1,
                         given.l2);
    for (size_t i = 0; i < count; ++i) {
        double slope = g[i] + given.l1 * ((w0[i] > 0) - (w0[i] < 0)) + 2.0 * given.l2 * w0[i];
        slope *= given.scale;
        if (given.clip > 0) slope = std::fmax(std::fmin(slope, given.clip), -given.clip);
        const double start = w0[i] * (1.0 - given.decay);
        double next = start, kept = m0[i];
        if (rule == bw::Rule::SGD) {
            next = start - 0.1 * slope;
        } else if (!adam) {
            kept = 0.9 * m0[i] - 0.1 * slope;
            next = rule == bw::Rule::MOMENTUM ? start + kept : start - 0.1 * slope + 0.9 * kept;
        } else {
            kept = m0[i] + (slope - m0[i]) * 0.1;
            double second = v0[i] + (slope * slope - v0[i]) * 0.01;
            if (!close(v.data()[i], second)) return false;
            if (rule == bw::Rule::AMSGRAD) {
                second = std::fmax(second, h0[i]);
                if (!close(h.data()[i], second)) return false;
            }
            next = start - 0.05 * kept / (std::sqrt(second) + 1e-3);
        }
        if (!close(w.data()[i], next) || !close(m.data()[i], kept)) return false;
    }
    return w.intact() && m.intact() && v.intact() && h.intact();
}

}  // namespace

TEST(update_every_rule_and_length) {
    for (bw::Rule rule : {bw::Rule::SGD, bw::Rule::MOMENTUM, bw::Rule::NESTEROV, bw::Rule::ADAM, bw::Rule::AMSGRAD}) {
        for (size_t count = 1; count <= 70; ++count) {
            CHECK(right(rule, count, {1.0f, 0.0f, 0.0f, 0.0f, 0.0f}));
            CHECK(right(rule, count, {0.5f, 0.01f, 0.02f, 0.03f, 0.4f}));
        }
    }
}

TEST(update_the_peak_is_the_largest_magnitude) {
    for (size_t count = 1; count <= 70; ++count) {
        auto x = run::numbers(count, 3);
        x[count / 2] = -2.5f;
        CHECK(bw::kernels().peak(x.data(), static_cast<int64_t>(count)) == 2.5f);
        for (float wrong : {std::nanf(""), INFINITY, -INFINITY}) {
            for (size_t place = 0; place < count; ++place) {
                auto spoilt = x;
                spoilt[place] = wrong;
                CHECK(std::isinf(bw::kernels().peak(spoilt.data(), static_cast<int64_t>(count))));
            }
        }
    }
}
