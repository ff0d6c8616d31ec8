// brickwork._native: what Python sees.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>

#include "dispatch.hpp"
#include "module_plan.hpp"
#include "order.hpp"

namespace nb = nanobind;

namespace {

template <class T>
using Row = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void ascending_order(Row<const uint64_t> numbers, Row<int64_t> order) {
    if (numbers.size() != order.size()) throw std::invalid_argument("numbers and order are of different lengths");
    nb::gil_scoped_release released;
    bw::ascending_order(numbers.data(), (int64_t)numbers.size(), order.data());
}

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "The compiled part of Brickwork; brickwork.engines.native_module loads it.";
    nb::set_leak_warnings(false);  // what lives until the interpreter ends is no leak
    bw::kernels();  // a BRICKWORK_ISA that cannot be met is found here: ImportError
    m.def("isa", [] { return bw::kernels().name; }, "The instruction set that computes.");
    m.def("available_isas", &bw::available_isas, "The sets that this machine can run, best first.");
    m.def("ascending_order", &ascending_order, nb::arg("numbers"), nb::arg("order"),
          "Writes the places of the numbers in ascending order, as a stable argsort gives them.");
    bind_plan(m);
}
