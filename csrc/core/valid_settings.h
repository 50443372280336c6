/* Finds the settings under which a serializer could read bytes that it refused. */
#ifndef WFBS_VALID_SETTINGS_H
#define WFBS_VALID_SETTINGS_H

#include "verify.h"

enum {
    WFBS_SETTING_BATCHED = 1,
    WFBS_SETTING_SCHEMA = 2, /* the dialect */
    /* Longer buffers aren't tried, so that refusing costs little. The first message of a
     * connection, whose refusal needs an explanation, is short. */
    WFBS_SETTINGS_MAX = 16384,
    /* The bindings recognize the format of a refused buffer by this number of its first bytes. */
    WFBS_HINT_BYTES = 64,
};

/* The settings (each a sum of the bits above) under which all of the `size` bytes at `data` are
 * valid: bit n of the result is set for settings n. 0 if there are none, and for empty and long
 * buffers. Cannot fail. */
unsigned wfbs_valid_settings(const uint8_t *data, size_t size, const wfbs_limits *limits);

#endif
