/* From the bytes of a .bfbs to a plan. They are untrusted: besides what verify.h promises, all
 * indices, ids, offsets, sizes and alignments are recomputed or checked, so that a plan is sound
 * whatever its file says.
 *
 * What a file has that is not supported (64-bit vectors, unions with an explicit underlying type,
 * types of a later FlatBuffers, WAMP attributes where they make no sense) doesn't spoil the file:
 * the tables and structs with it are marked as refused, and those that contain them. */
#ifndef WFBS_SCHEMA_LOAD_H
#define WFBS_SCHEMA_LOAD_H

#include "fault.h"

/* The bytes of memory that the plan of a .bfbs takes; 0 with the fault filled if it is none. The
 * steps of a fault are of wfbs_reflection. */
size_t wfbs_plan_measure(const uint8_t *data, size_t size, wfbs_fault *fault);

/* Compiles a .bfbs into `memory`, which is aligned as malloc's is and has as many bytes as
 * wfbs_plan_measure said of the same file. The plan points into both. False with the fault filled. */
bool wfbs_plan_load(const uint8_t *data, size_t size, bool words_in_memory_order, void *memory,
                    wfbs_plan *plan, wfbs_fault *fault);

/* Why an object can't be used, as text that follows the name of the field, if one is to blame. */
const char *wfbs_refusal_text(wfbs_refusal refusal);

#endif
