/* WebSocket frame masking (RFC 6455, section 5.3), compatible with Autobahn's maskers. */
#ifndef WFBS_ACCELERATE_MASKER_H
#define WFBS_ACCELERATE_MASKER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The type Masker: Masker(mask, length=None), process(data), pointer(), reset(). */
extern PyType_Spec wfbs_masker_spec;

#endif
