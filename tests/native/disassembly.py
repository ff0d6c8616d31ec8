"""What stands in a compiled library: its instructions, function by function, read from objdump."""

from __future__ import annotations

import functools
import itertools
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# bw::avx2::anything in the mangled names of GCC and Clang: functions, what is static in them, constants.
OWNER = re.compile(r"_?_Z(?:Z|GV|T[VTIS])*N[KVr]*2bw(?:4(avx2)|6(avx512)|8(baseline)|4(neon))")

FUNCTION = re.compile(r"([0-9a-f]+) <(.+)>:$")
INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\s+(.+)$")
JUMP = re.compile(r"(?:(?:bnd |notrack )*j\w+|b(?:\.\w+)?|cbn?z|tbn?z)\s+(?:.*,\s*)?([0-9a-f]+)\b(?: <|$)")
LEAVES = re.compile(r"(?:(?:bnd |notrack )*(?:jmp|ret)|ud2|hlt|b |br |ret)")
MULTIPLY_ADD = re.compile(r"vfn?m(?:add|sub)|v?mul[ps]s|fml[as]")
WIDE = re.compile(r"v(?!err|erw)|.*%[yz]mm")
AVX512 = re.compile(r".*(?:%zmm|%[xy]mm(?:1[6-9]|2\d|3[01])|%k[0-7])")


@dataclass
class Function:
    name: str
    code: list[tuple[int, str]] = field(default_factory=list)
    """Address and text of every instruction."""

    @property
    def instruction_set(self) -> str:
        """The one whose kernels this function belongs to; empty for code that every processor runs."""
        owner = OWNER.match(self.name)
        return next(filter(None, owner.groups())) if owner else ""

    def inner_loops(self) -> Iterator[list[str]]:
        """The instructions of each loop that contains no other."""
        bodies = {body for edge in self._jumps() if edge[1] <= edge[0] and (body := self._loop(*edge))}
        for body in bodies:
            if not any(other < body for other in bodies):
                yield [text for address, text in self.code if address in body]

    def _jumps(self) -> Iterator[tuple[int, int]]:
        """From where to where, within this function."""
        inside = {address for address, _ in self.code}
        for address, text in self.code:
            jump = JUMP.match(text)
            if jump and int(jump[1], 16) in inside:
                yield address, int(jump[1], 16)

    @functools.cached_property
    def _predecessors(self) -> dict[int, list[int]]:
        before: dict[int, list[int]] = {address: [] for address, _ in self.code}
        for (address, text), (following, _) in itertools.pairwise(self.code):
            if not LEAVES.match(text):
                before[following].append(address)
        for address, target in self._jumps():
            before[target].append(address)
        return before

    def _loop(self, jump: int, head: int) -> frozenset[int]:
        """The addresses from which the jump back to `head` is reached without passing it.

        Empty where the entry is one of them: the jump then only returns from code that was moved to the end.
        """
        body, found = {head}, [jump]
        while found:
            address = found.pop()
            if address not in body:
                body.add(address)
                found += self._predecessors[address]
        entry = self.code[0][0]
        return frozenset() if entry in body and entry != head else frozenset(body)

    def stack_accesses(self, code: list[str]) -> list[str]:
        framed = any(re.match(r"mov\s+%rsp,%rbp$", text) for _, text in self.code)
        base = r"\(%r[sb]p|push|pop" if framed else r"\(%rsp|push|pop"
        return [text for text in code if re.search(base + r"|\[sp\b|\[x29\b", text)]


def functions(library: Path) -> list[Function]:
    """Every function of a library or an object file that has kept its symbols."""
    command = ["objdump", "--disassemble", "--no-show-raw-insn", "--wide", str(library)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: list[Function] = []
    for line in text.splitlines():
        if header := FUNCTION.match(line):
            found.append(Function(header[2]))
        elif found and (instruction := INSTRUCTION.match(line)):
            found[-1].code.append((int(instruction[1], 16), instruction[2].split("#")[0].strip()))
    return found


def too_wide(function: Function) -> list[str]:
    """The instructions that a processor may not have which runs this function."""
    if function.instruction_set == "avx512":
        return []
    forbidden = AVX512 if function.instruction_set == "avx2" else WIDE
    return [text for _, text in function.code if forbidden.match(text)]


def multiplying_loops(function: Function) -> Iterator[list[str]]:
    """Its inner loops that multiply and add."""
    return (loop for loop in function.inner_loops() if any(MULTIPLY_ADD.match(text) for text in loop))


def spills(function: Function) -> list[str]:
    """The stack accesses in these loops: sums, or what they are made of, that left the registers."""
    return [text for loop in multiplying_loops(function) for text in function.stack_accesses(loop)]


def of_vectors(texts: list[str]) -> list[str]:
    """Those of these instructions that move or compute vectors."""
    return [text for text in texts if re.search(r"%[xyz]mm", text)]
