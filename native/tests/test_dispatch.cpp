// The choice of the instruction set.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "check.hpp"
#include "cpu_features.hpp"
#include "dispatch.hpp"

TEST(dispatch_every_available_set_is_found_by_its_name) {
    const auto names = bw::available_isas();
    CHECK(!names.empty());
    for (const auto& name : names) CHECK(bw::find_kernels(name.c_str()).name == name);
}

TEST(dispatch_without_a_name_the_best_is_taken) {
    CHECK(bw::available_isas().front() == bw::find_kernels(nullptr).name);
    CHECK(bw::available_isas().front() == bw::find_kernels("").name);
}

TEST(dispatch_wider_sets_stand_first) {
    const auto names = bw::available_isas();
    const auto lanes = [](const std::string& name) { return bw::find_kernels(name.c_str()).lanes; };
    CHECK(std::is_sorted(names.begin(), names.end(),
                         [&](const auto& one, const auto& other) { return lanes(one) > lanes(other); }));
}

TEST(dispatch_an_unknown_set_is_refused_with_those_there_are) {
    CHECK_THROWS(bw::find_kernels("avx9000"), std::invalid_argument, "got 'avx9000'");
    CHECK_THROWS(bw::find_kernels("avx9000"), std::invalid_argument, "'" + bw::available_isas().back() + "'");
}

TEST(dispatch_the_environment_is_heard) {
    const char* wanted = std::getenv("BRICKWORK_ISA");
    CHECK(std::strcmp(bw::kernels().name, bw::find_kernels(wanted).name) == 0);
    CHECK(&bw::kernels() == &bw::kernels());
}

#if (defined(__x86_64__) || defined(_M_X64)) && !defined(_WIN32)
TEST(dispatch_the_processor_is_read_as_the_compiler_reads_it) {
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    CHECK(bw::cpu_has_avx2() == avx2);
    CHECK(bw::cpu_has_avx512() == (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")));
}
#endif
