import CAllocator
import Testing

struct AllocatorTests {
    @Test("the C library can be told to keep little of what was freed")
    func keepsLittle() { #expect(allocator_keep_little()) }
}
