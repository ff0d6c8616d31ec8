// The rules of the optimizers against their formulas, one number at a time, in double precision.
#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "check.hpp"
#include "operations.hpp"

namespace {

using bw::Rule;

struct Given {
    bw::Terms terms;
    float decay, clip;
};

constexpr float RATE = 0.1f;
constexpr Given PLAIN{{1.0f, 0.0f, 0.0f, 0.0f}, 0.0f, 0.0f}, ALL{{0.5f, 0.01f, 0.02f, 1.0f}, 0.03f, 0.4f};

bool close(float found, double expected) { return std::fabs(found - expected) <= 2e-6 * (1.0 + std::fabs(expected)); }

struct Case {
    Rule rule;
    size_t slots;
    std::vector<float> constants;
};

const std::vector<Case> CASES = {
    {Rule::SGD, 0, {}},
    {Rule::MOMENTUM, 1, {0.9f}},
    {Rule::NESTEROV, 1, {0.9f}},
    {Rule::ADAM, 2, {0.1f, 0.01f, 1e-3f, 0.05f}},
    {Rule::AMSGRAD, 3, {0.1f, 0.01f, 1e-3f, 0.05f}},
    {Rule::ADAMAX, 2, {0.1f, 0.9f, 1e-2f, 0.05f}},
    {Rule::NADAM, 2, {0.1f, 0.01f, 1e-2f, 0.05f, 0.02f, 1.5f}},
    {Rule::ADAGRAD, 1, {1e-2f}},
    {Rule::ADADELTA, 2, {0.1f, 1e-2f}},
    {Rule::RMSPROP, 1, {0.1f, 1e-2f, 0.0f}},
    {Rule::RMSPROP_MOMENTUM, 2, {0.1f, 1e-2f, 0.8f}},
    {Rule::RMSPROP_CENTERED, 2, {0.1f, 1e-1f, 0.0f}},
    {Rule::RMSPROP_CENTERED_MOMENTUM, 3, {0.1f, 1e-1f, 0.8f}},
    {Rule::LION, 1, {0.9f, 0.1f, 0.01f}},
    {Rule::FTRL, 2, {0.2f, 0.3f, 0.04f, 10.0f}},
};

/// The formula of a rule on one parameter: s are its slots, which change; gives the parameter.
double formula(Rule rule, const std::vector<float>& given, double w, double g, std::vector<double>& s) {
    const std::vector<double> c(given.begin(), given.end());
    const auto blend = [](double held, double now, double part) { return (1.0 - part) * held + part * now; };
    switch (rule) {
        case Rule::SGD: return w - RATE * g;
        case Rule::MOMENTUM: return w + (s[0] = c[0] * s[0] - RATE * g);
        case Rule::NESTEROV: s[0] = c[0] * s[0] - RATE * g; return w - RATE * g + c[0] * s[0];
        case Rule::ADAM:
        case Rule::AMSGRAD:
            s[0] = blend(s[0], g, c[0]);
            s[1] = blend(s[1], g * g, c[1]);
            if (rule == Rule::AMSGRAD) s[2] = std::fmax(s[1], s[2]);
            return w - c[3] * s[0] / (std::sqrt(s.back()) + c[2]);
        case Rule::ADAMAX:
            s[0] = blend(s[0], g, c[0]);
            s[1] = std::fmax(c[1] * s[1], std::fabs(g));
            return w - c[3] * s[0] / (s[1] + c[2]);
        case Rule::NADAM:
            s[0] = blend(s[0], g, c[0]);
            s[1] = blend(s[1], g * g, c[1]);
            return w - (c[3] * s[0] + c[4] * g) / (c[5] * std::sqrt(s[1]) + c[2]);
        case Rule::ADAGRAD: s[0] += g * g; return w - RATE * g / std::sqrt(s[0] + c[0]);
        case Rule::ADADELTA: {
            s[0] = blend(s[0], g * g, c[0]);
            const double change = std::sqrt(s[1] + c[1]) / std::sqrt(s[0] + c[1]) * g;
            s[1] = blend(s[1], change * change, c[0]);
            return w - RATE * change;
        }
        case Rule::RMSPROP: s[0] = blend(s[0], g * g, c[0]); return w - RATE * g / std::sqrt(s[0] + c[1]);
        case Rule::RMSPROP_MOMENTUM:
            s[0] = blend(s[0], g * g, c[0]);
            return w - (s[1] = c[2] * s[1] + RATE * g / std::sqrt(s[0] + c[1]));
        case Rule::RMSPROP_CENTERED:
        case Rule::RMSPROP_CENTERED_MOMENTUM: {
            s[0] = blend(s[0], g * g, c[0]);
            s.back() = blend(s.back(), g, c[0]);
            const double change = RATE * g / std::sqrt(std::fmax(s[0] - s.back() * s.back(), 0.0) + c[1]);
            return w - (rule == Rule::RMSPROP_CENTERED ? change : (s[1] = c[2] * s[1] + change));
        }
        case Rule::LION: {
            const double way = c[0] * s[0] + c[1] * g;
            s[0] = blend(s[0], g, c[2]);
            return w - RATE * ((way > 0) - (way < 0));
        }
        case Rule::FTRL: {
            const double sum = s[0] + g * g;
            s[1] += g + c[2] * w - (std::sqrt(sum) - std::sqrt(s[0])) * c[3] * w;
            s[0] = sum;
            return (std::fmax(std::fmin(s[1], c[0]), -c[0]) - s[1]) / (std::sqrt(sum) * c[3] + c[1]);
        }
    }
    return NAN;
}

/// Slots that hold sums of squares are not negative.
bool positive(Rule rule, size_t slot) {
    switch (rule) {
        case Rule::ADAM:
        case Rule::AMSGRAD:
        case Rule::ADAMAX:
        case Rule::NADAM: return slot > 0;
        case Rule::ADAGRAD:
        case Rule::ADADELTA: return true;
        case Rule::MOMENTUM:
        case Rule::NESTEROV:
        case Rule::LION: return false;
        default: return slot == 0;
    }
}

/// Steps of a rule on `count` numbers that begin at the third one; with a running mean behind its slots if asked.
bool right(const Case& each, size_t count, const Given& given, bool average, bool overwrite) {
    bw::UpdateRule rule{};
    rule.rule = each.rule;
    rule.rate = RATE;
    rule.decay = given.decay;
    rule.clip = given.clip;
    if (average) {
        rule.keep = 0.75f;
        rule.take = 0.25f;
        rule.overwrite = overwrite ? 1.0f : 0.0f;
    }
    std::copy(each.constants.begin(), each.constants.end(), rule.constants);
    constexpr size_t OFFSET = 2;
    const size_t slots = each.slots + (average ? 1 : 0);
    const auto from = run::numbers((2 + slots) * count, 7);
    run::Walled w(count);
    std::deque<run::Walled> held;
    float* places[bw::SLOTS] = {};
    for (size_t i = 0; i < count; ++i) w.data()[i] = i % 5 ? from[i] : 0.0f;
    for (size_t k = 0; k < slots; ++k) {
        held.emplace_back(count);
        for (size_t i = 0; i < count; ++i) {
            const float number = from[(1 + k) * count + i];
            held[k].data()[i] = k < each.slots && positive(each.rule, k) ? std::fabs(number) : number;
        }
        places[k] = held[k].data() - OFFSET;
    }
    const float* g = from.data() + (1 + slots) * count;
    const auto copy = [count](float* data) { return std::vector<double>(data, data + count); };
    const auto w0 = copy(w.data());
    std::vector<std::vector<double>> before;
    for (auto& slot : held) before.push_back(copy(slot.data()));
    bw::kernels().update(rule, w.data() - OFFSET, g, places, OFFSET, static_cast<int64_t>(count), given.terms);
    for (size_t i = 0; i < count; ++i) {
        double slope = g[i] + given.terms.l1 * ((w0[i] > 0) - (w0[i] < 0)) + 2.0 * given.terms.l2 * w0[i];
        slope *= given.terms.scale;
        if (given.clip > 0) slope = std::fmax(std::fmin(slope, given.clip), -given.clip);
        std::vector<double> own;
        for (size_t k = 0; k < each.slots; ++k) own.push_back(before[k][i]);
        double next = formula(each.rule, each.constants, w0[i] * (1.0 - given.decay * given.terms.decay), slope, own);
        for (size_t k = 0; k < each.slots; ++k) {
            if (!close(held[k].data()[i], own[k])) return false;
        }
        if (average) {
            const double mean = 0.75 * before.back()[i] + 0.25 * next;
            if (!close(held.back().data()[i], mean)) return false;
            if (overwrite) next = mean;
        }
        if (!close(w.data()[i], next)) return false;
    }
    for (auto& slot : held) {
        if (!slot.intact()) return false;
    }
    return w.intact();
}

/// Two gradients put to their sum, and a third that makes the step of all, beside the step of their mean.
bool sums_up(const Case& each, size_t count, bool average) {
    bw::UpdateRule rule{};
    rule.rule = each.rule;
    rule.rate = RATE;
    rule.decay = 0.03f;
    rule.clip = 0.4f;
    rule.keep = 0.75f;
    rule.take = average ? 0.25f : 0.0f;
    std::copy(each.constants.begin(), each.constants.end(), rule.constants);
    const size_t slots = each.slots + (average ? 1 : 0);
    const auto from = run::numbers((5 + slots) * count, 7);
    run::Walled w(count), alone(count);
    std::deque<run::Walled> held, kept;
    float *places[bw::SLOTS] = {}, *others[bw::SLOTS] = {};
    std::copy(from.begin(), from.begin() + (std::ptrdiff_t)count, w.data());
    std::copy(from.begin(), from.begin() + (std::ptrdiff_t)count, alone.data());
    for (size_t k = 0; k <= slots; ++k) {
        held.emplace_back(count);
        kept.emplace_back(count);
        for (size_t i = 0; i < count; ++i) {
            float number = k < slots ? from[(1 + k) * count + i] : 0.0f;
            if (k < each.slots && positive(each.rule, k)) number = std::fabs(number);
            held[k].data()[i] = kept[k].data()[i] = number;
        }
        places[k] = held[k].data();
        others[k] = kept[k].data();
    }
    const float* g = from.data() + (1 + slots) * count;
    const bw::Terms terms{0.5f, 0.0f, 0.0f, 1.0f};
    rule.gathered = (int32_t)slots;
    for (int step = 0; step < 3; ++step) {
        rule.gather = step == 2 ? 1.0f / 3.0f : -1.0f;
        bw::kernels().update(rule, w.data(), g + step * (std::ptrdiff_t)count, places, 0, (int64_t)count, terms);
        for (size_t i = 0; step < 2 && i < count; ++i) {
            if (w.data()[i] != alone.data()[i]) return false;
            if (average) kept[slots - 1].data()[i] = kept[slots - 1].data()[i] * 0.75f + alone.data()[i] * 0.25f;
        }
    }
    std::vector<float> mean(count);
    for (size_t i = 0; i < count; ++i) mean[i] = 0.5f * (g[i] + g[count + i] + g[2 * count + i]) / 3.0f;
    rule.gather = 0.0f;
    bw::kernels().update(rule, alone.data(), mean.data(), others, 0, (int64_t)count, {1.0f, 0.0f, 0.0f, 1.0f});
    for (size_t i = 0; i < count; ++i) {
        if (!close(w.data()[i], alone.data()[i]) || held[slots].data()[i] != 0.0f) return false;
        for (size_t k = 0; k < slots; ++k) {
            if (!close(held[k].data()[i], kept[k].data()[i])) return false;
        }
    }
    for (auto& slot : held) {
        if (!slot.intact()) return false;
    }
    return w.intact();
}

}  // namespace

