/* Fields of a verified buffer as Python objects. */
#ifndef WFBS_DECODE_H
#define WFBS_DECODE_H

#include "../message.h"

/* Decodes one attribute from the verified buffer. New reference (None if
 * absent) or NULL with ProtocolError or MemoryError. */
PyObject *wfbs_decode_attribute(const wfbs_attribute *a, const wfbs_received *r);

#endif
