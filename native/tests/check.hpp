// The few macros that the tests of the native code need. TEST(name) { ... } registers a test; CHECK goes on
// after a failure, so that one run shows all of them.
#pragma once

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace check {

struct Test {
    const char* name;
    void (*body)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

inline int& failures() {
    static int count = 0;
    return count;
}

struct Register {
    Register(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

inline void fail(const char* file, int line, const std::string& what) {
    ++failures();
    std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
}

}  // namespace check

#define TEST(name)                                              \
    static void test_##name();                                  \
    static const check::Register registered_##name(#name, test_##name); \
    static void test_##name()

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) check::fail(__FILE__, __LINE__, "failed: " #condition);  \
    } while (false)

// The message of what `expression` throws must contain `text`.
#define CHECK_THROWS(expression, type, text)                                                       \
    do {                                                                                           \
        try {                                                                                      \
            (void)(expression);                                                                    \
            check::fail(__FILE__, __LINE__, "did not throw: " #expression);                        \
        } catch (const type& error) {                                                              \
            if (std::string(error.what()).find(text) == std::string::npos)                         \
                check::fail(__FILE__, __LINE__, std::string("another message: ") + error.what());  \
        }                                                                                          \
    } while (false)
