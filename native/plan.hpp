// A program made ready to run: parameters and buffers in place, instructions in phases.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "kernels.hpp"

namespace bw {

/// Zeroed memory for floats on a cache line, with room behind the end that vectors may read.
class Floats {
  public:
    Floats() = default;
    explicit Floats(int64_t count);
    ~Floats();
    Floats(Floats&& other) noexcept { *this = static_cast<Floats&&>(other); }
    Floats& operator=(Floats&& other) noexcept;
    float* data() const { return data_; }
    int64_t count() const { return count_; }

  private:
    void* block_ = nullptr;
    float* data_ = nullptr;
    int64_t count_ = 0;
};

/// Numbers that lie side by side.
struct Run {
    int64_t offset, count;
};

/// A run of parameters that is updated: where it lies, with whom it shares a bound on the norm, whether it decays.
struct Updated {
    Run run;
    int64_t group;
    bool decays;
};

/// Sums of squares by group into factors that keep the norm of each group's gradients within the bound.
void scales_of(const std::vector<double>& squares, const std::vector<int64_t>& groups, double bound,
               std::vector<float>& scales);

/// Parameters, their gradients, slots and transposes, and running statistics: what all plans of a model share.
struct Store {
    Store(int64_t parameters, int64_t transposed, int64_t statistics, int slots);
    Floats parameters, gradients, transposed, statistics;
    std::vector<Floats> slots;
    /// Bounds on the magnitudes of parameters and of the slot that the rule names; negative: not known.
    double largest_parameter = -1.0, largest_moment = -1.0;

    /// Does `update`, and undoes it where a parameter became infinite or NaN; then it returns false.
    bool update_or_restore(const Kernels& kernels, const std::function<void()>& update);
    /// One update with gradients that are laid out like the parameters; undone likewise.
    bool update(const Kernels& kernels, const UpdateRule& rule, const float* gradients,
                const std::vector<Updated>& parameters);

    /// Plain (rows, columns) numbers into packed blocks, and out of them.
    static void pack(const float* from, float* to, const Matrix& matrix);
    static void unpack(const float* from, float* to, const Matrix& matrix);
};

/// An instruction that calls back: a brick without a native form. Returns false to abort the step.
using Host = std::function<bool(int64_t rows, bool training, uint32_t step)>;

/// An operand that moves on from moment to moment of a loop.
struct Moving {
    int32_t instruction, operand;
    int64_t step;  ///< floats from one moment to the next; 0: as many as all rows of the batch take
    bool before;   ///< it is read at the moment that was worked on before this one
};

struct Phase {
    std::vector<Instruction> body;
    bool by_rows = true;      ///< else every instruction divides into its parts
    bool threaded = true;
    int64_t chunk = 0;        ///< rows that one thread takes at a time
    int64_t group = 0;        ///< rows that go through the whole body together
    int host = -1;            ///< number of a host call, which is then all that the phase does
    int64_t moments = 1;      ///< by rows: how many times a group of rows goes through the body; else the moments
                              ///< of each row, whose numbers lie behind those of all rows at the moment before
    bool backwards = false;   ///< whether the moments are taken from last to first
    std::vector<Moving> moving;

