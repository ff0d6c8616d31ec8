# The flags of every file. No -ffast-math: NaN and infinity must be seen, and before GCC 13 it links start-up
# code into a shared library that flushes denormal numbers in the whole process.
set(common_flags
  -O3 -Wall -Wextra
  -fno-math-errno -fno-trapping-math
  -ffp-contract=fast)  # Clang fuses multiply and add across statements only when told
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Two copies of each loop, one for stride 1, cost the micro-kernels their registers; and a warning about
  # vector arguments, whose ABI matters between libraries only.
  list(APPEND common_flags -fno-version-loops-for-strides -Wno-psabi)
else()
  list(APPEND common_flags -Wno-psabi)
endif()

if(BRICKWORK_SANITIZE)
  # With -O3 the unrolled kernels take minutes to compile when every access is checked.
  list(APPEND common_flags -O1 -g1 -fno-omit-frame-pointer
    -fsanitize=${BRICKWORK_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BRICKWORK_SANITIZE})
endif()

# clang-cl takes the flags of Clang behind a prefix.
function(for_this_driver variable)
  if(CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")
    list(TRANSFORM ${variable} PREPEND "/clang:")
    set(${variable} ${${variable}} PARENT_SCOPE)
  endif()
endfunction()
for_this_driver(common_flags)
