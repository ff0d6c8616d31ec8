// Optimizers: one pass over a run of parameters, with their penalties.
#include "../kernels.hpp"
#include "operations.hpp"
#include "simd.hpp"

namespace bw {
namespace BW_ISA {

namespace {

/// g with the gradients of the penalties of w.
template <int N>
BW_INLINE Float<N> penalised(const float* w, const float* g, const Terms& terms) {
    Float<N> slope = load<N>(g);
    if (terms.l1 != 0.0f || terms.l2 != 0.0f) {
        const Float<N> held = load<N>(w);
        const Float<N> sign = held > 0.0f ? all<N>(terms.l1) : (held < 0.0f ? all<N>(-terms.l1) : Float<N>{});
        slope += sign + held * (2.0f * terms.l2);
    }
    return slope;
}

// A rule has SLOTS numbers for each parameter, and gives the parameter after a step: w has decayed and g is
// within its bounds. What the constants `c` are, engines/native/rules.py says.

struct Sgd {
    static constexpr int SLOTS = 0;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>*, const UpdateRule& rule) {
        return w - g * rule.rate;
    }
};

template <bool NESTEROV>
struct Momentum {  // m   c: momentum
    static constexpr int SLOTS = 1;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>* s, const UpdateRule& rule) {
        const float momentum = rule.constants[0];
        const Float<N> change = g * -rule.rate;
        s[0] = s[0] * momentum + change;
        return NESTEROV ? w + (change + s[0] * momentum) : w + s[0];
    }
};

template <bool AMSGRAD>
struct Adam {  // m, v, the largest v   c: 1 - beta_1, 1 - beta_2, epsilon, alpha of this step
    static constexpr int SLOTS = AMSGRAD ? 3 : 2;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>* s, const UpdateRule& rule) {
        const float* c = rule.constants;
        s[0] = s[0] + (g - s[0]) * c[0];
        s[1] = s[1] + (g * g - s[1]) * c[1];
        if constexpr (AMSGRAD) s[2] = max<N>(s[1], s[2]);
        return w - s[0] * c[3] / (root<N>(s[SLOTS - 1]) + c[2]);
    }
};

struct Adamax {  // m, u   c: 1 - beta_1, beta_2, epsilon, lr / (1 - beta_1^t)
    static constexpr int SLOTS = 2;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>* s, const UpdateRule& rule) {
        const float* c = rule.constants;
        s[0] = s[0] + (g - s[0]) * c[0];
        s[1] = max<N>(s[1] * c[1], magnitude<N>(g));
        return w - s[0] * c[3] / (s[1] + c[2]);
    }
};

struct Nadam {  // m, v   c: 1 - beta_1, 1 - beta_2, epsilon, lr times the shares of m and g, 1 / sqrt(1 - beta_2^t)
    static constexpr int SLOTS = 2;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>* s, const UpdateRule& rule) {
        const float* c = rule.constants;
        s[0] = s[0] + (g - s[0]) * c[0];
        s[1] = s[1] + (g * g - s[1]) * c[1];
        return w - (s[0] * c[3] + g * c[4]) / (root<N>(s[1]) * c[5] + c[2]);
    }
};

struct Adagrad {  // a   c: epsilon
    static constexpr int SLOTS = 1;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>* s, const UpdateRule& rule) {
        s[0] = g * g + s[0];
        return w - g * rule.rate / root<N>(s[0] + rule.constants[0]);
    }
};

struct Adadelta {  // a, s   c: 1 - rho, epsilon
    static constexpr int SLOTS = 2;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>* s, const UpdateRule& rule) {
        const float* c = rule.constants;
        s[0] = s[0] + (g * g - s[0]) * c[0];
        const Float<N> change = root<N>(s[1] + c[1]) / root<N>(s[0] + c[1]) * g;
        s[1] = s[1] + (change * change - s[1]) * c[0];
        return w - change * rule.rate;
    }
};

