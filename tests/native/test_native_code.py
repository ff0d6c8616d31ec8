"""What the compiler made of the native sources: no instruction where it must not stand, no spilled sum.

A library with kernels for several instruction sets breaks on older processors when anything else in it was
compiled for a newer one: the linker may keep, for all callers, the copy of an inline function that came from
a kernel file. And a micro-kernel whose sums do not stay in registers computes the right numbers at less than
half the speed. Neither shows in a result.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from disassembly import Function, functions, multiplying_loops, of_vectors, spills, too_wide

from brickwork.engines.native_module import load_native, why_missing

NATIVE = Path(__file__).parents[2] / "native"
MICRO_KERNEL = re.compile(r"_?_ZN2bw.*\d+micro(?:_|I)")

pytestmark = [
    pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is missing (on Debian: binutils)"),
    pytest.mark.skipif(
        (platform.system(), platform.machine()) != ("Linux", "x86_64"),
        reason="reads what GNU objdump says of x86-64",
    ),
]


@pytest.fixture(scope="module")
def code() -> list[Function]:
    module = load_native()
    if module is None:
        pytest.skip(why_missing())
    found = functions(Path(module.__file__))
    if not any(function.instruction_set for function in found):
        pytest.skip("this native module is stripped; an editable install keeps its symbols")
    return found


def test_every_instruction_set_is_there(code):
    assert {"baseline", "avx2", "avx512"} <= {function.instruction_set for function in code}


def test_only_kernels_use_what_old_processors_lack(code):
    broken = {function.name: too_wide(function)[:3] for function in code if too_wide(function)}
    assert not broken, broken


def test_micro_kernels_keep_their_sums_in_registers(code):
    kernels = [function for function in code if MICRO_KERNEL.match(function.name)]
    assert bool(kernels) == any("micro" in path.read_text() for path in NATIVE.glob("kernels/*.cpp"))
    assert all(list(multiplying_loops(function)) for function in kernels)
    found = {function.name: spills(function) for function in kernels}
    if b"clang version" in Path(load_native().__file__).read_bytes():
        # It keeps some addresses on the stack, which costs little.
        found = {name: of_vectors(texts) for name, texts in found.items()}
    broken = {name: texts[:3] for name, texts in found.items() if texts}
    assert not broken, broken


# The checks themselves, on code that is broken on purpose.

SOURCE = """
#include <stdint.h>
typedef float Float __attribute__((vector_size(32)));
namespace std {
inline __attribute__((noinline)) void helper(Float* a) {
    for (int i = 0; i < 64; ++i) a[i] += a[i];
}
}
namespace bw { namespace avx2 {
template <int ROWS>
__attribute__((noinline)) void micro(const Float* a, const float* b, Float* c, int64_t depth) {
    Float sums[ROWS] = {};
    for (int64_t k = 0; k < depth; ++k) {
        Float column = a[k];
        _Pragma("GCC unroll 64")
        for (int m = 0; m < ROWS; ++m) sums[m] += column * b[k * ROWS + m];
    }
    _Pragma("GCC unroll 64")
    for (int m = 0; m < ROWS; ++m) c[m] = sums[m];
}
void use(const Float* a, const float* b, Float* c, int64_t depth) {
    micro<4>(a, b, c, depth);
    micro<30>(a, b, c, depth);
    std::helper(c);
}
} }
"""


@pytest.fixture(scope="module")
def broken_code(tmp_path_factory) -> dict[str, Function]:
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing")
    folder = tmp_path_factory.mktemp("code")
    (folder / "code.cpp").write_text(SOURCE)
    command = ["g++", "-O3", "-mavx2", "-mfma", "-Wno-psabi", "-c", "code.cpp", "-o", "code.o"]
    subprocess.run(command, cwd=folder, check=True)
    return {function.name: function for function in functions(folder / "code.o")}


def named(code: dict[str, Function], part: str) -> Function:
    (found,) = (function for name, function in code.items() if part in name)
    return found


def test_the_check_finds_spilled_sums(broken_code):
    few, many = named(broken_code, "microILi4E"), named(broken_code, "microILi30E")
    assert MICRO_KERNEL.match(few.name) and few.instruction_set == "avx2"
    assert len(list(few.inner_loops())) == 1
    assert spills(few) == []
    assert of_vectors(spills(many))
    assert of_vectors(["add 0xc0(%rsp),%rdx", "vmovaps %ymm2,(%rsp)"]) == ["vmovaps %ymm2,(%rsp)"]


def test_the_check_finds_code_that_leaves_its_set(broken_code):
    helper, kernel = named(broken_code, "helper"), named(broken_code, "microILi4E")
    assert too_wide(helper) and not too_wide(kernel)
    assert any("%ymm" in text for text in too_wide(helper))


@pytest.mark.parametrize(
    "name, text, wrong",
    [
        ("_ZN2bw4avx24multI", "vmovups %zmm0,(%rax)", True),
        ("_ZN2bw4avx24multI", "vfmadd231ps %ymm1,%ymm2,%ymm17", True),
        ("_ZN2bw4avx24multI", "vfmadd231ps %ymm1,%ymm2,%ymm15", False),
        ("_ZN2bw6avx512L4multE", "vmovups (%rdi),%zmm0{%k1}{z}", False),
        ("_ZN2bw8baseline4multE", "vmovss %xmm0,(%rax)", True),
        ("_ZN2bw8baseline4multE", "movups %xmm0,(%rax)", False),
        ("_ZNSt6vectorIN2bw6avx5121AEE", "vmovups %ymm0,(%rax)", True),
        ("_GLOBAL__sub_I_kernel.cpp", "vmovups %ymm0,(%rax)", True),
        ("_ZN2bw4planEv", "verr %ax", False),
    ],
)
def test_what_is_too_wide(name, text, wrong):
    assert bool(too_wide(Function(name, [(0, text)]))) is wrong
