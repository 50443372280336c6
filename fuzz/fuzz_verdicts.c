/* Fuzz target: compares our verdict with that of Google's verifier, in both dialects.
 *
 * Google's verifier must accept everything that ours accepts. What only ours refuses must fall
 * under one of the documented stricter rules. Google's side is tests/support/verifier/google.cc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../csrc/core/verify.h"
#include "../tests/support/verifier/stricter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int google_verifies(const uint8_t *data, size_t size);
int google_verifies_by_ordinal(const uint8_t *data, size_t size);

static bool
is_stricter_rule(wfbs_error_code code)
{
    switch ((int)code) {
#define STRICTER_CASE(name) case WFBS_ERROR_##name:
        STRICTER_RULES(STRICTER_CASE)
#undef STRICTER_CASE
        return true;
    default:
        return false;
    }
}

static void
check(const uint8_t *data, size_t size, wfbs_dialect dialect, bool google)
{
    wfbs_envelope envelope;
    wfbs_error error;
    bool ours = wfbs_verify(data, size, dialect, &wfbs_default_limits, &envelope, &error);
    if (ours ? !google : google && !is_stricter_rule(error.code)) {
        fprintf(stderr, "dialect %d: taken by %s alone; our verdict: %s\n", (int)dialect,
                google ? "Google" : "us", wfbs_error_text(error.code));
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 64 * 1024) {
        return 0;
    }
    uint8_t *copy =
        malloc(size ? size : 1); /* exactly its size, and aligned as Google's reads require */
    if (!copy) {
        abort();
    }
    if (size) {
        memcpy(copy, data, size);
    }
    check(copy, size, WFBS_DIALECT_AUTOBAHN, google_verifies(copy, size));
    check(copy, size, WFBS_DIALECT_SCHEMA, google_verifies_by_ordinal(copy, size));
    free(copy);
    return 0;
}
