/* Fuzz target: our verdict on a FlexBuffer beside that of Google's verifier, which takes all that
 * ours takes. What ours alone refuses is listed in csrc/core/flex_read.h. */
#include <stdio.h>
#include <stdlib.h>

#include "../csrc/core/flex_tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int wfbs_google_flex(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* exact, so that a sanitizer sees a read past it */
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
