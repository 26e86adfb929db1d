#pragma once

#include <stdint.h>

/// How many columns the C library says that a character takes on a terminal: 0, 1 or 2; -1 for one that can't be
/// shown. ncurses counts with the same, so that what is drawn stays where it was put. Swift's module of the C library
/// doesn't have it.
int character_width(uint32_t scalar);