    /// The operands of a copy of the body to where they lie at the task's moment.
    void move(const Task& task, std::vector<Instruction>& moved) const;
};

/// sum over the rows of values, times weights where there are any, times share; over the rows if mean.
struct Term {
    Operand values, weights;
    double share;
    bool mean;
};

/// What an entry of the running sums adds up: E times rows, a term times rows, or a metric's values.
struct Total {
    enum Kind : int { ENERGY, TERM, VALUES } kind;
    int term = 0;
    Operand values{}, weights{};
};

/// Running statistics, or anything else that a step changes, which take effect when the step is done.
struct Commit {
    int64_t from, to, count;
};

/// The product of the peaks of two operands bounds a gradient that goes straight into the update.
struct Guard {
    Operand x, dy;
    double factor;
};

/// Of a run of parameters; a parameter may have several.
struct Penalty {
    int64_t offset, count;
    float l1, l2;
};

struct Recipe {
    std::vector<Phase> forward;     ///< up to all gradients but those of `direct`
    Phase direct;                   ///< gradients that may go straight into the update
    Phase norms;                    ///< sums of squares of all gradients, where the optimizer bounds norms
    std::vector<int64_t> groups;    ///< of the runs that `norms` goes through
    Phase update_rest, update_all;  ///< what `direct` has not updated; everything
    Phase turn_rest, turn_all;      ///< transposes of kernels
    std::vector<Term> energy;
    std::vector<Total> totals;
    std::vector<Commit> commits;
    std::vector<Guard> guards;
    std::vector<Penalty> penalties;
    std::vector<Run> rest;          ///< where the gradients that `direct` does not make lie
    bool may_fuse = false;
    int64_t rows = 0;               ///< the largest batch
    int64_t whole = 0, local = 0;   ///< floats of the buffers of a batch, and of a group
};

/// FAILED: a host call did; INTERRUPTED: keep_on said no.
enum class Status : int { DONE = 0, NOT_FINITE = 1, INTERRUPTED = 2, FAILED = 3 };

class Plan {
  public:
    Plan(std::shared_ptr<Store> store, Recipe recipe, const Kernels& kernels);

    struct Batch {
        const Source* sources = nullptr;
        const int64_t* order = nullptr;
        int64_t position = 0, rows = 0;
        int64_t total = 0;  ///< rows that the order holds, where it is known to hold more than the batch's
        uint64_t seed = 0;
        uint32_t step = 0;
        bool training = false;
        int threads = 1;
    };

    /// Everything but the update. `totals` (2 numbers an entry) get this batch added where given.
    Status gradients(const Batch& batch, double* totals, double* energy);
    /// gradients, then the update if all is finite. Nothing of the store is changed unless it returns DONE.
    Status train(const Batch& batch, const UpdateRule& rule, double* totals);
    /// The transposes of all kernels, after parameters came from elsewhere.
    void refresh(int threads);
    /// The buffer of a value, for results and host calls.
    float* buffer(const Operand& operand) const { return whole_.data() + operand.offset; }

    /// Seconds that each instruction has taken since this was last called, phase by phase. From the first call on
    /// instructions are timed, and all run on one thread.
    std::vector<double> times();

    std::vector<Host> hosts;
    std::function<bool()> keep_on;  ///< asked now and then; false abandons the step

    const Recipe& recipe() const { return recipe_; }
    const Store& store() const { return *store_; }

  private:
    Task task(const Batch& batch) const;
    Status run(const std::vector<Phase>& phases, const Task& task, const Batch& batch);
    bool run(const Phase& phase, const Task& task, const Batch& batch, bool may_stop);
    double measure(const Task& task, int threads);
    double penalties(int threads);
    double guarded(const Task& task) const;
    double peak(const std::vector<Run>& runs) const;
    void bound_norms(const UpdateRule& rule, Task& task, const Batch& batch);
    bool stays_finite(const UpdateRule& rule, double gradient);
    bool stays_finite_from(const UpdateRule& rule, double gradient);
    void add_totals(const Task& task, double energy, double* totals) const;
    float* local(int worker);

    std::shared_ptr<Store> store_;
    Recipe recipe_;
    const Kernels& kernels_;
    Floats whole_;
    std::vector<Floats> locals_;
    std::vector<std::vector<Instruction>> bodies_;  ///< of the loop at hand, for each thread, to move operands in
    std::vector<double> terms_, squares_, paid_;
    std::vector<float> scales_;
    std::atomic<bool> stopped_{false};
    std::vector<Run> all_;  ///< all gradients
    bool timed_ = false;
    std::unordered_map<const Instruction*, double> times_;
};

}  // namespace bw
