#include "pool.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#ifndef _WIN32
#include <pthread.h>
#endif

namespace bw {

namespace {

inline void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

constexpr int PAUSES = 3000;  // about as long as it takes to sleep and wake

/// Workers wait for the next job by spinning a while, then asleep: a pool that only spins collapses where the
/// machine is shared with others.
class Pool {
  public:
    bool run(int pieces, int threads, const std::function<void(int, int)>& work,
             const std::function<bool()>* between) {
        grow(threads - 1);
        {
            std::lock_guard<std::mutex> lock(mutex_);
            work_ = &work;
            pieces_ = pieces;
            helpers_ = threads - 1;
            next_.store(0, std::memory_order_relaxed);
            left_.store(pieces, std::memory_order_relaxed);
            inside_.store(0, std::memory_order_relaxed);
            job_.fetch_add(1, std::memory_order_release);
        }
        if (sleeping_.load() > 0) wake_.notify_all();
        bool all = true;
        for (;;) {
            if (between && !(*between)()) {
                // Nobody begins another piece; what is left is counted off as if done.
                const int begun = next_.exchange(pieces);
                if (begun < pieces) left_.fetch_sub(pieces - begun);
                all = begun >= pieces;
                break;
            }
            const int piece = next_.fetch_add(1, std::memory_order_relaxed);
            if (piece >= pieces) break;
            work(piece, 0);
            left_.fetch_sub(1, std::memory_order_acq_rel);
        }
        // Finished pieces are counted, not workers: one that never woke up holds nobody back.
        for (int i = 0; left_.load(std::memory_order_acquire) > 0; ++i) {
            if (i < PAUSES * 4) {
                pause_briefly();
            } else {
                std::this_thread::yield();
                if (between && all) all = (*between)();  // what others have in hand may end early by it
            }
        }
        // No worker may still look at this job's counters when the next one sets them.
        {
            std::lock_guard<std::mutex> lock(mutex_);
            work_ = nullptr;
        }
        for (int i = 0; inside_.load(std::memory_order_acquire) > 0; ++i) {
            if (i < PAUSES) pause_briefly();
            else std::this_thread::yield();
        }
        return all;
    }

  private:
    void grow(int count) {
        while ((int)workers_.size() < count) {
            const int number = (int)workers_.size() + 1;
            workers_.emplace_back([this, number] { serve(number); });
            workers_.back().detach();
        }
    }

    void serve(int number) {
        unsigned seen = 0;
        for (;;) {
            for (int i = 0; i < PAUSES && job_.load(std::memory_order_acquire) == seen; ++i) pause_briefly();
            const std::function<void(int, int)>* work;
            int pieces;
            {
                std::unique_lock<std::mutex> lock(mutex_);
                if (job_.load() == seen) {
                    sleeping_.fetch_add(1);
                    wake_.wait(lock, [&] { return job_.load() != seen; });
                    sleeping_.fetch_sub(1);
                }
                seen = job_.load();
                work = work_;
                pieces = pieces_;
                if (!work || number > helpers_) continue;
                inside_.fetch_add(1);
            }
            for (;;) {
                const int piece = next_.fetch_add(1, std::memory_order_relaxed);
                if (piece >= pieces) break;
                (*work)(piece, number);
                left_.fetch_sub(1, std::memory_order_acq_rel);
            }
            inside_.fetch_sub(1, std::memory_order_acq_rel);
        }
    }

    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable wake_;
    const std::function<void(int, int)>* work_ = nullptr;
    int pieces_ = 0, helpers_ = 0;
    alignas(64) std::atomic<unsigned> job_{0};
    std::atomic<int> sleeping_{0};
    alignas(64) std::atomic<int> next_{0};
    alignas(64) std::atomic<int> left_{0};
    alignas(64) std::atomic<int> inside_{0};
};

// Never destroyed: its threads run until the process ends, and a forked child has none of them.
Pool* pool = nullptr;
std::atomic<bool> in_use{false};

void forget() {
    pool = new Pool;
    in_use = false;
}

void prepare() {
    static const bool once = [] {
        forget();
#ifndef _WIN32
        pthread_atfork(nullptr, nullptr, forget);
#endif
        return true;
    }();
    (void)once;
}

}  // namespace

bool share_out(int pieces, int threads, const std::function<void(int, int)>& work,
               const std::function<bool()>* between) {
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    if (threads > pieces) threads = pieces;
    if (threads > 1) {
        prepare();
        if (!in_use.exchange(true, std::memory_order_acquire)) {
            const bool all = pool->run(pieces, threads, work, between);
            in_use.store(false, std::memory_order_release);
            return all;
        }
    }
    for (int piece = 0; piece < pieces; ++piece) {
        if (between && !(*between)()) return false;
        work(piece, 0);
    }
    return true;
}

}  // namespace bw
