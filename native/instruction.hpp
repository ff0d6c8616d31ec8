// What a plan is made of: instructions on rows of buffers, and matrices packed in column blocks.
//
// Everything is plain data without member functions of the standard library, because the kernels that read
// it are compiled once for each instruction set (see kernels.hpp).
#pragma once

#include <cstdint>

namespace bw {

/// Numbers that an optimizer remembers of each parameter, at most: three, and its running mean.
constexpr int SLOTS = 5;

struct Kernels;
struct Instruction;
struct UpdateRule;
struct Terms;

/// Where an operand lives. Offsets and strides are in floats.
enum Space : int32_t {
    WHOLE = 0,       ///< one place for each row of the batch
    LOCAL = 1,       ///< one for each row of the group at hand, again for each thread
    PARAMETER = 2,   ///< parameters, kernels packed
    GRADIENT = 3,    ///< their gradients, laid out alike
    TRANSPOSED = 4,  ///< packed transposes of kernels
    STATISTIC = 5,   ///< running statistics, and what the batch makes of them
    SPACES = 6
};

struct Operand {
    int64_t offset;
    int64_t stride;  ///< from one row of the batch to the next
    int32_t space;   ///< negative: there is no such operand
};

/// A run of columns of a packed matrix: the first `valid` of `width` columns mean something.
struct Block {
    int64_t offset;  ///< in floats, from the start of the packed matrix
    int32_t column, valid, width;
};

/// A (rows, columns) matrix stored as [block][row][width].
struct Matrix {
    int64_t offset;  ///< in its space
    int32_t rows, columns, count;
    const Block* blocks;
};

/// Rows of an array that belongs to the caller, of any dtype.
struct Source {
    const char* data;  ///< null: a column of ones
    int64_t stride;    ///< bytes from row to row
    int64_t size;      ///< numbers of a row, side by side
    int32_t kind;      ///< see enum Kind
};

enum Kind : int32_t { F32, F64, U8, I8, U16, I16, U32, I32, U64, I64, F16 };

/// What surrounds an instruction while it runs.
struct Task {
    float* base[SPACES];
    int64_t origin[SPACES];  ///< row at which the space starts; 0 but for LOCAL
    int64_t begin, end;      ///< rows of the batch to work on
    int64_t rows;            ///< of the whole batch
    int64_t chunk;           ///< number of the part of the batch that has sums of its own
    bool first;              ///< these are the chunk's first rows, at the first moment of a loop
    int64_t moment, moments; ///< how many moments of a loop came before this one, and how many there are
    int64_t index, count;    ///< which part of a divided instruction, and of how many
    int64_t threads;         ///< that share the work; what is computed does not depend on it
    bool training;
    bool fused;              ///< gradients go straight into the update
    uint32_t key[2];         ///< the run's seed
    uint32_t step;
    const UpdateRule* rule;
    float* slots[SLOTS];     ///< of the parameters, laid out like them
    const float* scales;     ///< factors of the gradients by group, where norms are bounded; else null
    double* squares;         ///< sums of squares of the runs of parameters
    const Source* sources;
    const int64_t* order;    ///< rows of the sources; null for their own order
    int64_t position;        ///< of the batch's first row, in the order
    int64_t known;           ///< rows of the order from there on: those of the batch, and of the next ones
    const Kernels* kernels;
};

using Operation = void (*)(const Instruction&, const Task&);

struct Instruction {
    Operation run;
    int32_t code;
    int32_t parts;         ///< into how many independent parts it divides; 0: by rows
    Operand operands[10];
    int64_t ints[32];
    float floats[8];
    Matrix matrices[3];
    const int64_t* table;  ///< numbers without a fixed count
    int64_t table_size;
};

static inline float* at(const Task& task, const Operand& operand, int64_t row) {
    return task.base[operand.space] + operand.offset + (row - task.origin[operand.space]) * operand.stride;
}

static inline bool present(const Operand& operand) { return operand.space >= 0; }

}  // namespace bw
