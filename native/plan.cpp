#include "plan.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "pool.hpp"

namespace bw {

namespace {

constexpr int64_t SLACK = 64;  // floats that a vector may read past the last number

constexpr uintptr_t LINE = 64;

constexpr float LARGEST_FLOAT = 3.4028235e38f;

}  // namespace

// calloc: pages that nothing touches take no memory, such as gradients that go straight into the update.
Floats::Floats(int64_t count) : block_(std::calloc((size_t)(count + SLACK) * sizeof(float) + LINE, 1)), count_(count) {
    if (!block_) throw std::bad_alloc();
    data_ = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(block_) + LINE - 1) / LINE * LINE);
}

Floats::~Floats() { std::free(block_); }

Floats& Floats::operator=(Floats&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
}

Store::Store(int64_t parameter_count, int64_t transposed_count, int64_t statistic_count, int slot_count)
    : parameters(parameter_count),
      gradients(parameter_count),
      transposed(transposed_count),
      statistics(statistic_count) {
    for (int i = 0; i < slot_count; ++i) slots.emplace_back(parameter_count);
}

bool Store::update_or_restore(const Kernels& kernels, const std::function<void()>& update) {
    std::vector<Floats*> touched{&parameters};
    for (Floats& slot : slots) touched.push_back(&slot);
    std::vector<std::vector<float>> before;
    for (const Floats* floats : touched) before.emplace_back(floats->data(), floats->data() + floats->count());
    update();
    largest_parameter = -1.0;
    if (kernels.peak(parameters.data(), parameters.count()) <= LARGEST_FLOAT) return true;
    for (size_t i = 0; i < touched.size(); ++i) std::copy(before[i].begin(), before[i].end(), touched[i]->data());
    return false;
}

void scales_of(const std::vector<double>& squares, const std::vector<int64_t>& groups, double bound,
               std::vector<float>& scales) {
    std::vector<double> sums;
    for (size_t i = 0; i < groups.size(); ++i) {
        if ((size_t)groups[i] >= sums.size()) sums.resize((size_t)groups[i] + 1, 0.0);
        sums[(size_t)groups[i]] += squares[i];
    }
    scales.resize(sums.size());
    for (size_t i = 0; i < sums.size(); ++i) scales[i] = (float)(bound / std::max(std::sqrt(sums[i]), bound));
}

bool Store::update(const Kernels& kernels, const UpdateRule& rule, const float* gradients,
                   const std::vector<Updated>& updated) {
    float* held[SLOTS] = {};
    for (size_t i = 0; i < slots.size() && i < SLOTS; ++i) held[i] = slots[i].data();
    std::vector<float> scales;
    if (rule.norm > 0.0f) {
        std::vector<double> squares;
        std::vector<int64_t> groups;
        for (const Updated& each : updated) {
            squares.push_back(kernels.squares(parameters.data() + each.run.offset, gradients + each.run.offset,
                                              each.run.count, {1.0f, 0.0f, 0.0f, 0.0f}));
            groups.push_back(each.group);
        }
        scales_of(squares, groups, rule.norm, scales);
    }
    return update_or_restore(kernels, [&] {
        for (const Updated& each : updated) {
            const float scale = scales.empty() ? 1.0f : scales[(size_t)each.group];
            kernels.update(rule, parameters.data(), gradients + each.run.offset, held, each.run.offset,
                           each.run.count, {scale, 0.0f, 0.0f, each.decays ? 1.0f : 0.0f});
        }
    });
}

void Store::pack(const float* from, float* to, const Matrix& matrix) {
    for (int32_t index = 0; index < matrix.count; ++index) {
        const Block& block = matrix.blocks[index];
        for (int64_t row = 0; row < matrix.rows; ++row) {
            std::memcpy(to + matrix.offset + block.offset + row * block.width,
                        from + row * matrix.columns + block.column, (size_t)block.valid * sizeof(float));
        }
    }
}

