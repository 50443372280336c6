/* The base type of the object serializers: messages to bytes and back. */
#ifndef WFBS_OBJECT_H
#define WFBS_OBJECT_H

#include "../messages/payload.h"

/* An object serializer's members. They are set once and never change. */
typedef struct {
    PyObject_HEAD
    char ready; /* it has been initialized, and never changes again */
    char batched;
    char dialect;         /* wfbs_dialect */
    unsigned char codec;  /* of the payloads it writes; see payload.h */
    PyObject *codec_name; /* owned str if the codec is a custom one, else NULL */
    wfbs_limits limits;
} wfbs_object_serializer;

extern PyType_Spec wfbs_object_serializer_spec;

/* Serializes for an object serializer: from the cache, passed on, or encoded. New bytes or NULL. */
PyObject *wfbs_serialize(wfbs_state *state, PyObject *object_serializer, PyObject *message);
/* The messages in `payload`; *size gets its length. New list or NULL. */
PyObject *wfbs_unserialize(wfbs_state *state, const wfbs_object_serializer *s, PyObject *payload,
                           size_t *size);

#endif
