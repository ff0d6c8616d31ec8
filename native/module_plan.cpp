// Plans as Python sees them: descriptions come in as tuples and dicts, numbers as NumPy arrays.
#include "module_plan.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <cmath>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>

#include "dispatch.hpp"
#include "plan.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Batch = bw::Plan::Batch;
using bw::Status;
using Clock = std::chrono::steady_clock;
using Numbers = nb::ndarray<float, nb::c_contig, nb::device::cpu>;
using Doubles = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

constexpr const char* NAMES[] = {
#define OPERATION(name) #name,
#include "operations.def"
#undef OPERATION
};

constexpr const char* RULES[] = {
#define BW_RULE(name) #name,
    BW_RULES(BW_RULE)
#undef BW_RULE
};

/// Keeps what instructions point to.
struct Held {
    std::deque<std::vector<bw::Block>> blocks;
    std::deque<std::vector<int64_t>> tables;
};

bw::Operand operand(nb::handle given) {
    if (given.is_none()) return {0, 0, -1};
    auto t = nb::cast<nb::tuple>(given);
    return {nb::cast<int64_t>(t[1]), nb::cast<int64_t>(t[2]), nb::cast<int32_t>(t[0])};
}

/// (offset, rows, columns, [(offset, column, valid, width), ...])
bw::Matrix matrix(nb::handle given, Held& held) {
    auto t = nb::cast<nb::tuple>(given);
    auto& blocks = held.blocks.emplace_back();
    for (nb::handle entry : nb::cast<nb::list>(t[3])) {
        auto b = nb::cast<nb::tuple>(entry);
        blocks.push_back({nb::cast<int64_t>(b[0]), nb::cast<int32_t>(b[1]), nb::cast<int32_t>(b[2]),
                          nb::cast<int32_t>(b[3])});
    }
    return {nb::cast<int64_t>(t[0]), nb::cast<int32_t>(t[1]), nb::cast<int32_t>(t[2]), (int32_t)blocks.size(),
            blocks.data()};
}

/// (name, parts, operands, ints, floats, matrices, table)
bw::Instruction instruction(nb::handle given, Held& held, const bw::Kernels& kernels) {
    auto t = nb::cast<nb::tuple>(given);
    bw::Instruction made{};
    const auto name = nb::cast<std::string>(t[0]);
    made.code = -1;
    for (int32_t code = 0; code < kernels.operation_count; ++code) {
        if (name == NAMES[code]) made.code = code;
    }
    if (made.code < 0) throw std::invalid_argument("no operation is called " + name);
    made.run = kernels.operations[made.code];
    made.parts = nb::cast<int32_t>(t[1]);
    for (auto& each : made.operands) each = {0, 0, -1};
    const auto fill = [&](nb::handle list, size_t room, const char* what, auto put) {
        size_t i = 0;
        for (nb::handle entry : list) {
            if (i == room) throw std::invalid_argument(name + " has too many " + what);
            put(i++, entry);
        }
    };
    fill(t[2], std::size(made.operands), "operands", [&](size_t i, nb::handle x) { made.operands[i] = operand(x); });
    fill(t[3], std::size(made.ints), "ints", [&](size_t i, nb::handle x) { made.ints[i] = nb::cast<int64_t>(x); });
    fill(t[4], std::size(made.floats), "floats",
         [&](size_t i, nb::handle x) { made.floats[i] = nb::cast<float>(x); });
    fill(t[5], std::size(made.matrices), "matrices",
         [&](size_t i, nb::handle x) { made.matrices[i] = matrix(x, held); });
    auto& table = held.tables.emplace_back(nb::cast<std::vector<int64_t>>(t[6]));
    made.table = table.data();
    made.table_size = (int64_t)table.size();
    return made;
}

