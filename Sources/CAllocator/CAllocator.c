#include "CAllocator.h"

// Which C library it is, any of its headers says.
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

bool allocator_keep_little(void) {
    // What one thread allocates another frees; so an arena for each thread is a heap full of holes for each.
    int areFew = mallopt(M_ARENA_MAX, 2);
    // Large rows come and go. Unless it is told, the allocator learns to put them among the small things, where they leave
    // holes, too.
    int areApart = mallopt(M_MMAP_THRESHOLD, 256 << 10);
    int isGivenBack = mallopt(M_TRIM_THRESHOLD, 256 << 10);
    return areFew && areApart && isGivenBack;
}
#else
bool allocator_keep_little(void) { return false; }
#endif