template <bool MOMENTUM, bool CENTERED>
struct RmsProp {  // v, then m, then a   c: 1 - rho, epsilon, momentum
    static constexpr int SLOTS = 1 + MOMENTUM + CENTERED;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>* s, const UpdateRule& rule) {
        const float* c = rule.constants;
        s[0] = s[0] + (g * g - s[0]) * c[0];
        Float<N> spread = s[0];
        if constexpr (CENTERED) {
            Float<N>& mean = s[SLOTS - 1];
            mean = mean + (g - mean) * c[0];
            spread = max<N>(spread - mean * mean, Float<N>{});
        }
        Float<N> change = g * rule.rate / root<N>(spread + c[1]);
        if constexpr (MOMENTUM) s[1] = change = change + s[1] * c[2];
        return w - change;
    }
};

struct Lion {  // m   c: beta_1, 1 - beta_1, 1 - beta_2
    static constexpr int SLOTS = 1;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>* s, const UpdateRule& rule) {
        const float* c = rule.constants;
        const Float<N> way = s[0] * c[0] + g * c[1], length = all<N>(rule.rate);
        s[0] = s[0] + (g - s[0]) * c[2];
        return w - (way > 0.0f ? length : (way < 0.0f ? -length : Float<N>{}));
    }
};

struct Ftrl {  // n, z   c: l1, 2 l2 + beta / lr, 2 l2_shrinkage, 1 / lr
    static constexpr int SLOTS = 2;
    template <int N>
    BW_INLINE Float<N> step(Float<N> w, Float<N> g, Float<N>* s, const UpdateRule& rule) {
        const float* c = rule.constants;
        const Float<N> sum = g * g + s[0], after = root<N>(sum);
        s[1] = s[1] + g - w * ((after - root<N>(s[0])) * c[3]) + w * c[2];
        s[0] = sum;
        const Float<N> q = after * c[3] + c[1];
        const Float<N> held = max<N>(min<N>(s[1], all<N>(c[0])), all<N>(-c[0]));
        return q > 0.0f ? (held - s[1]) / (q > 0.0f ? q : all<N>(1.0f)) : Float<N>{};
    }
};

/// One step of a rule on N parameters; with AVERAGE, of the running mean behind the rule's own slots too.
template <class R, bool AVERAGE, int N>
BW_INLINE void one(const UpdateRule& rule, float* w, const float* g, float* const* slots, int64_t i,
                   const Terms& terms) {
    Float<N> slope = penalised<N>(w + i, g + i, terms);
    if (terms.scale != 1.0f) slope *= terms.scale;
    if (rule.clip > 0.0f) slope = max<N>(min<N>(slope, all<N>(rule.clip)), all<N>(-rule.clip));
    Float<N> held = load<N>(w + i);
    const float decay = rule.decay * terms.decay;
    if (decay != 0.0f) held -= held * decay;
    Float<N> own[R::SLOTS + 1];
    for (int k = 0; k < R::SLOTS; ++k) own[k] = load<N>(slots[k] + i);
    Float<N> next = R::template step<N>(held, slope, own, rule);
    for (int k = 0; k < R::SLOTS; ++k) store<N>(slots[k] + i, own[k]);
    if constexpr (AVERAGE) {
        const Float<N> mean = load<N>(slots[R::SLOTS] + i) * rule.keep + next * rule.take;
        store<N>(slots[R::SLOTS] + i, mean);
        if (rule.overwrite != 0.0f) next = mean;
    }
    store<N>(w + i, next);
}

