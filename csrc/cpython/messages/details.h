/* A received message's metadata as a dict, before it is converted. */
#ifndef WFBS_DETAILS_H
#define WFBS_DETAILS_H

#include "../state.h"

/* The metadata entry that names a custom codec. */
#define WFBS_CODEC_KEY "ppt_serializer"

/* Whether metadata under the schema dialect is the message's `extra` itself. */
static inline bool
wfbs_details_are_extra(const wfbs_class *c, wfbs_dialect dialect)
{
    unsigned slot = c->table->slot_of[WFBS_USE_DICT];
    return dialect == WFBS_DIALECT_SCHEMA && slot != WFBS_NO_SLOT
           && c->table->fields[slot].flags & WFBS_FLAG_POSITIONAL;
}

/* The metadata of a received message that has some. New dict with string keys, also in all maps
 * that WAMP defines; or NULL with ProtocolError. */
PyObject *wfbs_details_read(const wfbs_class *c, const wfbs_received *r);
/* Sets *name to a new reference to the codec name in these details. 1, or 0 if there is none, or -1
 * with an error. */
int wfbs_details_find_codec(PyObject *details, PyObject **name);
/* The name of the custom codec of a received message's payload. New reference (None if it is not
 * stated) or NULL with ProtocolError. */
PyObject *wfbs_details_codec(const wfbs_class *c, const wfbs_received *r);

#endif
