// Runs every test, or those whose name contains the first argument; --isas names the instruction sets that
// BRICKWORK_ISA may choose for a run.
#include <cstring>

#include "check.hpp"
#include "dispatch.hpp"

int main(int count, char** arguments) {
    const char* part = count > 1 ? arguments[1] : "";
    if (std::strcmp(part, "--isas") == 0) {
        for (const std::string& isa : bw::available_isas()) std::printf("%s\n", isa.c_str());
        return 0;
    }
    int ran = 0;
    for (const check::Test& test : check::tests()) {
        if (std::strstr(test.name, part) == nullptr) continue;
        const int before = check::failures();
        try {
            test.body();
        } catch (const std::exception& error) {
            check::fail(test.name, 0, std::string("threw: ") + error.what());
        }
        std::printf("%s %s\n", check::failures() == before ? "ok    " : "FAILED", test.name);
        ++ran;
    }
    std::printf("%d tests, %d failed checks\n", ran, check::failures());
    return ran == 0 || check::failures() > 0;
}
