// The loss over a softmax, and where gradients start: one number per sample, the gradient in the same sweep.
#include "functions.hpp"
#include "loss.hpp"
#include "operations.hpp"

namespace bw {
namespace BW_ISA {

namespace {

constexpr int64_t FEW_CLASSES = 64;

/// Few classes and class numbers: a lane for each row, so that one exp serves as many rows as there are lanes.
void few_classes(const Instruction& instruction, const Task& task) {
    constexpr int N = WIDEST;
    const int64_t classes = instruction.ints[1];
    const bool gradient = present(instruction.operands[4]), accumulate = instruction.ints[4];
    float held[FEW_CLASSES][N];
    for (int64_t begin = task.begin; begin < task.end; begin += N) {
        const int64_t rows = task.end - begin < N ? task.end - begin : N;
        for (int64_t lane = 0; lane < N; ++lane) {
            // Lanes without a row repeat the first one: no number in them can overflow or be NaN by itself.
            const float* x = at(task, instruction.operands[0], begin + (lane < rows ? lane : 0));
            for (int64_t c = 0; c < classes; ++c) held[c][lane] = x[c];
        }
        Float<N> most = load<N>(held[0]);
        for (int64_t c = 1; c < classes; ++c) {
            const Float<N> v = load<N>(held[c]);
            most = v > most ? v : most;
        }
        float at_label[N];
        for (int64_t lane = 0; lane < N; ++lane) {
            const int64_t n = begin + (lane < rows ? lane : 0);
            at_label[lane] = held[*(const int32_t*)at(task, instruction.operands[1], n)][lane];
        }
        Float<N> sum{};
        for (int64_t c = 0; c < classes; ++c) {
            const Float<N> e = exp<N>(load<N>(held[c]) - most);
            store<N>(held[c], e);
            sum += e;
        }
        float loss[N], factor[N];
        store<N>(loss, log<N>(sum) - (load<N>(at_label) - most));
        store<N>(factor, 1.0f / sum);
        for (int64_t lane = 0; lane < rows; ++lane) {
            const int64_t n = begin + lane;
            *at(task, instruction.operands[2], n) = loss[lane];
            if (!gradient) continue;
            const float share = seed_of(instruction, task, n), scale = factor[lane] * share;
            float* dx = at(task, instruction.operands[4], n);
            if (accumulate) {
                for (int64_t c = 0; c < classes; ++c) dx[c] += held[c][lane] * scale;
            } else {
                for (int64_t c = 0; c < classes; ++c) dx[c] = held[c][lane] * scale;
            }
            dx[*(const int32_t*)at(task, instruction.operands[1], n)] -= share;
        }
    }
}

}  // namespace

/// l = -sum t log softmax(x), the mean over the places of a sample; dx (+)= (p sum t - t) dl / places.
///
/// operands: x, t, l, weights, dx (absent: none)   ints: mean, classes, places, whether t is class numbers,
/// accumulate   floats: share of E
void softmax_cross_entropy(const Instruction& instruction, const Task& task) {
    const int64_t classes = instruction.ints[1], places = instruction.ints[2];
    const bool labels = instruction.ints[3], accumulate = instruction.ints[4];
    const bool gradient = present(instruction.operands[4]);
    if (labels && places == 1 && classes <= FEW_CLASSES) return few_classes(instruction, task);
    for (int64_t n = task.begin; n < task.end; ++n) {
        float loss = 0.0f;
        const float share = gradient ? seed_of(instruction, task, n) / (float)places : 0.0f;
        for (int64_t place = 0; place < places; ++place) {
            const float* x = at(task, instruction.operands[0], n) + place * classes;
            const float* t = at(task, instruction.operands[1], n) + (labels ? place : place * classes);
            const int32_t label = labels ? *(const int32_t*)t : 0;
            Float<4> wide = all<4>(-__builtin_inff());
            for (int64_t i = 0; i < classes; i += 4) {
                const int32_t valid = classes - i < 4 ? (int32_t)(classes - i) : 4;
                Float<4> v = valid == 4 ? load<4>(x + i) : all<4>(x[i]);
                for (int32_t lane = 1; valid < 4 && lane < valid; ++lane) v[lane] = x[i + lane];
                wide = max<4>(wide, v);
            }
            const float most = largest_of<4>(wide);
            Float<4> sums{};
            float* dx = gradient ? at(task, instruction.operands[4], n) + place * classes : nullptr;
            const bool hold = gradient && !accumulate;  // e^(x - max) is kept where dx will stand
            for (int64_t i = 0; i < classes; i += 4) {
                const int32_t valid = classes - i < 4 ? (int32_t)(classes - i) : 4;
                Float<4> e = exp<4>(load_part<4>(x + i, valid) - most);
                for (int32_t lane = valid; lane < 4; ++lane) e[lane] = 0.0f;
                sums += e;
                if (hold) store_part<4>(dx + i, e, valid);
            }
            const float sum = sum_of<4>(sums);
            Float<4> one = all<4>(sum);
            const float log_sum = log<4>(one)[0];
            float weight = 1.0f;
            if (labels) {
                loss += log_sum - (x[label] - most);
            } else {
                weight = 0.0f;
                for (int64_t i = 0; i < classes; ++i) {
                    weight += t[i];
                    loss -= t[i] * ((x[i] - most) - log_sum);
                }
            }
            if (!gradient) continue;
            const float factor = share * weight / sum;
            for (int64_t i = 0; i < classes; i += 4) {
                const int32_t valid = classes - i < 4 ? (int32_t)(classes - i) : 4;
                Float<4> e = hold ? load_part<4>(dx + i, valid) : exp<4>(load_part<4>(x + i, valid) - most);
                e *= factor;
                if (!labels) e -= load_part<4>(t + i, valid) * share;
                if (accumulate) e += load_part<4>(dx + i, valid);
                store_part<4>(dx + i, e, valid);
            }
            if (labels) dx[label] -= share;
        }
        *at(task, instruction.operands[2], n) = loss / (float)places;
    }
}

/// dE/dl of every row where no loss has made it: the term's share times the weights.
///
/// operands: weights, out (1 a row)   ints: mean, accumulate   floats: share of E
void seed(const Instruction& instruction, const Task& task) {
    const Operand& weight = instruction.operands[0];
    const float share = instruction.floats[0] / (instruction.ints[0] ? (float)task.rows : 1.0f);
    for (int64_t n = task.begin; n < task.end; ++n) {
        const float number = present(weight) ? share * *at(task, weight, n) : share;
        float* to = at(task, instruction.operands[1], n);
        *to = instruction.ints[1] ? *to + number : number;
    }
}

}  // namespace BW_ISA
}  // namespace bw