bw::Phase phase(nb::handle given, Held& held, const bw::Kernels& kernels) {
    auto d = nb::cast<nb::dict>(given);
    bw::Phase made;
    for (nb::handle each : nb::cast<nb::list>(d["body"])) made.body.push_back(instruction(each, held, kernels));
    made.by_rows = nb::cast<bool>(d["by_rows"]);
    made.threaded = nb::cast<bool>(d["threaded"]);
    made.chunk = nb::cast<int64_t>(d["chunk"]);
    made.group = nb::cast<int64_t>(d["group"]);
    made.host = nb::cast<int>(d["host"]);
    made.moments = nb::cast<int64_t>(d["moments"]);
    made.backwards = nb::cast<bool>(d["backwards"]);
    for (nb::handle each : nb::cast<nb::list>(d["moving"])) {
        auto t = nb::cast<nb::tuple>(each);
        made.moving.push_back({nb::cast<int32_t>(t[0]), nb::cast<int32_t>(t[1]), nb::cast<int64_t>(t[2]),
                               nb::cast<bool>(t[3])});
    }
    return made;
}

bw::Recipe recipe(nb::dict d, Held& held, const bw::Kernels& kernels) {
    bw::Recipe made;
    for (nb::handle each : nb::cast<nb::list>(d["forward"])) made.forward.push_back(phase(each, held, kernels));
    made.direct = phase(d["direct"], held, kernels);
    made.norms = phase(d["norms"], held, kernels);
    made.groups = nb::cast<std::vector<int64_t>>(d["groups"]);
    made.update_rest = phase(d["update_rest"], held, kernels);
    made.update_all = phase(d["update_all"], held, kernels);
    made.turn_rest = phase(d["turn_rest"], held, kernels);
    made.turn_all = phase(d["turn_all"], held, kernels);
    for (nb::handle each : nb::cast<nb::list>(d["energy"])) {
        auto t = nb::cast<nb::tuple>(each);
        made.energy.push_back({operand(t[0]), operand(t[1]), nb::cast<double>(t[2]), nb::cast<bool>(t[3])});
    }
    for (nb::handle each : nb::cast<nb::list>(d["totals"])) {
        auto t = nb::cast<nb::tuple>(each);
        made.totals.push_back({static_cast<bw::Total::Kind>(nb::cast<int>(t[0])), nb::cast<int>(t[1]),
                               operand(t[2]), operand(t[3])});
    }
    for (nb::handle each : nb::cast<nb::list>(d["commits"])) {
        auto t = nb::cast<nb::tuple>(each);
        made.commits.push_back({nb::cast<int64_t>(t[0]), nb::cast<int64_t>(t[1]), nb::cast<int64_t>(t[2])});
    }
    for (nb::handle each : nb::cast<nb::list>(d["guards"])) {
        auto t = nb::cast<nb::tuple>(each);
        made.guards.push_back({operand(t[0]), operand(t[1]), nb::cast<double>(t[2])});
    }
    for (nb::handle each : nb::cast<nb::list>(d["penalties"])) {
        auto t = nb::cast<nb::tuple>(each);
        made.penalties.push_back({nb::cast<int64_t>(t[0]), nb::cast<int64_t>(t[1]), nb::cast<float>(t[2]),
                                  nb::cast<float>(t[3])});
    }
    for (nb::handle each : nb::cast<nb::list>(d["rest"])) {
        auto t = nb::cast<nb::tuple>(each);
        made.rest.push_back({nb::cast<int64_t>(t[0]), nb::cast<int64_t>(t[1])});
    }
    made.may_fuse = nb::cast<bool>(d["may_fuse"]);
    made.rows = nb::cast<int64_t>(d["rows"]);
    made.whole = nb::cast<int64_t>(d["whole"]);
    made.local = nb::cast<int64_t>(d["local"]);
    return made;
}

/// A rule as Python names it: (name, clip, bound on norms, bounded slot, slot of sums), and rows of numbers, one for each step or
/// one for all: see ROW in engines/native/rules.py.
struct Optimizer {
    bw::UpdateRule rule{};
    nb::ndarray<double, nb::ndim<2>, nb::c_contig, nb::device::cpu> rows;

