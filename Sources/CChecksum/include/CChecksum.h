#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor has an instruction for CRC32C.
bool crc32c_is_there(void);

/// Goes on with the inner state `crc` of a CRC32C over `count` bytes. Only where `crc32c_is_there`.
uint32_t crc32c_advance(uint32_t crc, const uint8_t *_Nullable bytes, size_t count);

#endif
