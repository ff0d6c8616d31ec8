// The table of one instruction set.
#include "../kernels.hpp"

#define BW_TEXT_(x) #x
#define BW_TEXT(x) BW_TEXT_(x)

namespace bw {
namespace BW_ISA {

#if defined(__AVX512F__)
constexpr int WIDEST = 16;
#elif defined(__AVX2__)
constexpr int WIDEST = 8;
#else
constexpr int WIDEST = 4;
#endif

const Kernels& kernels() {
    static constexpr Kernels TABLE = {BW_TEXT(BW_ISA), WIDEST};
    return TABLE;
}

}  // namespace BW_ISA
}  // namespace bw