    Optimizer(nb::tuple t, nb::handle numbers) {
        const auto name = nb::cast<std::string>(t[0]);
        int32_t found = -1;
        for (size_t i = 0; i < std::size(RULES); ++i) {
            if (name == RULES[i]) found = (int32_t)i;
        }
        if (found < 0) throw std::invalid_argument("no rule is called " + name);
        rule.rule = static_cast<bw::Rule>(found);
        rule.clip = nb::cast<float>(t[1]);
        rule.norm = nb::cast<float>(t[2]);
        rule.bounded = nb::cast<int32_t>(t[3]);
        rule.gathered = nb::cast<int32_t>(t[4]);
        rows = nb::cast<decltype(rows)>(numbers);
        if (rows.shape(0) < 1 || rows.shape(1) != COLUMNS) throw std::invalid_argument("rows of other numbers");
    }

    /// The rule at the step of that number in the call.
    bw::UpdateRule at(int64_t step) const {
        bw::UpdateRule made = rule;
        const double* row = rows.data() + std::min(step, (int64_t)rows.shape(0) - 1) * (int64_t)COLUMNS;
        for (float* to : {&made.rate, &made.decay, &made.keep, &made.take, &made.overwrite, &made.gather}) {
            *to = (float)*row++;
        }
        for (float& constant : made.constants) constant = (float)*row++;
        for (double& bound : made.bounds) bound = *row++;
        return made;
    }

    static constexpr size_t COLUMNS = 6 + 8 + 6;
};

/// (address or 0, stride in bytes, numbers of a row, kind) of each source; Python keeps the arrays.
std::vector<bw::Source> sources(nb::list given) {
    std::vector<bw::Source> made;
    for (nb::handle each : given) {
        auto t = nb::cast<nb::tuple>(each);
        made.push_back({reinterpret_cast<const char*>(nb::cast<uintptr_t>(t[0])), nb::cast<int64_t>(t[1]),
                        nb::cast<int64_t>(t[2]), nb::cast<int32_t>(t[3])});
    }
    return made;
}

class BoundPlan {
  public:
    BoundPlan(std::shared_ptr<bw::Store> store, nb::dict given, nb::list hosts)
        : plan_(store, recipe(given, held_, bw::kernels()), bw::kernels()) {
        for (nb::handle each : hosts) {
            nb::object call = nb::borrow(each);
            calls_.push_back(call);
            plan_.hosts.push_back([this, call](int64_t rows, bool training, uint32_t step) {
                nb::gil_scoped_acquire gil;
                PyObject* result = PyObject_CallFunction(call.ptr(), "LOk", (long long)rows,
                                                         training ? Py_True : Py_False, (unsigned long)step);
                Py_XDECREF(result);
                if (!result) pending_.emplace();
                return result != nullptr;
            });
        }
        plan_.keep_on = [this] {
            const auto now = Clock::now();
            if (now - asked_ < std::chrono::milliseconds(50)) return true;
            asked_ = now;
            nb::gil_scoped_acquire gil;
            if (PyErr_CheckSignals() != 0) {
                pending_.emplace();
                return false;
            }
            // Ctrl-C that is held back (engines/interrupts.py) is noted there; the step in flight is given up.
            return !may_give_up_ || PyObject_IsTrue(stop_.ptr()) == 0;
        };
    }

    /// Updates from step `start` on, until all are done, `seconds` have passed or one does not succeed.
    /// Gives (status, steps done).
    std::pair<int, int64_t> train(nb::list given, nb::object order, int64_t total, int64_t batch_size,
                                  int64_t start, int64_t steps, nb::tuple optimizer, nb::object numbers,
                                  uint64_t seed, uint64_t first_step, int threads, Doubles totals,
                                  double seconds) {
        const auto from = sources(given);
        const Optimizer rule(optimizer, numbers);
        const int64_t* rows = order_of(order);
        Batch batch;
        batch.sources = from.data();
        batch.order = rows;
        batch.total = total;
        batch.seed = seed;
        batch.training = true;
        batch.threads = threads;
        Status status = Status::DONE;
        double* sums = totals.data();
        int64_t done = start;
        may_give_up_ = true;
        {
            nb::gil_scoped_release release;
            asked_ = Clock::now();
            const auto until = asked_ + std::chrono::duration<double>(seconds);
            int64_t look = 1;  // steps between two looks at the clock, so that tiny ones do not pay for it
            while (done < steps) {
                batch.position = done * batch_size;
                batch.rows = std::min(batch_size, total - batch.position);
                batch.step = (uint32_t)(first_step + (uint64_t)done);
                status = plan_.train(batch, rule.at(done), sums);
                if (status != Status::DONE) break;
                ++done;
                if ((done - start) % look == 0) {
                    const auto now = Clock::now();
                    if (now >= until) break;
                    if (done - start >= 64 && now - asked_ < std::chrono::milliseconds(1)) look = 64;
                }
            }
        }
        may_give_up_ = false;
        return {finish(status), done - start};
    }

