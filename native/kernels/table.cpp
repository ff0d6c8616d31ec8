// The table of one instruction set.
#include "../kernels.hpp"
#include "operations.hpp"
#include "simd.hpp"

#define BW_TEXT_(x) #x
#define BW_TEXT(x) BW_TEXT_(x)

namespace bw {
namespace BW_ISA {

namespace {

constexpr Operation OPERATIONS[] = {
#define OPERATION(name) &name,
#include "../operations.def"
#undef OPERATION
};

constexpr Kernels TABLE = {
    BW_TEXT(BW_ISA),
    WIDEST,
    {2 * WIDEST, WIDEST, WIDEST > 8 ? 8 : WIDEST > 4 ? 4 : 0, WIDEST > 8 ? 4 : 0},
    OPERATIONS,
    (int32_t)(sizeof(OPERATIONS) / sizeof(OPERATIONS[0])),
    update_run,
    squares_of,
    peak_of,
    penalty_of,
};

}  // namespace

const Kernels& kernels() { return TABLE; }

}  // namespace BW_ISA
}  // namespace bw
