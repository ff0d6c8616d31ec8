// Element by element non-linearities, forward and backward, and their like.
#include "functions.hpp"
#include "operations.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

namespace {

// Each states y, and dx from dy and what was saved: y or x.
#define BW_FUNCTION(NAME, FORWARD, BACKWARD)                                                      \
    struct NAME {                                                                                 \
        template <int N>                                                                          \
        static BW_INLINE_MEMBER Float<N> y(Float<N> x, const float* p) {                          \
            (void)p;                                                                              \
            FORWARD;                                                                              \
        }                                                                                         \
        template <int N>                                                                          \
        static BW_INLINE_MEMBER Float<N> dx(Float<N> s, Float<N> dy, const float* p) {            \
            (void)p, (void)s;                                                                     \
            BACKWARD;                                                                             \
        }                                                                                         \
    };

BW_FUNCTION(Relu, return max<N>(Float<N>{}, x), return s > 0.0f ? dy : Float<N>{})
BW_FUNCTION(LeakyRelu, return x > 0.0f ? x : x * p[0], return s > 0.0f ? dy : dy * p[0])
// p: how deep it falls, what all of it is multiplied by, and x in the exponent
BW_FUNCTION(Elu, return (max<N>(Float<N>{}, x) + expm1<N>(min<N>(Float<N>{}, x) * p[2]) * p[0]) * p[1],
            return s > 0.0f ? dy * p[1] : dy * ((s + p[0] * p[1]) * p[2]))
BW_FUNCTION(Sigmoid, return sigmoid<N>(x), return dy * (s * (1.0f - s)))
BW_FUNCTION(Tanh, return tanh<N>(x), return dy * (1.0f - s * s))
BW_FUNCTION(Exp, return exp<N>(x), return dy * s)
BW_FUNCTION(Log, return log<N>(x), return dy / s)
BW_FUNCTION(Reciprocal, return 1.0f / x, return -dy * (s * s))
BW_FUNCTION(Heaviside, return x > 0.0f ? all<N>(1.0f) : all<N>(p[0]), return dy)
// p: the ceiling, the slope below, the threshold
BW_FUNCTION(Rectifier, return x > p[2] ? min<N>(all<N>(p[0]), x) : (x - p[2]) * p[1],
            return s > p[2] ? (s < p[0] ? dy : Float<N>{}) : dy * p[1])
BW_FUNCTION(Affine, return x * p[0] + p[1], return dy * p[0])
BW_FUNCTION(Softplus, return softplus<N>(x), return dy * -expm1<N>(-s))
BW_FUNCTION(LogSigmoid, return -softplus<N>(-x), return dy * -expm1<N>(s))
BW_FUNCTION(Softsign, const Float<N> b = clip<N>(x, -1e30f, 1e30f); return b / (magnitude<N>(b) + 1.0f),
            const Float<N> d = 1.0f / (magnitude<N>(s) + 1.0f); return dy * (d * d))
// p: the roundness of the bend
BW_FUNCTION(Squareplus,
            return max<N>(Float<N>{}, x) + (0.5f * p[0]) / (magnitude<N>(x) + root<N>(x * x + p[0])),
            const Float<N> b = min<N>(all<N>(1e15f), s); const Float<N> q = b * b; return dy * (q / (q + 0.25f * p[0])))
BW_FUNCTION(SparsePlus,
            const Float<N> u = clip<N>(x * 0.5f + 0.5f, 0.0f, 1.0f); return u * u + max<N>(Float<N>{}, x - 1.0f),
            return dy * clip<N>(s * 0.5f + 0.5f, 0.0f, 1.0f))
BW_FUNCTION(TanhShrink, return x - tanh<N>(x), const Float<N> t = tanh<N>(s); return dy * (t * t))
BW_FUNCTION(Silu, return x * sigmoid<N>(x),
            const Float<N> g = sigmoid<N>(s); return dy * (g + s * (g * (1.0f - g))))
BW_FUNCTION(Gelu, Float<N> density; return x * normal_below<N>(x, density),
            Float<N> density; const Float<N> g = normal_below<N>(s, density); return dy * (g + s * density))
// 2 sqrt(2 / pi) (x + 0.044715 x^3) under a sigmoid
BW_FUNCTION(GeluTanh, return x * sigmoid<N>((x * x * 0.0713548163f + 1.59576912f) * x),
            const Float<N> g = sigmoid<N>((s * s * 0.0713548163f + 1.59576912f) * s);
            return dy * (g + s * (g * (1.0f - g) * (s * s * 0.214064449f + 1.59576912f))))
// With e = exp(x) and n = e (e + 2), tanh(log(1 + e)) = n / (n + 2); from x = 20 on it is 1.
BW_FUNCTION(Mish,
            const Float<N> e = exp<N>(min<N>(all<N>(20.0f), x)); const Float<N> n = e * (e + 2.0f);
            return x * (n / (n + 2.0f)),
            const Float<N> e = exp<N>(min<N>(all<N>(20.0f), s)); const Float<N> n = e * (e + 2.0f);
            const Float<N> d = 1.0f / (n + 2.0f); return dy * (n * d + s * (4.0f * e * (e + 1.0f) * d * d)))
BW_FUNCTION(HardSilu, return x * clip<N>(x * (1.0f / 6.0f) + 0.5f, 0.0f, 1.0f),
            const Float<N> h = s * (1.0f / 6.0f) + 0.5f;
            return h > 0.0f ? (h < 1.0f ? dy * (s * (1.0f / 3.0f) + 0.5f) : dy) : Float<N>{})
// p: slope, offset, the least y, the greatest y
BW_FUNCTION(Ramp, return clip<N>(x * p[0] + p[1], p[2], p[3]),
            return s > p[2] ? (s < p[3] ? dy * p[0] : Float<N>{}) : Float<N>{})
BW_FUNCTION(HardShrink, return magnitude<N>(x) <= p[0] ? Float<N>{} : x,
            return magnitude<N>(s) > p[0] ? dy : Float<N>{})
BW_FUNCTION(SoftShrink, return x - clip<N>(x, -p[0], p[0]), return s != 0.0f ? dy : Float<N>{})
// p: the threshold, what stands for x below
BW_FUNCTION(Threshold, return x <= p[0] ? all<N>(p[1]) : x, return s > p[0] ? dy : Float<N>{})
BW_FUNCTION(Sign, return x > 0.0f ? all<N>(1.0f) : (x < 0.0f ? all<N>(-1.0f) : x), return dy)

// All of them; the place of each is its code, the same as in engines/native/lowering.
#define BW_FUNCTIONS(F)                                                                                  \
    F(Relu) F(LeakyRelu) F(Elu) F(Sigmoid) F(Tanh) F(Exp) F(Log) F(Reciprocal) F(Heaviside) F(Rectifier) \
    F(Affine) F(Softplus) F(LogSigmoid) F(Softsign) F(Squareplus) F(SparsePlus) F(TanhShrink) F(Silu)    \
    F(Gelu) F(GeluTanh) F(Mish) F(HardSilu) F(Ramp) F(HardShrink) F(SoftShrink) F(Threshold) F(Sign)

template <class F>
void forward(const Instruction& instruction, const Task& task) {
    const Operand* operands[2] = {&instruction.operands[0], &instruction.operands[1]};
    const float* p = instruction.floats;
    each_row(task, instruction.ints[1], operands, 2, [p](float** at, int64_t count) {
        vectors(count, [=](auto width, int64_t i, int32_t valid) {
            constexpr int N = decltype(width)::N;
            store_part<N>(at[1] + i, F::template y<N>(load_part<N>(at[0] + i, valid), p), valid);
        });
    });
}

template <class F>
void backward(const Instruction& instruction, const Task& task) {
    const Operand* operands[3] = {&instruction.operands[0], &instruction.operands[1], &instruction.operands[2]};
    const float* p = instruction.floats;
    const bool accumulate = instruction.ints[2];
    each_row(task, instruction.ints[1], operands, 3, [p, accumulate](float** at, int64_t count) {
        vectors(count, [=](auto width, int64_t i, int32_t valid) {
            constexpr int N = decltype(width)::N;
            Float<N> s{};
            if (at[0]) s = load_part<N>(at[0] + i, valid);
            Float<N> dx = F::template dx<N>(s, load_part<N>(at[1] + i, valid), p);
            if (accumulate) dx += load_part<N>(at[2] + i, valid);
            store_part<N>(at[2] + i, dx, valid);
        });
    });
}

#define BW_FORWARD(NAME) &forward<NAME>,
#define BW_BACKWARD(NAME) &backward<NAME>,
constexpr Operation FORWARD[] = {BW_FUNCTIONS(BW_FORWARD)};
constexpr Operation BACKWARD[] = {BW_FUNCTIONS(BW_BACKWARD)};

}  // namespace

/// y = f(x).   operands: x, y   ints: function, numbers of a row   floats: the function's own
void unary(const Instruction& instruction, const Task& task) { FORWARD[instruction.ints[0]](instruction, task); }

/// dx (+)= f'(x) dy.   operands: saved (y or x), dy, dx   ints: function, numbers of a row, accumulate
void unary_backward(const Instruction& instruction, const Task& task) {
    BACKWARD[instruction.ints[0]](instruction, task);
}

}  // namespace BW_ISA
}  // namespace bw
