/* Verifies buffers of a known schema: after wfbs_typed_verify() succeeds, reading the buffer by
 * the plan (walk.h) stays inside it.
 *
 *  1. No byte outside the buffer is read, whatever its content. Positions are 64-bit numbers. A
 *     position is at most `size`, below 2^31, and is only added to numbers below 2^32 (the product
 *     of a 32-bit count and a 32-bit stride is below 2^64 and compared with a difference): nothing
 *     wraps.
 *  2. After success, these are valid: bounds, required fields, vtables and inline sizes, zero bytes
 *     and UTF-8 of strings, bools, lengths of union vectors, nested buffers, FlexBuffers and WAMP
 *     checks.
 *  3. Work is linear in `size`: each visit of a table, vector or string is charged to a budget.
 *     Decoding visits the same objects, so the budget bounds its work, too. The bytes of a buffer
 *     inside a nested one count once, as part of that one, because they aren't copied again.
 *  4. The verdict is that of Google's generated verifier for the schema, or stricter by a rule with
 *     a fault code.
 */
#ifndef WFBS_TYPED_VERIFY_H
#define WFBS_TYPED_VERIFY_H

#include "../verify.h"
#include "fault.h"

/* Options for reading a buffer. */
typedef struct {
    const wfbs_plan *plan;
    const wfbs_limits *limits;
    bool strict; /* values outside an enum, and types outside a union, are errors */
} wfbs_typed_rules;

/* The maximum cost of the tables, vectors and strings of a buffer of `size` bytes, below 2^31. */
static inline uint64_t
wfbs_typed_budget(const wfbs_limits *limits, uint64_t size)
{
    const uint64_t budget = size * limits->budget_factor; /* below 2^63: a factor has 32 bits */
    return budget > limits->budget_minimum ? budget : limits->budget_minimum;
}

/* The cost of a table of a type with this many fields: each entry of its vtable is read, and an
 * instance has all fields. */
static inline uint32_t
wfbs_table_cost(uint32_t table_size, uint32_t vtable_size, uint32_t field_count)
{
    return table_size + vtable_size / 4 + field_count / 8;
}

/* The state of verification: an open buffer. Initialize with wfbs_typed_open. */
typedef struct {
    const wfbs_typed_rules *rules;
    wfbs_fault *fault;
    const uint8_t *data; /* borrowed: the buffer, or the current nested one */
    uint64_t size;
    uint64_t base; /* its offset in the outermost buffer */
    uint64_t budget;
    uint64_t tables; /* remaining budget for visits */
    unsigned depth;  /* remaining levels */
    bool is_nested;  /* the buffer is the bytes of a field */
} wfbs_verifier;

/* Opens a buffer and finds its root table. The root offset must refer to an aligned position in the
 * buffer. `identifier` has 4 bytes, or is NULL for any. */
bool wfbs_typed_open(wfbs_verifier *v, const wfbs_typed_rules *rules, const uint8_t *data,
                     size_t size, const char *identifier, wfbs_fault *fault, uint32_t *root);

/* Verifies a whole buffer with a table of type `object` as its root. Returns true with *root set to
 * the table's position, or false with the fault filled. */
bool wfbs_typed_verify(const wfbs_typed_rules *rules, uint32_t object, const uint8_t *data,
                       size_t size, const char *identifier, wfbs_fault *fault, uint32_t *root);

/* The parts of it, for code that reads only one value. On failure, each returns false with the
 * fault filled and its steps from `object` on pushed. Positions are within v->data.
 *
 * The head of the table at `at`, where 4 bytes must be within the buffer. */
typedef struct {
    uint64_t at;
    uint64_t vtable;
    uint32_t vtable_size;
    uint32_t table_size;
} wfbs_table_head;
bool wfbs_verify_head(wfbs_verifier *v, uint64_t at, wfbs_table_head *head);
/* The position of a field of the head: 0 if it's absent. Its inline bytes are within the buffer. */
bool wfbs_verify_slot(wfbs_verifier *v, const wfbs_table_head *head, const wfbs_plan_field *field,
                      uint64_t *position);
/* The target of the offset at `at`: 4 bytes there are within the buffer. */
bool wfbs_verify_follow(wfbs_verifier *v, uint64_t at, uint64_t *target);
/* A table and everything that it refers to. */
bool wfbs_verify_table(wfbs_verifier *v, uint32_t object, uint64_t at);
/* The value of one field; for a union, by its type. `number` is a field of `object`, the head's
 * type. */
bool wfbs_verify_field(wfbs_verifier *v, uint32_t object, const wfbs_table_head *head,
                       uint32_t number);
/* The bools and checks in a struct, whose bytes are within the buffer. */
bool wfbs_verify_struct(wfbs_verifier *v, uint32_t object, uint64_t at);
/* A scalar or string that is an element of a vector or array, at `at`. */
bool wfbs_verify_scalar_or_string(wfbs_verifier *v, const wfbs_plan_field *field, uint64_t at);

#endif
