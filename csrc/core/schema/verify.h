/* The gate for a buffer of a known schema: after wfbs_typed_verify() succeeds, walking it by the
 * plan (walk.h) cannot leave it.
 *
 *  1. No byte outside the buffer is read, whatever it holds. Positions are 64-bit numbers; a
 *     position is at most `size`, below 2^31, and what is added to it below 2^32 (the product of a
 *     32-bit count and a 32-bit stride is below 2^64 and compared with a difference): nothing wraps.
 *  2. After success: bounds, required fields, vtables and inline sizes, zero bytes and UTF-8 of
 *     strings, bools, lengths of union vectors, nested buffers, FlexBuffers and WAMP checks hold.
 *  3. Work is linear in `size`: every visit of a table, vector or string is charged to a budget,
 *     each time. Whoever decodes afterwards visits the same, so the budget bounds that, too. The
 *     bytes of a buffer inside a nested one count once, as part of that: no one copies them again.
 *  4. The verdict is that of Google's generated verifier for the schema, or stricter by a rule
 *     that has a fault code. */
#ifndef WFBS_TYPED_VERIFY_H
#define WFBS_TYPED_VERIFY_H

#include "../verify.h"
#include "fault.h"

/* How to read a buffer. */
typedef struct {
    const wfbs_plan *plan;
    const wfbs_limits *limits;
    bool strict; /* values that no enum has and types that no union has are faults */
} wfbs_typed_rules;

/* What the tables, vectors and strings of a buffer of `size` bytes, below 2^31, may add up to. */
static inline uint64_t
wfbs_typed_budget(const wfbs_limits *limits, uint64_t size)
{
    const uint64_t budget = size * limits->budget_factor; /* below 2^63: a factor has 32 bits */
    return budget > limits->budget_minimum ? budget : limits->budget_minimum;
}

/* What a table of a type with so many fields is charged: each entry of its vtable is looked at, and
 * an instance has all fields. */
static inline uint32_t
wfbs_table_cost(uint32_t table_size, uint32_t vtable_size, uint32_t field_count)
{
    return table_size + vtable_size / 4 + field_count / 8;
}

/* What verification is at: an open buffer. Start with wfbs_typed_open. */
typedef struct {
    const wfbs_typed_rules *rules;
    wfbs_fault *fault;
    const uint8_t *data; /* borrowed: the buffer, or the nested one at hand */
    uint64_t size;
    uint64_t base; /* where that is in the outermost one */
    uint64_t budget;
    uint64_t tables; /* how many more may be visited */
    unsigned depth;  /* how many levels are left */
    bool is_nested;  /* the buffer is the bytes of a field */
} wfbs_verifier;

/* Opens a buffer, and finds its root table: whether there is a root offset that leads to an
 * aligned place in it. `identifier` is of 4 bytes, or NULL for any. */
bool wfbs_typed_open(wfbs_verifier *v, const wfbs_typed_rules *rules, const uint8_t *data,
                     size_t size, const char *identifier, wfbs_fault *fault, uint32_t *root);

/* Checks a whole buffer with a table of type `object` as its root. True and *root is the table's
 * position; or false and the fault is filled. */
bool wfbs_typed_verify(const wfbs_typed_rules *rules, uint32_t object, const uint8_t *data,
                       size_t size, const char *identifier, wfbs_fault *fault, uint32_t *root);

/* The parts of it, for those who look at one value only. Each is false with the fault filled, its
 * steps from `object` on pushed; positions are within v->data.
 *
 * The head of the table at `at`, where 4 bytes are within the buffer. */
typedef struct {
    uint64_t at;
    uint64_t vtable;
    uint32_t vtable_size;
    uint32_t table_size;
} wfbs_table_head;
bool wfbs_verify_head(wfbs_verifier *v, uint64_t at, wfbs_table_head *head);
/* Where a field is that the head has: 0 if it's absent. Its inline bytes are within the buffer. */
bool wfbs_verify_slot(wfbs_verifier *v, const wfbs_table_head *head, const wfbs_plan_field *field,
                      uint64_t *position);
/* The place that the offset at `at` leads to: 4 bytes there are within the buffer. */
bool wfbs_verify_follow(wfbs_verifier *v, uint64_t at, uint64_t *target);
/* A table and all that it refers to. */
bool wfbs_verify_table(wfbs_verifier *v, uint32_t object, uint64_t at);
/* One field's value; a union's by the tag field. `number` is of `object`, which the head is of. */
bool wfbs_verify_field(wfbs_verifier *v, uint32_t object, const wfbs_table_head *head,
                       uint32_t number);
/* The bools and checks in a struct, whose bytes are within the buffer. */
bool wfbs_verify_struct(wfbs_verifier *v, uint32_t object, uint64_t at);
/* A scalar or string that is an element of a vector or array, at `at`. */
bool wfbs_verify_scalar_or_string(wfbs_verifier *v, const wfbs_plan_field *field, uint64_t at);

#endif
