/* Checks of strings: UTF-8 and WAMP URIs. */
#ifndef WFBS_CORE_TEXT_H
#define WFBS_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each returns true for a valid value, and reads `size` bytes. */
bool wfbs_utf8_is_valid(const uint8_t *data, size_t size);

typedef enum {
    WFBS_URI_NO_EMPTY,  /* no component may be empty */
    WFBS_URI_ANY_EMPTY, /* any component may be empty (pattern-based subscriptions, wildcards) */
    WFBS_URI_LAST_EMPTY /* the last component may be empty (prefix registrations) */
} wfbs_uri_mode;

/* Whether valid UTF-8 is a loose WAMP URI, by the rules of Autobahn's check_or_raise_uri. */
bool wfbs_uri_is_valid(const uint8_t *data, size_t size, wfbs_uri_mode mode);

#endif
