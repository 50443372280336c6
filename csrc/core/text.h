/* Checks of strings: UTF-8 and WAMP URIs. */
#ifndef WFBS_CORE_TEXT_H
#define WFBS_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each is true for a good value and reads `size` bytes. */
bool wfbs_utf8_is_valid(const uint8_t *data, size_t size);

typedef enum {
    WFBS_URI_NO_EMPTY,  /* no component may be empty */
    WFBS_URI_ANY_EMPTY, /* any may (pattern-based subscriptions, wildcards) */
    WFBS_URI_LAST_EMPTY /* the last one may (prefix registrations) */
} wfbs_uri_mode;

/* Whether valid UTF-8 is a loose WAMP URI, as Autobahn's check_or_raise_uri judges. */
bool wfbs_uri_is_valid(const uint8_t *data, size_t size, wfbs_uri_mode mode);

#endif
