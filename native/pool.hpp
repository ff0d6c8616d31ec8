// Threads of this process that share out numbered pieces of work.
#pragma once

#include <functional>

namespace bw {

/// Calls work(piece, worker) for every piece in 0 .. pieces - 1, on up to `threads` threads of which the
/// caller is one (worker 0), and returns when all are done. Pieces may run in any order and must not throw.
///
/// One pool serves the whole process. Where another thread is using it, the caller does the work alone. A
/// child process after fork makes a pool of its own. `between`, where given, is called by the caller's thread
/// between its pieces and while it waits for those of others; once it returns false, no further piece is begun.
/// Returns false if it has; else all pieces were done.
bool share_out(int pieces, int threads, const std::function<void(int, int)>& work,
               const std::function<bool()>* between = nullptr);

/// The most workers that share_out may use.
constexpr int MOST_THREADS = 256;

}  // namespace bw
