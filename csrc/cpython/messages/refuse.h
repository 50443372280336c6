/* The errors for attributes that can't be written. */
#ifndef WFBS_REFUSE_H
#define WFBS_REFUSE_H

#include "../message.h"

/* How the conversion of a value ended; the functions here return ERROR. */
typedef enum {
    WFBS_CONVERT_ERROR = -1,
    WFBS_CONVERT_OK = 0,
    WFBS_CONVERT_METADATA = 1
} wfbs_converted;
/* Raises `exception` as "EVENT.topic: ..." with printf-like text; returns ERROR. */
wfbs_converted wfbs_refuse(const wfbs_attribute *a, PyObject *exception, const char *format, ...);
/* Turns the pending exception of a codec into TypeError or ValueError that names
 * the attribute, the original as its cause; returns ERROR. */
wfbs_converted wfbs_refuse_encoding(const wfbs_attribute *a);
/* The same for args or kwargs: the text also says where in `payload` the value is that the codec
 * (a WFBS_CODEC_...) can't encode, and what to send instead. */
wfbs_converted wfbs_refuse_payload(const wfbs_attribute *a, unsigned codec, PyObject *payload);

#endif
