// Elementary functions against those of the C library in double precision, in units in the last place.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "check.hpp"
#include "operations.hpp"

namespace {

enum Function : int64_t { SIGMOID = 3, TANH = 4, EXP = 5, LOG = 6, SOFTPLUS = 11, GELU = 18 };

/// The float whose bits are these, as numbers in order.
float of_bits(uint32_t bits) {
    float made;
    std::memcpy(&made, &bits, 4);
    return made;
}

double ulp(double value) {
    const double size = std::fmax(std::fabs(value), 1.17549435e-38);
    return std::ldexp(1.0, std::ilogb(size) - 23);
}

std::vector<float> values(Function function, std::vector<float> x) {
    const auto count = static_cast<int64_t>(x.size());
    std::vector<float> y(x.size());
    bw::Task task = run::task(1);
    task.base[bw::WHOLE] = x.data();
    task.base[bw::LOCAL] = y.data();
    bw::Instruction made = run::instruction("unary");
    made.operands[0] = {0, count, bw::WHOLE};
    made.operands[1] = {0, count, bw::LOCAL};
    made.ints[0] = function;
    made.ints[1] = count;
    made.run(made, task);
    return y;
}

/// The largest error in units in the last place over every `step`th float in [low, high], and its negatives.
double worst(Function function, double (*exact)(double), float low, float high, bool negatives, uint32_t step) {
    uint32_t first, last;
    std::memcpy(&first, &low, 4);
    std::memcpy(&last, &high, 4);
    std::vector<float> x;
    for (uint32_t bits = first; bits <= last && bits >= first; bits += step) {
        x.push_back(of_bits(bits));
        if (negatives) x.push_back(-of_bits(bits));
    }
    const auto y = values(function, x);
    double most = 0.0;
    float at = 0.0f;
    for (size_t i = 0; i < x.size(); ++i) {
        const double expected = exact(static_cast<double>(x[i]));
        const double apart = std::fabs(static_cast<double>(y[i]) - expected) / ulp(expected);
        if (!(apart <= most)) most = apart, at = x[i];
    }
    std::printf("       %zu numbers, at most %.2f units in the last place, at %.9g\n", x.size(), most,
                static_cast<double>(at));
    return most;
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

double softplus(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

double gelu(double x) { return x * std::erfc(-x / std::sqrt(2.0)) / 2.0; }

}  // namespace

TEST(functions_exp) { CHECK(worst(EXP, std::exp, 1e-30f, 87.0f, true, 997) <= 1.5); }

TEST(functions_log) { CHECK(worst(LOG, std::log, 1e-38f, 3e38f, false, 997) <= 1.5); }

TEST(functions_tanh) { CHECK(worst(TANH, std::tanh, 1e-30f, 30.0f, true, 997) <= 3.0); }

TEST(functions_sigmoid) { CHECK(worst(SIGMOID, sigmoid, 1e-30f, 80.0f, true, 997) <= 3.0); }

TEST(functions_softplus) { CHECK(worst(SOFTPLUS, softplus, 1e-30f, 80.0f, true, 997) <= 3.0); }

TEST(functions_gelu) {
    CHECK(worst(GELU, gelu, 1e-30f, 50.0f, false, 997) <= 8.0);
    CHECK(worst(GELU, gelu, 1e-30f, 2.0f, true, 997) <= 24.0);  // below -2 it falls fast, and loses more digits
}

TEST(functions_at_the_ends) {
    const float infinity = INFINITY, nan = std::nanf("");
    CHECK(values(EXP, {-infinity, -200.0f, 0.0f, 200.0f, infinity}) ==
          (std::vector<float>{0.0f, 0.0f, 1.0f, infinity, infinity}));
    CHECK(values(LOG, {0.0f, 1.0f, infinity}) == (std::vector<float>{-infinity, 0.0f, infinity}));
    CHECK(std::isnan(values(LOG, {-1.0f})[0]));
    CHECK(values(TANH, {-infinity, -50.0f, 0.0f, 50.0f, infinity}) ==
          (std::vector<float>{-1.0f, -1.0f, 0.0f, 1.0f, 1.0f}));
    CHECK(values(SIGMOID, {-infinity, infinity}) == (std::vector<float>{0.0f, 1.0f}));
    CHECK(values(SOFTPLUS, {-infinity, -1e4f, 1e4f, infinity}) == (std::vector<float>{0.0f, 0.0f, 1e4f, infinity}));
    for (Function function : {SIGMOID, TANH, EXP, LOG, SOFTPLUS, GELU}) CHECK(std::isnan(values(function, {nan})[0]));
}
