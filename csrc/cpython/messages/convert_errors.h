/* The errors for attributes that can't be written. */
#ifndef WFBS_CONVERT_ERRORS_H
#define WFBS_CONVERT_ERRORS_H

#include "../message.h"

/* The result of converting a value; the functions here return ERROR. */
typedef enum {
    WFBS_CONVERT_ERROR = -1,
    WFBS_CONVERT_OK = 0,
    WFBS_CONVERT_METADATA = 1
} wfbs_converted;
/* Raises `exception` with "EVENT.topic: " and printf-like text. Always returns ERROR. */
wfbs_converted wfbs_refuse(const wfbs_attribute *a, PyObject *exception, const char *format, ...);
/* Replaces the pending exception of a codec with TypeError or ValueError that names the attribute,
 * with the original as its cause. Always returns ERROR. */
wfbs_converted wfbs_refuse_encoding(const wfbs_attribute *a);
/* The same for args or kwargs: the text also gives the place in `payload` of the value that the
 * codec (a WFBS_CODEC_...) can't encode, and what to send instead. */
wfbs_converted wfbs_refuse_payload(const wfbs_attribute *a, unsigned codec, PyObject *payload);

#endif
