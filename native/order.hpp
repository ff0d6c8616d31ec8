// The order in which an epoch takes its rows.
#pragma once

#include <cstdint>

namespace bw {

/// The places of `count` numbers in ascending order, equal ones in the order of their places: a stable argsort.
///
/// Made for numbers that are spread evenly over 64 bits, such as raw random bits. It takes then a time in
/// proportion to `count`; of others it makes the same order, more slowly.
void ascending_order(const uint64_t* numbers, int64_t count, int64_t* order);

}  // namespace bw
