// Element by element non-linearities, forward and backward, and their like.
#include "functions.hpp"
#include "operations.hpp"
#include "rows.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// Codes of the functions; engines/native/lowering writes the same numbers.
enum Function : int64_t {
    RELU, LEAKY_RELU, ELU, SIGMOID, TANH, EXP, LOG, RECIPROCAL, HEAVISIDE, RECTIFIER, AFFINE
};

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
#define BW_INLINE_MEMBER inline __attribute__((always_inline))

BW_FUNCTION(Relu, return max<N>(Float<N>{}, x), return s > 0.0f ? dy : Float<N>{})
BW_FUNCTION(LeakyRelu, return x > 0.0f ? x : x * p[0], return s > 0.0f ? dy : dy * p[0])
BW_FUNCTION(Elu, return max<N>(Float<N>{}, x) + expm1<N>(min<N>(Float<N>{}, x)) * p[0],
            return s > 0.0f ? dy : dy * (s + p[0]))
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

}  // namespace

/// y = f(x).   operands: x, y   ints: function, numbers of a row   floats: the function's own
void unary(const Instruction& instruction, const Task& task) {
    switch (instruction.ints[0]) {
        case RELU: return forward<Relu>(instruction, task);
        case LEAKY_RELU: return forward<LeakyRelu>(instruction, task);
        case ELU: return forward<Elu>(instruction, task);
        case SIGMOID: return forward<Sigmoid>(instruction, task);
        case TANH: return forward<Tanh>(instruction, task);
        case EXP: return forward<Exp>(instruction, task);
        case LOG: return forward<Log>(instruction, task);
        case RECIPROCAL: return forward<Reciprocal>(instruction, task);
        case HEAVISIDE: return forward<Heaviside>(instruction, task);
        case RECTIFIER: return forward<Rectifier>(instruction, task);
        default: return forward<Affine>(instruction, task);
    }
}

/// dx (+)= f'(x) dy.   operands: saved (y or x), dy, dx   ints: function, numbers of a row, accumulate
void unary_backward(const Instruction& instruction, const Task& task) {
    switch (instruction.ints[0]) {
        case RELU: return backward<Relu>(instruction, task);
        case LEAKY_RELU: return backward<LeakyRelu>(instruction, task);
        case ELU: return backward<Elu>(instruction, task);
        case SIGMOID: return backward<Sigmoid>(instruction, task);
        case TANH: return backward<Tanh>(instruction, task);
        case EXP: return backward<Exp>(instruction, task);
        case LOG: return backward<Log>(instruction, task);
        case RECIPROCAL: return backward<Reciprocal>(instruction, task);
        case HEAVISIDE: return backward<Heaviside>(instruction, task);
        case RECTIFIER: return backward<Rectifier>(instruction, task);
        default: return backward<Affine>(instruction, task);
    }
}

}  // namespace BW_ISA
}  // namespace bw