void Store::unpack(const float* from, float* to, const Matrix& matrix) {
    for (int32_t index = 0; index < matrix.count; ++index) {
        const Block& block = matrix.blocks[index];
        for (int64_t row = 0; row < matrix.rows; ++row) {
            std::memcpy(to + row * matrix.columns + block.column,
                        from + matrix.offset + block.offset + row * block.width,
                        (size_t)block.valid * sizeof(float));
        }
    }
}

Plan::Plan(std::shared_ptr<Store> store, Recipe recipe, const Kernels& kernels)
    : store_(std::move(store)),
      recipe_(std::move(recipe)),
      kernels_(kernels),
      whole_(recipe_.whole),
      terms_(recipe_.energy.size()),
      squares_(recipe_.groups.size()),
      all_{{0, store_->gradients.count()}} {
    locals_.resize(MOST_THREADS);
    bodies_.resize(MOST_THREADS);
    local(0);
}

float* Plan::local(int worker) {
    if (!locals_[(size_t)worker].data()) locals_[(size_t)worker] = Floats(recipe_.local);
    return locals_[(size_t)worker].data();
}

Task Plan::task(const Batch& batch) const {
    Task task{};
    task.base[WHOLE] = whole_.data();
    task.base[LOCAL] = locals_[0].data();
    task.base[PARAMETER] = store_->parameters.data();
    task.base[GRADIENT] = store_->gradients.data();
    task.base[TRANSPOSED] = store_->transposed.data();
    task.base[STATISTIC] = store_->statistics.data();
    task.begin = 0;
    task.end = task.rows = batch.rows;
    task.count = 1;
    task.threads = 1;
    task.first = true;
    task.moments = 1;
    task.training = batch.training;
    task.key[0] = (uint32_t)batch.seed;
    task.key[1] = (uint32_t)(batch.seed >> 32);
    task.step = batch.step;
    for (size_t i = 0; i < store_->slots.size() && i < SLOTS; ++i) task.slots[i] = store_->slots[i].data();
    task.sources = batch.sources;
    task.order = batch.order;
    task.position = batch.position;
    task.known = std::max(batch.rows, batch.total - batch.position);
    task.kernels = &kernels_;
    return task;
}

void Phase::move(const Task& task, std::vector<Instruction>& moved) const {
    const int64_t turn = backwards ? -1 : 1, now = backwards ? moments - 1 - task.moment : task.moment;
    for (const Moving& moving : this->moving) {
        const Operand& fixed = body[(size_t)moving.instruction].operands[moving.operand];
        const int64_t step = moving.step ? moving.step : task.rows * fixed.stride;
        moved[(size_t)moving.instruction].operands[moving.operand].offset =
            fixed.offset + (moving.before ? now - turn : now) * step;
    }
}

namespace {

/// One instruction, timed where somebody asks for it.
struct Clocked {
    bool timed;
    std::unordered_map<const Instruction*, double>& times;

    void operator()(const Instruction& instruction, const Task& task) const { (*this)(instruction, task, instruction); }

