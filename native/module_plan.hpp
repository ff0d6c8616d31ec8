// Bindings of plans and their stores.
#pragma once

#include <nanobind/nanobind.h>

void bind_plan(nanobind::module_& m);