    /// E and the gradients of one batch, which stay in the store. Gives (status, E).
    std::pair<int, double> gradients(nb::list given, nb::object order, int64_t position, int64_t rows,
                                     uint64_t seed, uint64_t step, bool training, int threads, Doubles totals) {
        const auto from = sources(given);
        Batch batch;
        batch.sources = from.data();
        batch.order = order_of(order);
        batch.position = position;
        batch.rows = rows;
        batch.seed = seed;
        batch.step = (uint32_t)step;
        batch.training = training;
        batch.threads = threads;
        double energy = 0.0;
        Status status;
        {
            nb::gil_scoped_release release;
            asked_ = Clock::now();
            status = plan_.gradients(batch, totals.data(), &energy);
        }
        return {finish(status), energy};
    }

    /// Forward passes over rows [begin, end), batch by batch: sums where there are totals, outputs where asked.
    /// outputs: (operand, numbers of a row, address). Gives (status, rows done).
    std::pair<int, int64_t> forward(nb::list given, int64_t begin, int64_t end, int64_t batch_size, int threads,
                                    Doubles totals, nb::list outputs, double seconds, uint64_t seed,
                                    uint64_t step, bool training) {
        const auto from = sources(given);
        struct Out {
            bw::Operand operand;
            int64_t size;
            float* to;
        };
        std::vector<Out> outs;
        for (nb::handle each : outputs) {
            auto t = nb::cast<nb::tuple>(each);
            outs.push_back({operand(t[0]), nb::cast<int64_t>(t[1]),
                            reinterpret_cast<float*>(nb::cast<uintptr_t>(t[2]))});
        }
        Batch batch;
        batch.sources = from.data();
        batch.total = end;
        batch.threads = threads;
        batch.seed = seed;
        batch.step = (uint32_t)step;
        batch.training = training;
        Status status = Status::DONE;
        int64_t n = begin;
        double energy;
        {
            nb::gil_scoped_release release;
            asked_ = Clock::now();
            const auto until = asked_ + std::chrono::duration<double>(seconds);
            while (n < end) {
                batch.position = n;
                batch.rows = std::min(batch_size, end - n);
                status = plan_.gradients(batch, totals.data(), &energy);
                if (status != Status::DONE) break;
                for (const Out& out : outs) {
                    const float* values = plan_.buffer(out.operand);
                    for (int64_t row = 0; row < batch.rows; ++row) {
                        std::copy_n(values + row * out.operand.stride, out.size, out.to + (n - begin + row) * out.size);
                    }
                }
                n += batch.rows;
                if (Clock::now() >= until) break;
            }
        }
        return {finish(status), n - begin};
    }

    std::vector<double> times() { return plan_.times(); }

    void refresh(int threads) { plan_.refresh(threads); }

    /// An object that becomes true when the step in flight is to be given up.
    void watch(nb::object stop) { stop_ = stop; }

    /// Raise what a call back or a signal raised, if anything.
    void raise_pending() {
        if (!pending_) return;
        nb::python_error error = std::move(*pending_);
        pending_.reset();
        throw error;
    }

    /// The numbers of a buffer as (rows, stride), without a copy.
    nb::ndarray<nb::numpy, float> buffer(int64_t offset, int64_t rows, int64_t stride) {
        const size_t shape[2] = {(size_t)rows, (size_t)stride};
        return nb::ndarray<nb::numpy, float>(plan_.buffer({offset, stride, bw::WHOLE}), 2, shape, nb::find(this));
    }

  private:
    static const int64_t* order_of(nb::object order) {
        if (order.is_none()) return nullptr;
        return nb::cast<nb::ndarray<int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>>(order).data();
    }

    static int finish(Status status) { return (int)status; }

