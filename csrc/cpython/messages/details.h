/* A received message's metadata as a dict, before anything is made of it. */
#ifndef WFBS_DETAILS_H
#define WFBS_DETAILS_H

#include "../state.h"

/* The metadata entry that names a custom codec. */
#define WFBS_CODEC_KEY "ppt_serializer"

/* The metadata of a received message, which has some. New dict with string keys, or NULL with
 * ProtocolError. */
PyObject *wfbs_details_read(const wfbs_class *c, const wfbs_received *r);
/* The name of the custom codec that wrote a received message's payload. New reference (None if it
 * is not stated) or NULL with ProtocolError. */
PyObject *wfbs_details_codec(const wfbs_class *c, const wfbs_received *r);

#endif
