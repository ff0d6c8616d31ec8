#include "order.hpp"

#include <algorithm>
#include <vector>

namespace bw {

namespace {

struct Entry {
    uint64_t number;
    int64_t place;
};

constexpr int MOST_BITS = 20;    // beyond, the counts of the buckets would not fit the caches
constexpr int64_t CROWDED = 64;  // entries of a bucket from which on insertion is too slow

bool before(const Entry& a, const Entry& b) {
    return a.number != b.number ? a.number < b.number : a.place < b.place;
}

void sort_bucket(Entry* first, Entry* last) {
    if (last - first > CROWDED) {
        std::sort(first, last, before);
        return;
    }
    for (Entry* next = first + 1; next < last; ++next) {
        const Entry held = *next;
        Entry* to = next;
        for (; to > first && before(held, to[-1]); --to) *to = to[-1];
        *to = held;
    }
}

}  // namespace

// One pass by the highest bits into about as many buckets as there are numbers, then each bucket by itself.
void ascending_order(const uint64_t* numbers, int64_t count, int64_t* order) {
    int bits = 1;
    while (bits < MOST_BITS && (int64_t{1} << bits) < count) ++bits;
    const int shift = 64 - bits;
    std::vector<int64_t> ends((size_t)1 << bits);
    std::vector<Entry> entries((size_t)count);
    for (int64_t i = 0; i < count; ++i) ++ends[numbers[i] >> shift];
    int64_t begin = 0;
    for (int64_t& end : ends) {
        const int64_t size = end;
        end = begin;  // where the bucket's next entry goes; its end once all are there
        begin += size;
    }
    for (int64_t i = 0; i < count; ++i) entries[(size_t)ends[numbers[i] >> shift]++] = {numbers[i], i};
    begin = 0;
    for (const int64_t end : ends) {
        if (end - begin > 1) sort_bucket(entries.data() + begin, entries.data() + end);
        begin = end;
    }
    for (int64_t i = 0; i < count; ++i) order[i] = entries[(size_t)i].place;
}

}  // namespace bw
