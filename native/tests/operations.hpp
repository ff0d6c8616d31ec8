// Single instructions, run on buffers of a test.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.hpp"
#include "instruction.hpp"

namespace run {

inline bw::Operation operation(const char* name) {
    static const char* const names[] = {
#define OPERATION(name) #name,
#include "operations.def"
#undef OPERATION
    };
    for (size_t code = 0; code < std::size(names); ++code)
        if (std::strcmp(names[code], name) == 0) return bw::kernels().operations[code];
    throw std::invalid_argument(name);
}

inline bw::Instruction instruction(const char* name) {
    bw::Instruction made{};
    made.run = operation(name);
    for (bw::Operand& operand : made.operands) operand = {0, 0, -1};
    return made;
}

/// A buffer between two walls of numbers that nothing may touch.
struct Walled {
    static constexpr size_t WALL = 64;
    static constexpr float STONE = -12345.0f;
    std::vector<float> all;
    size_t count;

    explicit Walled(size_t count) : all(count + 2 * WALL, STONE), count(count) {}
    float* data() { return all.data() + WALL; }
    bool intact() const {
        for (size_t i = 0; i < WALL; ++i)
            if (all[i] != STONE || all[WALL + count + i] != STONE) return false;
        return true;
    }
};

/// Numbers in [-1, 1), the same ones each time.
inline std::vector<float> numbers(size_t count, uint32_t seed) {
    std::vector<float> made(count);
    for (float& number : made) {
        seed = seed * 1664525u + 1013904223u;
        number = static_cast<float>(seed >> 8) / 8388608.0f - 1.0f;
    }
    return made;
}

inline bw::Task task(int64_t rows) {
    bw::Task made{};
    made.end = made.rows = rows;
    made.count = 1;
    made.first = made.training = true;
    made.kernels = &bw::kernels();
    return made;
}

}  // namespace run
