# instruction_sets: what the kernels are compiled for, best first; flags_NAME: how;
# generated_headers: a folder with instruction_sets.hpp, the same list for dispatch.cpp.
#
# The compiler is asked what it compiles for: CMAKE_SYSTEM_PROCESSOR names the host where macOS and Windows
# cross-compile.
include(CheckCXXSourceCompiles)
check_cxx_source_compiles("
#if !defined(__x86_64__) && !defined(_M_X64)
#error another processor
#endif
int main() { return 0; }" BRICKWORK_X86_64)
check_cxx_source_compiles("
#if !defined(__aarch64__) && !defined(_M_ARM64)
#error another processor
#endif
int main() { return 0; }" BRICKWORK_ARM64)

if(BRICKWORK_X86_64)
  set(instruction_sets avx512 avx2 baseline)
  set(flags_avx2 -mavx2 -mfma)
  set(flags_avx512 ${flags_avx2} -mavx512f -mavx512vl -mavx512bw -mavx512dq -mprefer-vector-width=512)
elseif(BRICKWORK_ARM64)
  set(instruction_sets neon)  # every 64-bit ARM processor has it
else()
  set(instruction_sets baseline)
endif()
foreach(isa IN LISTS instruction_sets)
  for_this_driver(flags_${isa})
endforeach()

list(TRANSFORM instruction_sets REPLACE "(.+)" "X(\\1)" OUTPUT_VARIABLE entries)
list(JOIN entries " " entries)
set(generated_headers ${CMAKE_CURRENT_BINARY_DIR}/generated)
file(CONFIGURE OUTPUT ${generated_headers}/instruction_sets.hpp CONTENT
"// Written by cmake/instruction_sets.cmake. Best first.
#define BW_FOR_EACH_ISA(X) @entries@
" @ONLY)
