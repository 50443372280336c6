/* Shared by the unit tests: the check, memory, and a program's last line and exit status. */
#ifndef WFBS_CHECK_H
#define WFBS_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

/* Prints a line if the condition is false. */
#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            failures++;                                                                    \
            printf("%s:%d: %s: not true: %s\n", __FILE__, __LINE__, __func__, #condition); \
        }                                                                                  \
    } while (0)

/* A heap block of exactly `size` bytes, so that a sanitizer detects a read that is off by one. The
 * caller frees it. */
static inline void *
take(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory) {
        abort();
    }
    return memory;
}

/* A copy of the bytes in such a block. */
static inline uint8_t *
take_copy(const void *data, size_t size)
{
    return memcpy(take(size), data, size);
}

/* Ends a program: prints whether all checks were true. Its exit status. */
static inline int
report(const char *name)
{
    printf("%s tests %s\n", name, failures ? "failed" : "passed");
    return failures ? 1 : 0;
}

#endif
