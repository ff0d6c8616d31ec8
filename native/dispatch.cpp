#include "dispatch.hpp"

#include <cstdlib>
#include <stdexcept>

#include "cpu_features.hpp"
#include "instruction_sets.hpp"

namespace bw {

#define BW_DECLARE(isa)            \
    namespace isa {                \
    const Kernels& kernels();      \
    }
BW_FOR_EACH_ISA(BW_DECLARE)
#undef BW_DECLARE

namespace {

struct Candidate {
    const char* name;
    const Kernels& (*kernels)();
};

const Candidate candidates[] = {
#define BW_ENTRY(isa) {#isa, isa::kernels},
    BW_FOR_EACH_ISA(BW_ENTRY)
#undef BW_ENTRY
};

bool available(const std::string& isa) {
    if (isa == "avx512") return cpu_has_avx512();
    if (isa == "avx2") return cpu_has_avx2();
    return true;  // baseline and neon: what the whole library is compiled for
}

}  // namespace

std::vector<std::string> available_isas() {
    std::vector<std::string> names;
    for (const Candidate& one : candidates)
        if (available(one.name)) names.push_back(one.name);
    return names;
}

const Kernels& find_kernels(const char* name) {
    const std::string wanted = name == nullptr ? "" : name;
    for (const Candidate& one : candidates)
        if (available(one.name) && (wanted.empty() || wanted == one.name)) return one.kernels();
    std::string known;
    for (const std::string& one : available_isas()) known += (known.empty() ? "'" : ", '") + one + "'";
    throw std::invalid_argument("BRICKWORK_ISA must name an instruction set that this machine can run, one of " +
                                known + "; got '" + wanted + "'. Unset it to take the best.");
}

const Kernels& kernels() {
    static const Kernels& chosen = find_kernels(std::getenv("BRICKWORK_ISA"));
    return chosen;
}

}  // namespace bw
