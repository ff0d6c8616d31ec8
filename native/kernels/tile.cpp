// The micro-kernels, for every tile height: `micro` is compiled once for each shape of tile.
#include "tile.hpp"

namespace bw {
namespace BW_ISA {

namespace {

#if defined(__AVX512F__)
constexpr int ROWS_TWO = 14, ROWS_ONE = 14;  // 32 registers
#elif defined(__aarch64__)
constexpr int ROWS_TWO = 10, ROWS_ONE = 14;  // 32 registers, but more rows make GCC keep sums in memory
#else
constexpr int ROWS_TWO = 6, ROWS_ONE = 12;  // 16 registers
#endif

#define BW_UNROLL _Pragma("GCC unroll 16")

// Rows are addressed from one pointer for every three of them: address + step and address + 2 * step are free,
// and 14 pointers would not fit the registers. The empty asm keeps the compiler from merging them again.
template <int N, int V, int MR>
__attribute__((noinline)) void micro(const Tile& tile) {
    constexpr int GROUPS = (MR + 2) / 3;
    Float<N> sums[MR][V];
    BW_UNROLL
    for (int m = 0; m < MR; ++m) {
        BW_UNROLL
        for (int v = 0; v < V; ++v) sums[m][v] = Float<N>{};
    }
    const int64_t row = tile.row, along = tile.along, b_step = tile.b_step;
    for (int32_t tap = 0; tap < tile.taps; ++tap) {
        const float* a[GROUPS];
        a[0] = tile.a + tile.a_taps[tap];
        BW_UNROLL
        for (int g = 1; g < GROUPS; ++g) {
            a[g] = a[g - 1] + 3 * row;
            __asm__("" : "+r"(a[g]));
        }
        const float* b = tile.b + tile.b_taps[tap];
        for (int32_t k = tile.depth; k > 0; --k) {
            Float<N> columns[V];
            BW_UNROLL
            for (int v = 0; v < V; ++v) columns[v] = load<N>(b + v * N);
            BW_UNROLL
            for (int m = 0; m < MR; ++m) {
                const Float<N> entry = all<N>(a[m / 3][(m % 3) * row]);
                BW_UNROLL
                for (int v = 0; v < V; ++v) sums[m][v] += entry * columns[v];
            }
            b += b_step;
            BW_UNROLL
            for (int g = 0; g < GROUPS; ++g) a[g] += along;
        }
    }
    float* c = tile.c;
    const int32_t finish = tile.finish;
    if (finish & BIAS) {
        Float<N> shift[V];
        BW_UNROLL
        for (int v = 0; v < V; ++v) shift[v] = load<N>(tile.bias + v * N);
        BW_UNROLL
        for (int m = 0; m < MR; ++m) {
            BW_UNROLL
            for (int v = 0; v < V; ++v) sums[m][v] += shift[v];
        }
    }
    if (tile.valid == N * V) {
        if (finish & ACCUMULATE) {
            BW_UNROLL
            for (int m = 0; m < MR; ++m) {
                BW_UNROLL
                for (int v = 0; v < V; ++v) sums[m][v] += load<N>(c + m * tile.c_step + v * N);
            }
        }
        if (finish & RELU) {
            BW_UNROLL
            for (int m = 0; m < MR; ++m) {
                BW_UNROLL
                for (int v = 0; v < V; ++v) sums[m][v] = max<N>(Float<N>{}, sums[m][v]);
            }
        }
        BW_UNROLL
        for (int m = 0; m < MR; ++m) {
            BW_UNROLL
            for (int v = 0; v < V; ++v) store<N>(c + m * tile.c_step + v * N, sums[m][v]);
        }
        return;
    }
    // Ragged edge: only the block's last vector is partly stored (a block has at most one such vector).
    const int32_t last = tile.valid - (V - 1) * N;
    BW_UNROLL
    for (int m = 0; m < MR; ++m) {
        BW_UNROLL
        for (int v = 0; v < V; ++v) {
            float* to = c + m * tile.c_step + v * N;
            const int32_t valid = v == V - 1 ? last : N;
            Float<N> sum = sums[m][v];
            if (finish & ACCUMULATE) sum += load_part<N>(to, valid);
            if (finish & RELU) sum = max<N>(Float<N>{}, sum);
            store_part<N>(to, sum, valid);
        }
    }
}

template <int N, int V, int MR>
constexpr void fill(TileFunction* table) {
    if constexpr (MR > 0) {
        table[MR] = micro<N, V, MR>;
        fill<N, V, MR - 1>(table);
    }
}

// Constant expressions: code that ran while the library loads would run on machines without these registers.
struct Tables {
    TileFunction wide[ROWS_TWO + 1];  // two vectors
    TileFunction full[ROWS_ONE + 1];  // one vector of the widest kind
    TileFunction half[ROWS_ONE + 1];
    TileFunction four[ROWS_ONE + 1];
    constexpr Tables() : wide(), full(), half(), four() {
        fill<WIDEST, 2, ROWS_TWO>(wide);
        fill<WIDEST, 1, ROWS_ONE>(full);
        if constexpr (WIDEST > 8) fill<8, 1, ROWS_ONE>(half);
        if constexpr (WIDEST > 4) fill<4, 1, ROWS_ONE>(four);
    }
};

constexpr Tables TABLES;

}  // namespace

TileFunction tile_function(int32_t width, int32_t rows) {
    if (width == 2 * WIDEST) return TABLES.wide[rows];
    if (width == WIDEST) return TABLES.full[rows];
    if (width == 8) return TABLES.half[rows];
    return TABLES.four[rows];
}

int32_t tile_rows(int32_t width) { return width == 2 * WIDEST ? ROWS_TWO : ROWS_ONE; }

}  // namespace BW_ISA
}  // namespace bw
