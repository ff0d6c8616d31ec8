// The one building block of matrix products and convolutions.
//
// C[m, n] (+)= sum over taps t, sum over k of A[a_taps[t] + m * row + k * along] * B[b_taps[t] + k * width + n]
//
// A tile is up to MR rows by one or two vectors; its sums stay in registers through all taps. See Georganas et
// al., "High-Performance Deep Learning via a Single Building Block", 2019.
#pragma once

#include "simd.hpp"

namespace bw {
namespace BW_ISA {

enum Finish : int32_t {
    STORE = 0,
    ACCUMULATE = 1,  ///< add to what C holds
    BIAS = 2,        ///< add bias[n]
    RELU = 4         ///< then max(., 0)
};

struct Tile {
    const float* a;
    int64_t row, along;     ///< steps of A in floats, from row to row and along k
    const int64_t* a_taps;
    const float* b;
    const int64_t* b_taps;
    int64_t b_step;         ///< step of B along k
    int32_t taps, depth;    ///< depth: length of k for each tap
    float* c;
    int64_t c_step;
    const float* bias;      ///< at the tile's first column
    int32_t finish;
    int32_t valid;          ///< columns to store
};

using TileFunction = void (*)(const Tile&);

/// The kernel for `rows` rows (1 to tile_rows(width)) of a block that is `width` wide.
TileFunction tile_function(int32_t width, int32_t rows);
/// The most rows that a block of this width takes at a time.
int32_t tile_rows(int32_t width);

/// Rows of the next tile where `left` rows are to be split evenly into tiles of at most `most`.
static inline int32_t next_rows(int64_t left, int32_t most) {
    if (left <= most) return (int32_t)left;
    const int64_t tiles = (left + most - 1) / most;
    return (int32_t)((left + tiles - 1) / tiles);
}

}  // namespace BW_ISA
}  // namespace bw
