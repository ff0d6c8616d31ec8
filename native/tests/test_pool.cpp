// The threads: every piece once, whoever else computes.
#include <atomic>
#include <thread>
#include <vector>

#include "check.hpp"
#include "pool.hpp"

#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

// How often each piece was done, and whether all workers had a number below `threads`.
bool each_once(int pieces, int threads) {
    std::vector<std::atomic<int>> done(static_cast<size_t>(pieces));
    std::atomic<bool> right{true};
    const bool all = bw::share_out(pieces, threads, [&](int piece, int worker) {
        done[static_cast<size_t>(piece)].fetch_add(1);
        if (worker < 0 || worker >= threads) right = false;
    });
    for (const auto& count : done) right = right && count == 1;
    return all && right;
}

}  // namespace

TEST(pool_every_piece_is_done_once) {
    for (int threads : {1, 2, 3, 8})
        for (int pieces : {0, 1, 2, 7, 1000}) CHECK(each_once(pieces, threads));
}

TEST(pool_many_small_jobs_follow_each_other) {
    bool right = true;
    for (int job = 0; job < 3000; ++job) right = each_once(1 + job % 5, 1 + job % 4) && right;
    CHECK(right);
}

TEST(pool_several_callers_at_once) {
    std::atomic<int> right{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&] {
            for (int job = 0; job < 200; ++job) right += each_once(20, 3);
        });
    }
    for (auto& caller : callers) caller.join();
    CHECK(right == 4 * 200);
}

TEST(pool_work_may_share_out_work) {
    std::atomic<int> right{0};
    bw::share_out(8, 3, [&](int, int) { right += each_once(10, 3); });
    CHECK(right == 8);
}

TEST(pool_what_is_begun_is_finished_when_it_is_to_stop) {
    for (int threads : {1, 3}) {
        std::atomic<int> begun{0}, finished{0};
        int asked = 0;
        const std::function<bool()> between = [&] { return ++asked < 3; };
        const auto work = [&](int, int) {
            ++begun;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            ++finished;
        };
        CHECK(!bw::share_out(1000, threads, work, &between));
        CHECK(begun == finished);
        CHECK(begun < 1000);
        CHECK(each_once(50, threads));
    }
}

TEST(pool_nothing_stops_it_where_nobody_asks_to) {
    const std::function<bool()> between = [] { return true; };
    std::atomic<int> done{0};
    CHECK(bw::share_out(100, 3, [&](int, int) { ++done; }, &between));
    CHECK(done == 100);
}

#ifndef _WIN32
TEST(pool_a_forked_child_has_one_of_its_own) {
    CHECK(each_once(50, 3));
    const pid_t child = fork();
    if (child == 0) _exit(each_once(50, 3) ? 0 : 1);
    int status = 1;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(each_once(50, 3));
}
#endif
