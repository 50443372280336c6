// Google's verdict on one message, by the code that flatc generates from our schemas.
//
// Compiled twice: plain for the `autobahn` dialect, and with BY_ORDINAL for the `schema` dialect.
// The generated header has the same names both times, so the second one is moved out of the way.
#ifdef BY_ORDINAL
#define wamp wamp_by_ordinal
#define google_verifies google_verifies_by_ordinal
#endif

#include "wamp_generated.h"

extern "C" int google_verifies(const uint8_t *data, size_t size);

// 1 if the verifier takes the message with its default options, else 0.
extern "C" int
google_verifies(const uint8_t *data, size_t size)
{
    flatbuffers::Verifier verifier(data, size);
    return wamp::proto::VerifyMessageBuffer(verifier);
}