TEST(update_every_rule_and_length) {
    for (const Case& each : CASES) {
        for (size_t count = 1; count <= 70; ++count) {
            CHECK(right(each, count, PLAIN, false, false));
            CHECK(right(each, count, ALL, false, false));
            CHECK(right(each, count, PLAIN, true, false));
            CHECK(right(each, count, ALL, true, true));
        }
    }
}

TEST(update_sums_gradients_up) {
    for (const Case& each : CASES) {
        for (size_t count = 1; count <= 300; count += count < 70 ? 1 : 23) {
            if (each.rule == Rule::LION || each.rule == Rule::ADADELTA) continue;  // their steps jump with rounding
            CHECK(sums_up(each, count, false));
            CHECK(sums_up(each, count, true));
        }
    }
}

TEST(update_decays_where_it_is_told_to) {
    bw::UpdateRule rule{};
    rule.decay = 0.5f;
    const float g[2] = {};
    for (float decays : {0.0f, 1.0f}) {
        float w[2] = {8.0f, -4.0f};
        float* none[bw::SLOTS] = {};
        bw::kernels().update(rule, w, g, none, 0, 2, {1.0f, 0.0f, 0.0f, decays});
        CHECK(w[0] == (decays == 1.0f ? 4.0f : 8.0f));
    }
}

TEST(update_squares_with_penalties) {
    for (size_t count = 1; count <= 70; ++count) {
        const auto w = run::numbers(count, 3), g = run::numbers(count, 5);
        double plain = 0.0, penalised = 0.0;
        for (size_t i = 0; i < count; ++i) {
            plain += (double)g[i] * g[i];
            const double slope = g[i] + 0.25 * ((w[i] > 0) - (w[i] < 0)) + 2.0 * 0.5 * w[i];
            penalised += slope * slope;
        }
        const auto found = [&](const bw::Terms& terms) {
            return bw::kernels().squares(w.data(), g.data(), static_cast<int64_t>(count), terms);
        };
        CHECK(std::fabs(found({1.0f, 0.0f, 0.0f, 0.0f}) - plain) <= 1e-6 * plain);
        CHECK(std::fabs(found({1.0f, 0.25f, 0.5f, 0.0f}) - penalised) <= 1e-6 * penalised);
    }
    const std::vector<float> large(20, 1e30f);
    CHECK(std::isfinite(bw::kernels().squares(large.data(), large.data(), 20, {1.0f, 0.0f, 0.0f, 0.0f})));
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
