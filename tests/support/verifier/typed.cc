// Google's verdicts on buffers of the schemas beside this file, by the code that flatc generates.
//
// In: the schema's number (one byte), length (32 bits, little-endian), buffer. Out: 0 or 1 for each.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "basics_generated.h"
#include "nested_generated.h"
#include "unions_generated.h"
#include "wamp_generated.h"

template <typename Table>
static bool
verifies(const std::vector<uint8_t> &data)
{
    flatbuffers::Verifier verifier(data.data(), data.size());
    return verifier.VerifyBuffer<Table>(nullptr);
}

int
main()
{
    uint8_t head[5];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        const size_t size = head[1] | head[2] << 8 | head[3] << 16 | size_t(head[4]) << 24;
        std::vector<uint8_t> data(size);
        if (fread(data.data(), 1, size, stdin) != size) {
            return 2;
        }
        bool verdict = false;
        switch (head[0]) {
        case 0:
            verdict = verifies<basics::Everything>(data);
            break;
        case 1:
            verdict = verifies<basics::Strict>(data);
            break;
        case 2:
            verdict = verifies<unions::Drawing>(data);
            break;
        case 3:
            verdict = verifies<nested::Envelope>(data);
            break;
        case 4:
            verdict = verifies<checks::Addresses>(data);
            break;
        default:
            return 3;
        }
        putchar(verdict);
    }
    return 0;
}
