// Optimizers: one pass over a run of parameters, with their penalties.
#include "../kernels.hpp"
#include "operations.hpp"
#include "simd.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// g with its clip and the penalties' gradients, w after its decay: what every rule starts from.
template <int N>
struct Start {
    Float<N> w, g;
};

template <int N>
BW_INLINE Start<N> start(const UpdateRule& rule, const float* w, const float* g, float scale, float l1, float l2) {
    Start<N> s{load<N>(w), load<N>(g)};
    if (l1 != 0.0f || l2 != 0.0f) {
        const Float<N> sign = s.w > 0.0f ? all<N>(l1) : (s.w < 0.0f ? all<N>(-l1) : Float<N>{});
        s.g += sign + s.w * (2.0f * l2);
    }
    if (scale != 1.0f) s.g *= scale;
    if (rule.clip > 0.0f) s.g = max<N>(min<N>(s.g, all<N>(rule.clip)), all<N>(-rule.clip));
    if (rule.decay != 0.0f) s.w -= s.w * rule.decay;
    return s;
}

template <Rule R, int N>
BW_INLINE void one(const UpdateRule& rule, float* w, const float* g, float* m, float* v, float* h, float scale,
                   float l1, float l2) {
    const Start<N> s = start<N>(rule, w, g, scale, l1, l2);
    const float* c = rule.constants;
    if constexpr (R == Rule::SGD) {
        store<N>(w, s.w - s.g * rule.rate);
    } else if constexpr (R == Rule::MOMENTUM || R == Rule::NESTEROV) {
        const Float<N> change = s.g * -rule.rate, kept = load<N>(m) * c[0] + change;
        store<N>(m, kept);
        store<N>(w, R == Rule::MOMENTUM ? s.w + kept : s.w + (change + kept * c[0]));
    } else {
        // constants: 1 - beta_1, 1 - beta_2, epsilon, alpha of this step
        const Float<N> m0 = load<N>(m), v0 = load<N>(v);
        const Float<N> first = m0 + (s.g - m0) * c[0];
        Float<N> second = v0 + (s.g * s.g - v0) * c[1];
        store<N>(m, first);
        store<N>(v, second);
        if constexpr (R == Rule::AMSGRAD) {
            second = max<N>(second, load<N>(h));
            store<N>(h, second);
        }
        store<N>(w, s.w - first * c[3] / (root<N>(second) + c[2]));
    }
}

template <Rule R>
void run(const UpdateRule& rule, float* w, const float* g, float* m, float* v, float* h, int64_t count,
         float scale, float l1, float l2) {
    int64_t i = 0;
    for (; i + WIDEST <= count; i += WIDEST) {
        one<R, WIDEST>(rule, w + i, g + i, m + i, v + i, h + i, scale, l1, l2);
    }
    for (; i + 4 <= count; i += 4) one<R, 4>(rule, w + i, g + i, m + i, v + i, h + i, scale, l1, l2);
    if (i == count) return;
    // The last numbers through a small copy: what lies behind them belongs to others.
    const int32_t left = (int32_t)(count - i);
    float held[5][4] = {};
    store<4>(held[0], load_part<4>(w + i, left));
    store<4>(held[1], load_part<4>(g + i, left));
    if constexpr (R != Rule::SGD) store<4>(held[2], load_part<4>(m + i, left));
    if constexpr (R == Rule::ADAM || R == Rule::AMSGRAD) store<4>(held[3], load_part<4>(v + i, left));
    if constexpr (R == Rule::AMSGRAD) store<4>(held[4], load_part<4>(h + i, left));
    one<R, 4>(rule, held[0], held[1], held[2], held[3], held[4], scale, l1, l2);
    store_part<4>(w + i, load<4>(held[0]), left);
    if constexpr (R != Rule::SGD) store_part<4>(m + i, load<4>(held[2]), left);
    if constexpr (R == Rule::ADAM || R == Rule::AMSGRAD) store_part<4>(v + i, load<4>(held[3]), left);
    if constexpr (R == Rule::AMSGRAD) store_part<4>(h + i, load<4>(held[4]), left);
}

}  // namespace

void update_run(const UpdateRule& rule, float* w, const float* g, float* const* slots, int64_t offset,
                int64_t count, float scale, float l1, float l2) {
    w += offset;
    // Slots that a rule does not have are never touched; w stands in, so that the address is one.
    float* m = slots[0] ? slots[0] + offset : w;
    float* v = slots[1] ? slots[1] + offset : w;
    float* h = slots[2] ? slots[2] + offset : w;
    switch (rule.rule) {
        case Rule::SGD: return run<Rule::SGD>(rule, w, g, m, v, h, count, scale, l1, l2);
        case Rule::MOMENTUM: return run<Rule::MOMENTUM>(rule, w, g, m, v, h, count, scale, l1, l2);
        case Rule::NESTEROV: return run<Rule::NESTEROV>(rule, w, g, m, v, h, count, scale, l1, l2);
        case Rule::ADAM: return run<Rule::ADAM>(rule, w, g, m, v, h, count, scale, l1, l2);
        case Rule::AMSGRAD: return run<Rule::AMSGRAD>(rule, w, g, m, v, h, count, scale, l1, l2);
    }
}

/// One step of the optimizer on runs of parameters whose gradients lie in their places.
///
/// table: offset, count of each run (part p is run p)   floats: l1, l2
void update(const Instruction& instruction, const Task& task) {
    const int64_t offset = instruction.table[2 * task.index], count = instruction.table[2 * task.index + 1];
    update_run(*task.rule, task.base[PARAMETER], task.base[GRADIENT] + offset, task.slots, offset, count, 1.0f,
               instruction.floats[0], instruction.floats[1]);
}

float peak_of(const float* x, int64_t count) {
    Float<WIDEST> most{};
    int64_t i = 0;
    Int<WIDEST> wrong{};
    for (; i + WIDEST <= count; i += WIDEST) {
        const Float<WIDEST> v = magnitude<WIDEST>(load<WIDEST>(x + i));
        wrong |= (Int<WIDEST>)!(v <= 3.4028235e38f);
        most = max<WIDEST>(v, most);
    }
    float found = 0.0f;
    for (int lane = 0; lane < WIDEST; ++lane) {
        if (wrong[lane]) return __builtin_inff();
        found = most[lane] > found ? most[lane] : found;
    }
    for (; i < count; ++i) {
        const float v = __builtin_fabsf(x[i]);
        if (!(v <= 3.4028235e38f)) return __builtin_inff();
        found = v > found ? v : found;
    }
    return found;
}

}  // namespace BW_ISA
}  // namespace bw
