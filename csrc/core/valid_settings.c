/* See valid_settings.h. */
#include "valid_settings.h"

#include "frame.h"

static bool
is_message(const uint8_t *data, size_t size, wfbs_dialect dialect, const wfbs_limits *limits)
{
    wfbs_envelope envelope;
    wfbs_error error;
    return wfbs_verify(data, size, dialect, limits, &envelope, &error);
}

/* Whether the bytes are any number of messages, each after its length. */
static bool
is_batch(const uint8_t *data, size_t size, wfbs_dialect dialect, const wfbs_limits *limits)
{
    while (size) { /* `size` only shrinks, by the bytes of a frame that was found */
        if (size < WFBS_FRAME_SIZE || wfbs_frame_load(data) > size - WFBS_FRAME_SIZE) {
            return false;
        }
        size_t length = wfbs_frame_load(data);
        if (!is_message(data + WFBS_FRAME_SIZE, length, dialect, limits)) {
            return false;
        }
        data += WFBS_FRAME_SIZE + length;
        size -= WFBS_FRAME_SIZE + length;
    }
    return true;
}

unsigned
wfbs_valid_settings(const uint8_t *data, size_t size, const wfbs_limits *limits)
{
    unsigned found = 0;
    if (!size || size > WFBS_SETTINGS_MAX) {
        return 0;
    }
    for (unsigned settings = 0; settings < 4; settings++) {
        wfbs_dialect dialect =
            settings & WFBS_SETTING_SCHEMA ? WFBS_DIALECT_SCHEMA : WFBS_DIALECT_AUTOBAHN;
        if (settings & WFBS_SETTING_BATCHED ? is_batch(data, size, dialect, limits)
                                            : is_message(data, size, dialect, limits)) {
            found |= 1u << settings;
        }
    }
    return found;
}
