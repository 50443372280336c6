/* Encodes and decodes args and kwargs with their payload codec. */
#ifndef WFBS_PAYLOAD_H
#define WFBS_PAYLOAD_H

#include "../state.h"

/* Numbers for the schema's codecs. CBOR is the default and has no number on the wire. If a codec
 * has a name instead of a number, the name is in the metadata. */
enum {
    WFBS_CODEC_CBOR = WFBS_PPTSerializer_TRANSPORT,
    WFBS_CODEC_CBOR_NAMED = WFBS_PPTSerializer_CBOR,
    WFBS_CODEC_NAMED = WFBS_PPTSerializer_OPAQUE,
    WFBS_CODEC_FLEXBUFFERS = WFBS_PPTSerializer_FLEXBUFFERS
};

static inline bool
wfbs_codec_is_cbor(unsigned number)
{
    return number == WFBS_CODEC_CBOR || number == WFBS_CODEC_CBOR_NAMED;
}

/* A payload codec: its value in the schema's PPTSerializer and, for WFBS_CODEC_NAMED, its name. */
typedef struct {
    unsigned number;
    PyObject *name; /* borrowed str, or NULL */
} wfbs_codec;

/* Appends the encoding of `value` to `out`. 0, or -1 with the codec's exception. */
WFBS_MUST_USE int wfbs_payload_encode(wfbs_state *state, wfbs_codec codec, PyObject *value,
                                      wfbs_buffer *out);
/* The codec of a received message's args and kwargs. The name is a new reference (NULL if it has
 * none). 0, or -1 with ProtocolError. */
WFBS_MUST_USE int wfbs_payload_codec(const wfbs_class *c, const wfbs_received *r,
                                     wfbs_codec *codec);
/* Decodes args or kwargs of a received message. New reference or NULL. */
PyObject *wfbs_payload_decode(const wfbs_class *c, const wfbs_received *r, wfbs_span view);
/* A read-only memoryview of `span`, which is in the bytes object `buffer`. New reference. */
PyObject *wfbs_payload_view(PyObject *buffer, wfbs_span span);

#endif
