#include "CAllocator.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

void allocator_keep_little(void) {
#ifdef __GLIBC__
    // What one thread allocates another frees; so an arena for each thread is a heap full of holes for each.
    mallopt(M_ARENA_MAX, 2);
    // Large rows come and go. Unless it is told, the allocator learns to put them among the small things, where they leave
    // holes, too.
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 256 << 10);
#endif
}
