/* Fuzz target: compares our verdict on a FlexBuffer with that of Google's verifier, which must
 * accept everything that ours accepts. csrc/core/flex_read.h lists what only ours refuses. */
#include <stdio.h>
#include <stdlib.h>

#include "../csrc/core/flex_tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int wfbs_google_flex(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(
        size ? size : 1); /* exactly its size, so that a sanitizer detects a read past its end */
    wfbs_flex_reader reader;
    if (!copy) {
        abort();
    }
    if (size) {
        memcpy(copy, data, size);
    }
    wfbs_flex_open(&reader, copy, size);
    if (wfbs_flex_verify(&reader) && !wfbs_google_flex(copy, size)) {
        fprintf(stderr, "taken, but not by Google's verifier\n");
        abort();
    }
    free(copy);
    return 0;
}
