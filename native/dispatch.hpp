// Which instruction set computes: the best this processor and its system support, or the one that the
// environment variable BRICKWORK_ISA names.
#pragma once

#include <string>
#include <vector>

#include "kernels.hpp"

namespace bw {

// The names of the sets that this build holds and this machine can run, best first.
std::vector<std::string> available_isas();

// The table of a set; the best for nullptr and "".
// Throws std::invalid_argument where no set of that name is available.
const Kernels& find_kernels(const char* name);

// The table that this process uses: chosen by BRICKWORK_ISA in the first call, the same ever after.
const Kernels& kernels();

}  // namespace bw