template <class R, bool AVERAGE>
void run(const UpdateRule& rule, float* w, const float* g, float* const* slots, int64_t count, const Terms& terms) {
    constexpr int OWN = R::SLOTS + AVERAGE;
    int64_t i = 0;
    for (; i + WIDEST <= count; i += WIDEST) one<R, AVERAGE, WIDEST>(rule, w, g, slots, i, terms);
    for (; i + 4 <= count; i += 4) one<R, AVERAGE, 4>(rule, w, g, slots, i, terms);
    if (i == count) return;
    // The last numbers through a small copy: what lies behind them belongs to others.
    const int32_t left = (int32_t)(count - i);
    float held[2 + SLOTS][4] = {};
    float* copies[SLOTS] = {};
    store<4>(held[0], load_part<4>(w + i, left));
    store<4>(held[1], load_part<4>(g + i, left));
    for (int k = 0; k < OWN; ++k) {
        copies[k] = held[2 + k];
        store<4>(copies[k], load_part<4>(slots[k] + i, left));
    }
    one<R, AVERAGE, 4>(rule, held[0], held[1], copies, 0, terms);
    store_part<4>(w + i, load<4>(held[0]), left);
    for (int k = 0; k < OWN; ++k) store_part<4>(slots[k] + i, load<4>(copies[k]), left);
}

template <class R>
void run(const UpdateRule& rule, float* w, const float* g, float* const* slots, int64_t offset, int64_t count,
         const Terms& terms) {
    float* own[SLOTS] = {};
    for (int k = 0; k < SLOTS; ++k) own[k] = slots[k] ? slots[k] + offset : nullptr;
    if (rule.take != 0.0f) return run<R, true>(rule, w + offset, g, own, count, terms);
    run<R, false>(rule, w + offset, g, own, count, terms);
}

/// Gradients put to their sums, or made the mean of those summed up, which is left in `total`; N or fewer of them.
template <int N>
BW_INLINE void gathered(const UpdateRule& rule, const float* w, const float* g, float* sums, float* mean_and_w[2],
                        float* total, const Terms& terms, int32_t count) {
    float held[2][N];
    store<N>(held[0], load_part<N>(w, count));
    store<N>(held[1], load_part<N>(g, count));
    const Float<N> sum = load_part<N>(sums, count) + penalised<N>(held[0], held[1], terms) * terms.scale;
    const bool steps = rule.gather > 0.0f;
    store<N>(total, steps ? sum * rule.gather : sum);
    store_part<N>(sums, steps ? Float<N>{} : sum, count);
    if (steps || !mean_and_w[0]) return;
    const Float<N> mean = load_part<N>(mean_and_w[0], count) * rule.keep + load<N>(held[0]) * rule.take;
    store_part<N>(mean_and_w[0], mean, count);
    if (rule.overwrite != 0.0f) store_part<N>(mean_and_w[1], mean, count);
}

/// A step in which gradients are only put to their sums, and w to its mean, or the step that all of them make.
void gather_run(const UpdateRule& rule, float* w, const float* g, float* const* slots, int64_t offset, int64_t count,
                const Terms& terms) {
    constexpr int64_t BLOCK = 8 * WIDEST;
    UpdateRule step = rule;
    step.gather = 0.0f;
    float* const sums = slots[rule.gathered] + offset;
    float* const mean = rule.take != 0.0f ? slots[rule.gathered - 1] + offset : nullptr;
    float total[BLOCK];
    for (int64_t first = 0; first < count; first += BLOCK) {
        const int64_t size = count - first < BLOCK ? count - first : BLOCK;
        for (int64_t i = 0; i < size;) {
            const int64_t at = first + i, left = size - i;
            float* averaged[2] = {mean ? mean + at : nullptr, w + offset + at};
            if (left >= WIDEST) {
                gathered<WIDEST>(rule, averaged[1], g + at, sums + at, averaged, total + i, terms, WIDEST);
                i += WIDEST;
            } else {
                const int32_t few = left < 4 ? (int32_t)left : 4;
                gathered<4>(rule, averaged[1], g + at, sums + at, averaged, total + i, terms, few);
                i += few;
            }
        }
        if (rule.gather > 0.0f) update_run(step, w, total, slots, offset + first, size, {1.0f, 0.0f, 0.0f, terms.decay});
    }
}

}  // namespace