    Held held_;
    bw::Plan plan_;
    std::vector<nb::object> calls_;
    nb::object stop_ = nb::none();
    bool may_give_up_ = false;  ///< training: what is given up is begun again, or the exception follows
    std::optional<nb::python_error> pending_;
    Clock::time_point asked_;
};

nb::ndarray<nb::numpy, float> view(const bw::Floats& floats, nb::handle owner) {
    const size_t shape[1] = {(size_t)floats.count()};
    return nb::ndarray<nb::numpy, float>(floats.data(), 1, shape, owner);
}

}  // namespace

void bind_plan(nb::module_& m) {
    m.def("widths", [] {
        std::vector<int> found;
        for (int32_t width : bw::kernels().widths) {
            if (width > 0) found.push_back(width);
        }
        return found;
    }, "Widths of the column blocks of packed matrices, widest first.");
    m.def("operations", [] { return std::vector<std::string>(std::begin(NAMES), std::end(NAMES)); },
          "The names of all operations.");
    nb::class_<bw::Store>(m, "Store", "Parameters and what belongs to them, shared by the plans of a model.")
        .def("__init__", [](bw::Store* self, int64_t parameters, int64_t transposed, int64_t statistics, int slots) {
            new (self) bw::Store(parameters, transposed, statistics, slots);
        })
        .def_prop_ro("parameters", [](nb::handle self) { return view(nb::cast<bw::Store&>(self).parameters, self); })
        .def_prop_ro("gradients", [](nb::handle self) { return view(nb::cast<bw::Store&>(self).gradients, self); })
        .def_prop_ro("statistics", [](nb::handle self) { return view(nb::cast<bw::Store&>(self).statistics, self); })
        .def("slot", [](nb::handle self, size_t i) { return view(nb::cast<bw::Store&>(self).slots.at(i), self); });
    m.def("update", [](bw::Store& store, Numbers gradients, nb::tuple rule, nb::object numbers,
                       nb::list parameters) {
        std::vector<bw::Updated> updated;
        for (nb::handle each : parameters) {
            auto t = nb::cast<nb::tuple>(each);
            updated.push_back({{nb::cast<int64_t>(t[0]), nb::cast<int64_t>(t[1])}, nb::cast<int64_t>(t[2]),
                               nb::cast<bool>(t[3])});
        }
        return store.update(bw::kernels(), Optimizer(rule, numbers).at(0), gradients.data(), updated);
    }, "One update with these gradients; False, and nothing changed, where a parameter would not be finite.");
    m.def("pack", [](Numbers from, Numbers to, nb::tuple description) {
        Held held;
        bw::Store::pack(from.data(), to.data(), matrix(description, held));
    }, "Plain rows of numbers into packed blocks.");
    m.def("unpack", [](Numbers from, Numbers to, nb::tuple description) {
        Held held;
        bw::Store::unpack(from.data(), to.data(), matrix(description, held));
    }, "Packed blocks into plain rows of numbers.");
    nb::class_<BoundPlan>(m, "Plan", "A recipe with its buffers, ready to run.")
        .def(nb::init<std::shared_ptr<bw::Store>, nb::dict, nb::list>())
        .def("train", &BoundPlan::train, "sources"_a, "order"_a.none(), "total"_a, "batch_size"_a, "start"_a,
             "steps"_a, "optimizer"_a, "numbers"_a, "seed"_a, "first_step"_a, "threads"_a, "totals"_a, "seconds"_a)
        .def("gradients", &BoundPlan::gradients, "sources"_a, "order"_a.none(), "position"_a, "rows"_a, "seed"_a,
             "step"_a, "training"_a, "threads"_a, "totals"_a)
        .def("forward", &BoundPlan::forward, "sources"_a, "begin"_a, "end"_a, "batch_size"_a, "threads"_a, "totals"_a,
             "outputs"_a, "seconds"_a, "seed"_a = 0, "step"_a = 0, "training"_a = false)
        .def("watch", &BoundPlan::watch)
        .def("raise_pending", &BoundPlan::raise_pending)
        .def("times", &BoundPlan::times)
        .def("refresh", &BoundPlan::refresh)
        .def("buffer", &BoundPlan::buffer);
}
