// What the processor can do and the operating system keeps over a switch of threads.
#pragma once

namespace bw {

bool cpu_has_avx2();    // AVX2 and FMA
bool cpu_has_avx512();  // AVX-512 F, VL, BW, DQ, and what cpu_has_avx2 asks for

}  // namespace bw
