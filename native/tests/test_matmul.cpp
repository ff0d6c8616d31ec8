// Matrix products of every tile height, block width and ragged edge against a plain loop.
#include <algorithm>
#include <cmath>

#include "check.hpp"
#include "operations.hpp"
#include "plan.hpp"

namespace {

/// Columns cut greedily into the widths of the set, the last one in part: other cuts than the plans make.
std::vector<bw::Block> blocks(int rows, int columns, int width) {
    std::vector<bw::Block> made;
    int64_t offset = 0;
    for (int column = 0; column < columns; column += width) {
        const int valid = std::min(width, columns - column);
        made.push_back({offset, column, valid, width});
        offset += static_cast<int64_t>(rows) * width;
    }
    return made;
}

bool right(int m, int depth, int columns, int width, bool bias, bool relu) {
    const auto cut = blocks(depth, columns, width);
    const bw::Matrix matrix{0, depth, columns, static_cast<int32_t>(cut.size()), cut.data()};
    const auto x = run::numbers(static_cast<size_t>(m * depth), 1);
    const auto w = run::numbers(static_cast<size_t>(depth * columns), 2);
    const auto b = run::numbers(static_cast<size_t>(columns + 64), 3);
    std::vector<float> packed(cut.size() * static_cast<size_t>(depth * width) + 64);
    bw::Store::pack(w.data(), packed.data(), matrix);
    std::vector<float> unpacked(w.size());
    bw::Store::unpack(packed.data(), unpacked.data(), matrix);
    if (unpacked != w) return false;

    run::Walled y(static_cast<size_t>(m * columns));
    bw::Task task = run::task(m);
    std::vector<float> held(x);
    held.resize(held.size() + 64);
    task.base[bw::LOCAL] = held.data();
    task.base[bw::WHOLE] = y.data();
    task.base[bw::PARAMETER] = packed.data();
    task.base[bw::STATISTIC] = const_cast<float*>(b.data());
    bw::Instruction made = run::instruction("matmul");
    made.operands[0] = {0, depth, bw::LOCAL};
    made.operands[1] = {0, columns, bw::WHOLE};
    if (bias) made.operands[2] = {0, 0, bw::STATISTIC};
    made.ints[0] = 1;
    made.ints[1] = (bias ? 2 : 0) | (relu ? 4 : 0);
    made.ints[2] = bw::PARAMETER;
    made.matrices[0] = matrix;
    made.run(made, task);
    if (!y.intact()) return false;
    for (int i = 0; i < m; ++i) {
        for (int j = 0; j < columns; ++j) {
            double sum = bias ? b[static_cast<size_t>(j)] : 0.0;
            for (int k = 0; k < depth; ++k)
                sum += static_cast<double>(x[static_cast<size_t>(i * depth + k)]) *
                       static_cast<double>(w[static_cast<size_t>(k * columns + j)]);
            if (relu) sum = std::max(sum, 0.0);
            if (!(std::fabs(y.data()[i * columns + j] - sum) <= 1e-6 * (1 + depth))) return false;
        }
    }
    return true;
}

}  // namespace

TEST(matmul_every_height_and_width) {
    for (int32_t width : bw::kernels().widths) {
        if (width == 0) continue;
        for (int m = 1; m <= 31; ++m) CHECK(right(m, 5, width, width, false, false));
    }
}

TEST(matmul_every_ragged_edge) {
    for (int32_t width : bw::kernels().widths) {
        if (width == 0) continue;
        // A block holds at most one vector that is not full.
        const int least = width > bw::kernels().lanes ? bw::kernels().lanes + 1 : 1;
        for (int valid = least; valid <= width; ++valid) {
            for (int depth : {1, 2, 17}) {
                CHECK(right(3, depth, width + valid, width, true, false));
                CHECK(right(14, depth, valid, width, true, true));
            }
        }
    }
}
