// The order of an epoch's rows: what a stable sort gives, whatever the numbers are like.
#include <algorithm>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "order.hpp"

namespace {

bool sorted_as_by_std(const std::vector<uint64_t>& numbers) {
    std::vector<int64_t> wanted(numbers.size()), got(numbers.size(), -1);
    std::iota(wanted.begin(), wanted.end(), 0);
    std::stable_sort(wanted.begin(), wanted.end(),
                     [&](int64_t a, int64_t b) { return numbers[(size_t)a] < numbers[(size_t)b]; });
    bw::ascending_order(numbers.data(), (int64_t)numbers.size(), got.data());
    return got == wanted;
}

std::vector<uint64_t> spread(size_t count, uint64_t mask) {
    std::vector<uint64_t> numbers(count);
    uint64_t state = 88172645463325252u;
    for (uint64_t& number : numbers) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        number = state & mask;
    }
    return numbers;
}

}  // namespace

TEST(order_is_that_of_a_stable_sort) {
    for (size_t count : {0, 1, 2, 3, 10, 1000, 70000}) CHECK(sorted_as_by_std(spread(count, ~uint64_t{0})));
}

TEST(order_of_equal_numbers_is_that_of_their_places) {
    CHECK(sorted_as_by_std(std::vector<uint64_t>(1000, 7)));
    CHECK(sorted_as_by_std(spread(5000, 0xff)));             // all in the first bucket
    CHECK(sorted_as_by_std(spread(5000, 3ull << 62)));       // in the first, the last and two between
    CHECK(sorted_as_by_std({~uint64_t{0}, 0, ~uint64_t{0}, 0}));
}
