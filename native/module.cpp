// brickwork._native: what Python sees.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "dispatch.hpp"
#include "module_plan.hpp"

namespace nb = nanobind;

NB_MODULE(_native, m) {
    m.doc() = "The compiled part of Brickwork; brickwork.engines.native_module loads it.";
    nb::set_leak_warnings(false);  // what lives until the interpreter ends is no leak
    bw::kernels();  // a BRICKWORK_ISA that cannot be met is found here: ImportError
    m.def("isa", [] { return bw::kernels().name; }, "The instruction set that computes.");
    m.def("available_isas", &bw::available_isas, "The sets that this machine can run, best first.");
    bind_plan(m);
}
