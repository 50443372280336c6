// Google's FlexBuffers verifier, for fuzz_flex_verdicts.c.
#include <flatbuffers/flexbuffers.h>

#include <cstring>
#include <vector>

// Whether it takes the `size` bytes at `data`. It stops at as many vectors as there are bytes,
// where we have a budget: bytes before the buffer, which nothing refers to, give it room. Depth
// isn't limited (to 64) and alignment isn't checked: it wants keys aligned, which have no width.
extern "C" int
wfbs_google_flex(const uint8_t *data, size_t size)
{
    const size_t room = 8192;
    std::vector<uint8_t> bytes(room + size);
    if (size) {
        std::memcpy(bytes.data() + room, data, size);
    }
    flexbuffers::Verifier verifier(bytes.data(), bytes.size(), nullptr, false, 100000);
    return verifier.VerifyBuffer();
}
