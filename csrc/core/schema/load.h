/* Compiles the bytes of a .bfbs to a plan. The bytes are untrusted: in addition to the promises of
 * verify.h, all indices, ids, offsets, sizes and alignments are recomputed or checked, so that a
 * plan is consistent whatever the file contains.
 *
 * Unsupported features (64-bit vectors, unions with an explicit underlying type, types of a later
 * FlatBuffers, WAMP attributes in the wrong place) don't make the file unusable: only the tables
 * and structs that use them, and those that contain such tables or structs, are marked as
 * refused. */
#ifndef WFBS_SCHEMA_LOAD_H
#define WFBS_SCHEMA_LOAD_H

#include "fault.h"

/* The memory, in bytes, that the plan of a .bfbs needs; 0 with the fault filled if it is invalid.
 * The steps of a fault refer to wfbs_reflection. */
size_t wfbs_plan_measure(const uint8_t *data, size_t size, wfbs_fault *fault);

/* Compiles a .bfbs into `memory`, which is aligned like malloc's and has the size that
 * wfbs_plan_measure returned for the same file. The plan points into both. False with the fault
 * filled. */
bool wfbs_plan_load(const uint8_t *data, size_t size, bool words_in_memory_order, void *memory,
                    wfbs_plan *plan, wfbs_fault *fault);

/* The reason why an object can't be used, as text that follows the name of the field that causes
 * it, if any. */
const char *wfbs_refusal_text(wfbs_refusal refusal);

#endif
