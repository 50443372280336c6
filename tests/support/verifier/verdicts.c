/* Two verdicts on each message that comes in on stdin: Google's and ours.
 *
 * In: dialect (one byte, 0 autobahn, 1 schema), length (32 bits, little-endian),
 * message. Out, for each: Google's verdict (0 or 1), our error code (0: taken).
 * With `--names` it prints the names of our error codes instead, a line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../csrc/core/read.h"
#include "../../../csrc/core/verify.h"

int google_verifies(const uint8_t *data, size_t size);
int google_verifies_by_ordinal(const uint8_t *data, size_t size);

static void
print_names(void)
{
#define NAME(code, text) puts(#code);
    WFBS_ERRORS(NAME)
#undef NAME
}

int
main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--names")) {
        print_names();
        return 0;
    }
    uint8_t head[5];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        size_t size = wfbs_load_u32(head + 1);
        uint8_t *data = malloc(size ? size : 1); /* exact, for sanitizers */
        if (!data || fread(data, 1, size, stdin) != size) {
            fprintf(stderr, "a message of %zu bytes was announced and did not come\n", size);
            return 2;
        }
        wfbs_envelope envelope;
        wfbs_error error;
        wfbs_verify(data, size, (wfbs_dialect)head[0], &wfbs_default_limits, &envelope, &error);
        int google = (head[0] ? google_verifies_by_ordinal : google_verifies)(data, size);
        free(data);
        putchar(google);
        putchar((int)error.code);
    }
    return 0;
}
