#pragma once
namespace bw { struct Kernels { const char* name; int lanes; }; }