void update_run(const UpdateRule& rule, float* w, const float* g, float* const* slots, int64_t offset,
                int64_t count, const Terms& terms) {
    if (rule.gather != 0.0f) return gather_run(rule, w, g, slots, offset, count, terms);
    switch (rule.rule) {
        case Rule::SGD: return run<Sgd>(rule, w, g, slots, offset, count, terms);
        case Rule::MOMENTUM: return run<Momentum<false>>(rule, w, g, slots, offset, count, terms);
        case Rule::NESTEROV: return run<Momentum<true>>(rule, w, g, slots, offset, count, terms);
        case Rule::ADAM: return run<Adam<false>>(rule, w, g, slots, offset, count, terms);
        case Rule::AMSGRAD: return run<Adam<true>>(rule, w, g, slots, offset, count, terms);
        case Rule::ADAMAX: return run<Adamax>(rule, w, g, slots, offset, count, terms);
        case Rule::NADAM: return run<Nadam>(rule, w, g, slots, offset, count, terms);
        case Rule::ADAGRAD: return run<Adagrad>(rule, w, g, slots, offset, count, terms);
        case Rule::ADADELTA: return run<Adadelta>(rule, w, g, slots, offset, count, terms);
        case Rule::RMSPROP: return run<RmsProp<false, false>>(rule, w, g, slots, offset, count, terms);
        case Rule::RMSPROP_MOMENTUM: return run<RmsProp<true, false>>(rule, w, g, slots, offset, count, terms);
        case Rule::RMSPROP_CENTERED: return run<RmsProp<false, true>>(rule, w, g, slots, offset, count, terms);
        case Rule::RMSPROP_CENTERED_MOMENTUM: return run<RmsProp<true, true>>(rule, w, g, slots, offset, count, terms);
        case Rule::LION: return run<Lion>(rule, w, g, slots, offset, count, terms);
        case Rule::FTRL: return run<Ftrl>(rule, w, g, slots, offset, count, terms);
    }
}

double squares_of(const float* w, const float* g, int64_t count, const Terms& terms) {
    double sums[WIDEST] = {};
    int64_t i = 0;
    for (; i + WIDEST <= count; i += WIDEST) {
        const Float<WIDEST> slope = penalised<WIDEST>(w + i, g + i, terms);
        for (int lane = 0; lane < WIDEST; ++lane) sums[lane] += (double)slope[lane] * (double)slope[lane];
    }
    double sum = 0.0;
    for (int lane = 0; lane < WIDEST; ++lane) sum += sums[lane];
    for (; i < count; i += 4) {
        const int32_t left = count - i < 4 ? (int32_t)(count - i) : 4;
        float held[2][4];
        store<4>(held[0], load_part<4>(w + i, left));
        store<4>(held[1], load_part<4>(g + i, left));
        const Float<4> slope = penalised<4>(held[0], held[1], terms);
        for (int lane = 0; lane < left; ++lane) sum += (double)slope[lane] * (double)slope[lane];
    }
    return sum;
}

/// Sums of the squares of gradients, run by run; the plan makes factors of them.
///
/// table: offset, count, group of each run (part p is run p)   ints: number of the first run
/// floats: l1, l2, whether weight decay acts
void squares(const Instruction& instruction, const Task& task) {
    const int64_t* run = instruction.table + 3 * task.index;
    const float* f = instruction.floats;
    task.squares[instruction.ints[0] + task.index] =
        squares_of(task.base[PARAMETER] + run[0], task.base[GRADIENT] + run[0], run[1], {1.0f, f[0], f[1], f[2]});
}

/// One step of the optimizer on runs of parameters whose gradients lie in their places.
///
/// table: offset, count, group of each run (part p is run p)   floats: l1, l2, whether weight decay acts
void update(const Instruction& instruction, const Task& task) {
    const int64_t* run = instruction.table + 3 * task.index;
    const float* f = instruction.floats;
    update_run(*task.rule, task.base[PARAMETER], task.base[GRADIENT] + run[0], task.slots, run[0], run[1],
               {task.scales ? task.scales[run[2]] : 1.0f, f[0], f[1], f[2]});
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
