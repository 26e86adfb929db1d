#pragma once

#include <stdbool.h>

/// Has the C library's allocator keep little of what was freed, for a program that runs for hours and makes and frees as much
/// as it can all the time. Swift's module of the C library doesn't have it. To be called before there are other threads.
/// Answers whether the C library does so.
bool allocator_keep_little(void);