    /// `moved` is the instruction with its operands at their moment.
    void operator()(const Instruction& instruction, const Task& task, const Instruction& moved) const {
        if (!timed) return moved.run(moved, task);
        const auto start = std::chrono::steady_clock::now();
        moved.run(moved, task);
        times[&instruction] += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
};

}  // namespace

std::vector<double> Plan::times() {
    std::vector<double> found;
    const auto add = [&](const Phase& phase) {
        for (const Instruction& instruction : phase.body) found.push_back(times_[&instruction]);
    };
    for (const Phase& phase : recipe_.forward) add(phase);
    for (const Phase* phase : {&recipe_.direct, &recipe_.norms, &recipe_.update_rest, &recipe_.update_all, &recipe_.turn_rest,
                               &recipe_.turn_all}) {
        add(*phase);
    }
    times_.clear();
    timed_ = true;
    return found;
}

// Whether to go on is asked by the caller's thread alone; the others see what it was told.
bool Plan::run(const Phase& phase, const Task& shared, const Batch& batch, bool may_stop) {
    if (phase.host >= 0) return hosts[(size_t)phase.host](batch.rows, batch.training, batch.step);
    if (phase.body.empty()) return true;
    stopped_.store(false, std::memory_order_relaxed);
    const bool asks = may_stop && keep_on && phase.threaded;
    const auto ask = [this] {
        if (!keep_on()) stopped_.store(true, std::memory_order_relaxed);
        return !stopped_.load(std::memory_order_relaxed);
    };
    const int threads = phase.threaded && !timed_ ? batch.threads : 1;
    const Clocked clocked{timed_, times_};
    const auto share = [&](int pieces, const auto& work) {
        if (threads == 1 && !asks) {  // small networks do not pay for what follows
            for (int piece = 0; piece < pieces; ++piece) work(piece, 0);
            return true;
        }
        const std::function<bool()> between = std::cref(ask);
        return share_out(pieces, threads, std::cref(work), asks ? &between : nullptr);
    };
    if (!phase.by_rows) {
        Task all = shared;
        all.rows *= phase.moments;
        all.threads = threads;
        if (threads == 1 && !asks) {
            Task task = all;
            for (const Instruction& instruction : phase.body) {
                task.count = instruction.parts;
                for (task.index = 0; task.index < instruction.parts; ++task.index) clocked(instruction, task);
            }
            return true;
        }
        int pieces = 0;
        for (const Instruction& instruction : phase.body) pieces += instruction.parts;
        const auto work = [&](int piece, int) {
            Task task = all;
            for (const Instruction& instruction : phase.body) {
                if (piece < instruction.parts) {
                    task.index = piece;
                    task.count = instruction.parts;
                    clocked(instruction, task);
                    return;
                }
                piece -= instruction.parts;
            }
        };
        return share(pieces, work);
    }
    const int64_t chunk = phase.chunk > 0 ? phase.chunk : batch.rows;
    const int64_t group = phase.group > 0 ? phase.group : chunk;
    const auto work = [&](int piece, int worker) {
        Task task = shared;
        task.base[LOCAL] = local(worker);
        task.chunk = piece;
        task.moments = phase.moments;
        std::vector<Instruction>& moved = bodies_[(size_t)worker];
        if (!phase.moving.empty()) moved.assign(phase.body.begin(), phase.body.end());
        const Instruction* at_moment = phase.moving.empty() ? phase.body.data() : moved.data();
        const int64_t start = piece * chunk, stop = std::min(start + chunk, batch.rows);
        for (int64_t n = start; n < stop; n += group) {
            task.origin[LOCAL] = task.begin = n;
            task.end = std::min(n + group, stop);
            for (task.moment = 0; task.moment < phase.moments; ++task.moment) {
                if (asks && (worker == 0 ? !ask() : stopped_.load(std::memory_order_relaxed))) return;
                task.first = n == start && task.moment == 0;
                phase.move(task, moved);
                for (size_t i = 0; i < phase.body.size(); ++i) clocked(phase.body[i], task, at_moment[i]);
            }
        }
    };
    const int pieces = (int)((batch.rows + chunk - 1) / chunk);
    // Made before the threads start: making them there would race.
    for (int worker = 0; worker < std::min({threads, pieces, MOST_THREADS}); ++worker) local(worker);
    return share(pieces, work) && !stopped_.load(std::memory_order_relaxed);
}

Status Plan::run(const std::vector<Phase>& phases, const Task& task, const Batch& batch) {
    for (const Phase& phase : phases) {
        if (!run(phase, task, batch, true)) return phase.host >= 0 ? Status::FAILED : Status::INTERRUPTED;
        if (phase.host >= 0 && keep_on && !keep_on()) return Status::INTERRUPTED;
    }
    return Status::DONE;
}

namespace {

/// Runs of parameters below which waking threads costs more than summing.
constexpr int MANY_RUNS = 4;

}  // namespace

double Plan::measure(const Task& task, int threads) {
    double energy = 0.0;
    for (size_t i = 0; i < recipe_.energy.size(); ++i) {
        const Term& term = recipe_.energy[i];
        double sum = 0.0;
        for (int64_t n = 0; n < task.rows; ++n) {
            const double weight = present(term.weights) ? (double)*at(task, term.weights, n) : 1.0;
            sum += weight * (double)*at(task, term.values, n);
        }
        if (!std::isfinite((float)sum)) sum = INFINITY;  // as in float32, in which the loss is defined
        if (term.mean) sum /= (double)task.rows;
        terms_[i] = sum;
        energy += term.share * sum;
    }
    return energy + penalties(threads);
}

/// Parameters come in runs of a fixed length, whose sums are added in their order: the same bits on any number
/// of threads.
double Plan::penalties(int threads) {
    const int runs = (int)recipe_.penalties.size();
    if (!runs) return 0.0;
    paid_.resize((size_t)runs);
    const auto work = [this](int run, int) {
        const Penalty& penalty = recipe_.penalties[(size_t)run];
        const float* w = store_->parameters.data() + penalty.offset;
        paid_[(size_t)run] = kernels_.penalty(w, penalty.count, penalty.l1, penalty.l2);
    };
    if (threads == 1 || runs < MANY_RUNS) {
        for (int run = 0; run < runs; ++run) work(run, 0);
    } else {
        share_out(runs, threads, std::cref(work), nullptr);
    }
    double sum = 0.0;
    for (const double paid : paid_) sum += paid;
    return sum;
}

void Plan::add_totals(const Task& task, double energy, double* totals) const {
    const double rows = (double)task.rows;
    for (const Total& total : recipe_.totals) {
        double sum = 0.0, count = rows;
        if (total.kind == Total::ENERGY) {
            sum = energy * rows;
        } else if (total.kind == Total::TERM) {
            sum = terms_[(size_t)total.term] * rows;
        } else if (present(total.weights)) {
            count = 0.0;
            for (int64_t n = 0; n < task.rows; ++n) {
                const double weight = *at(task, total.weights, n);
                sum += weight * (double)*at(task, total.values, n);
                count += weight;
            }
        } else {
            for (int64_t n = 0; n < task.rows; ++n) sum += (double)*at(task, total.values, n);
        }
        totals[0] += sum;
        totals[1] += count;
        totals += 2;
    }
}

/// A bound on the gradients that go straight into the update: no sum of products exceeds that of the peaks.
double Plan::guarded(const Task& task) const {
    double most = 0.0;
    for (const Guard& guard : recipe_.guards) {
        double x = 0.0, dy = 0.0;
        for (int64_t n = 0; n < task.rows; ++n) {
            x = std::max(x, (double)*at(task, guard.x, n));
            dy = std::max(dy, (double)*at(task, guard.dy, n));
        }
        most = std::max(most, x > 0.0 && dy > 0.0 ? guard.factor * (double)task.rows * x * dy : 0.0);
    }
    return most;
}

/// The largest magnitude among gradients; infinite where there is a NaN.
double Plan::peak(const std::vector<Run>& runs) const {
    double most = 0.0;
    for (const Run& run : runs) {
        most = std::max(most, (double)kernels_.peak(store_->gradients.data() + run.offset, run.count));
    }
    return most;
}

/// Whether parameters and slots are sure to stay finite in an update with gradients of at most this size.
/// Bounds on what they hold grow with every step; where they reach too far, they are measured anew.
bool Plan::stays_finite(const UpdateRule& rule, double gradient) {
    if (store_->largest_parameter >= 0.0 && stays_finite_from(rule, gradient)) return true;
    const auto largest = [&](const Floats& floats) { return (double)kernels_.peak(floats.data(), floats.count()); };
    store_->largest_parameter = largest(store_->parameters);
    store_->largest_moment = rule.bounded < 0 ? 0.0 : largest(store_->slots[(size_t)rule.bounded]);
    return stays_finite_from(rule, gradient);
}

bool Plan::stays_finite_from(const UpdateRule& rule, double gradient) {
    constexpr double SQUARED = 1e18, LARGEST = 1e37;  // Adam squares gradients; float32 ends at 3.4e38
    double w = store_->largest_parameter, m = store_->largest_moment;
    for (const Penalty& penalty : recipe_.penalties) {
        gradient = std::max(gradient, gradient + (double)penalty.l1 + 2.0 * (double)penalty.l2 * w);
    }
    if (!(gradient < SQUARED)) return false;
    if (rule.clip > 0.0f) gradient = std::min(gradient, (double)rule.clip);
    const double* bounds = rule.bounds;
    m = bounds[0] * m + bounds[1] * gradient + bounds[2];
    w += std::fabs((double)rule.decay) * w + bounds[3] * m + bounds[4] * gradient + bounds[5];
    if (!(w < LARGEST && m < LARGEST)) return false;
    store_->largest_parameter = w;
    store_->largest_moment = m;
    return true;
}

Status Plan::gradients(const Batch& batch, double* totals, double* energy) {
    Task shared = task(batch);
    Status status = run(recipe_.forward, shared, batch);
    if (status != Status::DONE) return status;
    if (!run(recipe_.direct, shared, batch, true)) return Status::INTERRUPTED;
    *energy = measure(shared, batch.threads);
    if (totals) add_totals(shared, *energy, totals);
    return Status::DONE;
}

/// The factors that keep the norms of gradients within the optimizer's bound, for the update that follows.
void Plan::bound_norms(const UpdateRule& rule, Task& task, const Batch& batch) {
    if (recipe_.groups.empty()) return;
    task.squares = squares_.data();
    run(recipe_.norms, task, batch, false);
    scales_of(squares_, recipe_.groups, rule.norm, scales_);
    task.scales = scales_.data();
}

Status Plan::train(const Batch& batch, const UpdateRule& rule, double* totals) {
    Task shared = task(batch);
    shared.rule = &rule;
    Status status = run(recipe_.forward, shared, batch);
    if (status != Status::DONE) return status;
    const double energy = measure(shared, batch.threads);
    if (!std::isfinite((float)energy)) return Status::NOT_FINITE;
    if (recipe_.may_fuse && stays_finite(rule, std::max(guarded(shared), peak(recipe_.rest)))) {
        shared.fused = true;
        run(recipe_.direct, shared, batch, false);
        run(recipe_.update_rest, shared, batch, false);
        run(recipe_.turn_rest, shared, batch, false);
    } else {
        if (!run(recipe_.direct, shared, batch, true)) return Status::INTERRUPTED;
        const double most = peak({{0, store_->gradients.count()}});
        if (!std::isfinite(most)) return Status::NOT_FINITE;
        bound_norms(rule, shared, batch);
        if (stays_finite(rule, most)) {
            run(recipe_.update_all, shared, batch, false);
        } else if (!store_->update_or_restore(kernels_, [&] { run(recipe_.update_all, shared, batch, false); })) {
            return Status::NOT_FINITE;
        }
        run(recipe_.turn_all, shared, batch, false);
    }
    for (const Commit& commit : recipe_.commits) {
        std::memcpy(store_->statistics.data() + commit.to, store_->statistics.data() + commit.from,
                    (size_t)commit.count * sizeof(float));
    }
    add_totals(shared, energy, totals);
    return Status::DONE;
}

void Plan::refresh(int threads) {
    store_->largest_parameter = -1.0;
    Batch batch;
    batch.threads = threads;
    run(recipe_.turn_all, task(batch), batch, false);
}

}  // namespace bw
