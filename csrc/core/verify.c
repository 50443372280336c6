/* Verification: one walk over the tables, driven by the schema. See verify.h. Which check a field
 * has is said by `check` and `rule` in schemas/; messages/metadata.c checks entries of metadata. */
#include "verify.h"

#include "read.h"
#include "text.h"

/* Root table: slot 0 is the union's type, slot 1 its value, slot 2 the metadata. */
enum { ROOT_TYPE = 0, ROOT_VALUE = 1, ROOT_METADATA = 2 };

/* The schema's deepest chain is Message > Welcome > RouterRoles > BrokerFeatures. */
enum { MAX_DEPTH = 8 };

static const uint64_t MAX_ID = UINT64_C(1) << 53;

const wfbs_limits wfbs_default_limits = {
    .max_size = 0x7FFFFFFF,
    .budget_minimum = 65536,
    .budget_factor = 8,
    .max_tables = 1000000, /* the default of Google's verifier */
};

const char *
wfbs_error_text(wfbs_error_code code)
{
    static const char *const texts[] = {
#define WFBS_ERROR_TEXT(name, text) [WFBS_ERROR_##name] = (text),
        WFBS_ERRORS(WFBS_ERROR_TEXT)
#undef WFBS_ERROR_TEXT
    };
    return (unsigned)code < WFBS_ERROR_COUNT ? texts[code] : "unknown error";
}

const char *
wfbs_error_name(wfbs_error_code code)
{
    static const char *const names[] = {
#define WFBS_ERROR_NAME(name, text) [WFBS_ERROR_##name] = #name,
        WFBS_ERRORS(WFBS_ERROR_NAME)
#undef WFBS_ERROR_NAME
    };
    return (unsigned)code < WFBS_ERROR_COUNT ? names[code] : "UNKNOWN";
}

/* The state of one verification. Positions are uint64_t throughout: they are sums of at most four
 * 32-bit values, so no sum wraps. */
typedef struct {
    const uint8_t *data;
    uint64_t size;   /* at most 2^31 - 1 */
    uint64_t budget; /* apparent bytes that may still be visited */
    size_t tables;   /* tables that may still be visited */
    wfbs_error *error;
} verifier;

/* Records the first error. Always returns false. */
static bool
fail(verifier *v, wfbs_error_code code, const char *table, const char *field, uint64_t offset)
{
    v->error->code = code;
    v->error->table = table;
    v->error->field = field;
    v->error->offset = offset;
    return false;
}

/* Charges `bytes` to the budget; false if it is exhausted. */
static bool
charge(verifier *v, uint64_t bytes)
{
    if (bytes > v->budget) {
        v->budget = 0;
        return false;
    }
    v->budget -= bytes;
    return true;
}

/* The positions of a table and its vtable, after their frames have been checked. */
typedef struct {
    uint64_t table;
    uint64_t vtable;
    uint32_t vtable_size;
    uint32_t table_size;
} frame;

/* Checks that the table at `position` and its vtable are within the message. Charges both, and
 * counts the table. `position` may be any value below 2^33. */
static bool
verify_frame(verifier *v, uint64_t position, const char *table, frame *out)
{
    if (!v->tables) {
        return fail(v, WFBS_ERROR_TABLES, table, NULL, position);
    }
    v->tables--;
    if (position % 4) {
        return fail(v, WFBS_ERROR_TABLE_ALIGNMENT, table, NULL, position);
    }
    if (position + 4 > v->size) {
        return fail(v, WFBS_ERROR_TABLE_RANGE, table, NULL, position);
    }
    /* Signed 64-bit arithmetic on a 33-bit and a 32-bit value can't overflow. */
    int64_t vtable = (int64_t)position - (int32_t)wfbs_load_u32(v->data + position);
    if (vtable < 0 || (uint64_t)vtable + 4 > v->size) {
        return fail(v, WFBS_ERROR_VTABLE_RANGE, table, NULL, position);
    }
    if (vtable % 2) {
        return fail(v, WFBS_ERROR_VTABLE_ALIGNMENT, table, NULL, (uint64_t)vtable);
    }
    uint32_t vtable_size = wfbs_load_u16(v->data + vtable);
    uint32_t table_size = wfbs_load_u16(v->data + vtable + 2);
    if (vtable_size < 4 || vtable_size % 2) {
        return fail(v, WFBS_ERROR_VTABLE_SIZE, table, NULL, (uint64_t)vtable);
    }
    if ((uint64_t)vtable + vtable_size > v->size) {
        return fail(v, WFBS_ERROR_VTABLE_RANGE, table, NULL, (uint64_t)vtable);
    }
    if (table_size < 4 || position + table_size > v->size) {
        return fail(v, WFBS_ERROR_TABLE_SIZE, table, NULL, position);
    }
    if (!charge(v, (uint64_t)vtable_size + table_size)) {
        return fail(v, WFBS_ERROR_BUDGET, table, NULL, position);
    }
    *out = (frame){position, (uint64_t)vtable, vtable_size, table_size};
    return true;
}

/* Finds slot `slot`, `width` (1, 2, 4 or 8) bytes wide, in a checked frame: sets *position to its
 * place, or to 0 if it is absent. False if the vtable's entry is invalid. */
static inline bool
verify_slot(verifier *v, const frame *f, unsigned slot, uint32_t width, const char *table,
            const char *field, uint64_t *position)
{
    *position = 0;
    uint32_t entry = 4 + 2 * (uint32_t)slot;
    if (entry + 2 > f->vtable_size) {
        return true;
    }
    uint32_t offset = wfbs_load_u16(v->data + f->vtable + entry);
    if (!offset) {
        return true;
    }
    /* Both are 16-bit values and a width of at most 8: no wrap. */
    if (offset < 4 || offset + width > f->table_size) {
        return fail(v, WFBS_ERROR_FIELD_RANGE, table, field, f->vtable + entry);
    }
    if ((f->table + offset)
        & (width - 1)) { /* a power of two: % would be a division, 20 ns per message */
        return fail(v, WFBS_ERROR_FIELD_ALIGNMENT, table, field, f->table + offset);
    }
    *position = f->table + offset;
    return true;
}

/* Follows the offset at the checked `position`: *target is within the message, aligned to 4, with 4
 * readable bytes. */
static bool
verify_offset(verifier *v, uint64_t position, const char *table, const char *field,
              uint64_t *target)
{
    uint64_t offset = wfbs_load_u32(v->data + position);
    *target = position + offset;
    if (!offset || offset > INT32_MAX || *target + 4 > v->size) {
        return fail(v, WFBS_ERROR_OFFSET_RANGE, table, field, position);
    }
    if (*target % 4) {
        return fail(v, WFBS_ERROR_OFFSET_ALIGNMENT, table, field, position);
    }
    return true;
}

/* Checks the string that the offset at `position` refers to; sets *span to its text. */
static bool
verify_string(verifier *v, uint64_t position, const char *table, const char *field, wfbs_span *span)
{
    uint64_t start;
    if (!verify_offset(v, position, table, field, &start)) {
        return false;
    }
    uint64_t length = wfbs_load_u32(v->data + start);
    if (length >= v->size - start - 4) { /* start + 4 <= size: checked above */
        return fail(v, WFBS_ERROR_STRING_RANGE, table, field, start);
    }
    if (v->data[start + 4 + length]) {
        return fail(v, WFBS_ERROR_STRING_TERMINATOR, table, field, start + 4 + length);
    }
    if (!charge(v, length + 5)) {
        return fail(v, WFBS_ERROR_BUDGET, table, field, start);
    }
    span->data = v->data + start + 4;
    span->size = (size_t)length;
    if (!wfbs_utf8_is_valid(span->data, span->size)) {
        return fail(v, WFBS_ERROR_STRING_UTF8, table, field, start + 4);
    }
    return true;
}

/* Checks the vector of `width` byte elements that the offset at `position` refers to; sets *first
 * to the position of its first element, and *count to their number. */
static bool
verify_vector(verifier *v, uint64_t position, uint32_t width, const char *table, const char *field,
              uint64_t *first, uint64_t *count)
{
    uint64_t start;
    if (!verify_offset(v, position, table, field, &start)) {
        return false;
    }
    *first = start + 4;
    *count = wfbs_load_u32(v->data + start);
    /* A 32-bit count times a width of at most 8 fits 64 bits. */
    if (*count * width > v->size - *first) {
        return fail(v, WFBS_ERROR_VECTOR_RANGE, table, field, start);
    }
    if (!charge(v, *count * width + 4)) {
        return fail(v, WFBS_ERROR_BUDGET, table, field, start);
    }
    return true;
}

/* Whether `value` is a value of the enum. */
static bool
enum_has(const wfbs_enum *e, uint64_t value)
{
    return value < e->count && e->names[value];
}

/* The checks of Message.parse for one integer. */
static bool
verify_integer(verifier *v, const wfbs_table *t, const wfbs_field *f, uint64_t position,
               uint64_t value)
{
    switch (f->check) {
    case WFBS_CHECK_ID:
        return value <= MAX_ID || fail(v, WFBS_ERROR_ID_RANGE, t->name, f->name, position);
    case WFBS_CHECK_POSITIVE:
        return value > 0 || fail(v, WFBS_ERROR_POSITIVE, t->name, f->name, position);
    default:
        return true;
    }
}

static bool verify_table(verifier *v, uint64_t position, const wfbs_table *t, unsigned depth,
                         frame *f);

static const uint8_t inline_width[WFBS_KIND_COUNT] = {
    [WFBS_KIND_BOOL] = 1,         [WFBS_KIND_U8] = 1,           [WFBS_KIND_U16] = 2,
    [WFBS_KIND_U32] = 4,          [WFBS_KIND_U64] = 8,          [WFBS_KIND_ENUM8] = 1,
    [WFBS_KIND_ENUM16] = 2,       [WFBS_KIND_STRING] = 4,       [WFBS_KIND_BYTES] = 4,
    [WFBS_KIND_VECTOR_ENUM8] = 4, [WFBS_KIND_VECTOR_U64] = 4,   [WFBS_KIND_VECTOR_STRING] = 4,
    [WFBS_KIND_TABLE] = 4,        [WFBS_KIND_VECTOR_TABLE] = 4, [WFBS_KIND_UNION] = 4,
};

/* Checks the present field `f` of table `t` at the checked `position`. */
static bool
verify_field(verifier *v, const wfbs_table *t, const wfbs_field *f, uint64_t position,
             unsigned depth)
{
    const uint8_t *p = v->data + position;
    uint64_t first, count, target;
    wfbs_span span;
    frame nested;
    switch ((wfbs_kind)f->kind) {
    case WFBS_KIND_BOOL:
        return *p <= 1 || fail(v, WFBS_ERROR_BOOL_VALUE, t->name, f->name, position);
    case WFBS_KIND_U8:
        return verify_integer(v, t, f, position, *p);
    case WFBS_KIND_U16:
        return verify_integer(v, t, f, position, wfbs_load_u16(p));
    case WFBS_KIND_U32:
        return verify_integer(v, t, f, position, wfbs_load_u32(p));
    case WFBS_KIND_U64:
        return verify_integer(v, t, f, position, wfbs_load_u64(p));
    case WFBS_KIND_ENUM8:
        return (enum_has(&wfbs_enums[f->sub], *p) && (*p || f->check != WFBS_CHECK_NONZERO))
               || fail(v, WFBS_ERROR_ENUM_VALUE, t->name, f->name, position);
    case WFBS_KIND_ENUM16:
        return enum_has(&wfbs_enums[f->sub], wfbs_load_u16(p))
               || fail(v, WFBS_ERROR_ENUM_VALUE, t->name, f->name, position);
    case WFBS_KIND_STRING:
        if (!verify_string(v, position, t->name, f->name, &span)) {
            return false;
        }
        if (f->check == WFBS_CHECK_NONE || f->check == WFBS_CHECK_URI_MATCH) {
            return true;
        }
        return wfbs_uri_is_valid(span.data, span.size,
                                 f->check == WFBS_CHECK_URI_PATTERN ? WFBS_URI_ANY_EMPTY
                                                                    : WFBS_URI_NO_EMPTY)
               || fail(v, WFBS_ERROR_URI, t->name, f->name,
                       wfbs_follow(v->data, (uint32_t)position));
    case WFBS_KIND_BYTES:
        return verify_vector(v, position, 1, t->name, f->name, &first, &count);
    case WFBS_KIND_VECTOR_ENUM8:
        if (!verify_vector(v, position, 1, t->name, f->name, &first, &count)) {
            return false;
        }
        for (uint64_t i = 0; i < count; i++) {
            if (!enum_has(&wfbs_enums[f->sub], v->data[first + i])) {
                return fail(v, WFBS_ERROR_ENUM_VALUE, t->name, f->name, first + i);
            }
        }
        return true;
    case WFBS_KIND_VECTOR_U64:
        return verify_vector(v, position, 8, t->name, f->name, &first, &count);
    case WFBS_KIND_VECTOR_STRING:
        if (!verify_vector(v, position, 4, t->name, f->name, &first, &count)) {
            return false;
        }
        for (uint64_t i = 0; i < count; i++) {
            if (!verify_string(v, first + 4 * i, t->name, f->name, &span)) {
                return false;
            }
        }
        return true;
    case WFBS_KIND_TABLE:
        return verify_offset(v, position, t->name, f->name, &target)
               && verify_table(v, target, &wfbs_tables[f->sub], depth + 1, &nested);
    case WFBS_KIND_VECTOR_TABLE:
        if (!verify_vector(v, position, 4, t->name, f->name, &first, &count)) {
            return false;
        }
        for (uint64_t i = 0; i < count; i++) {
            if (!verify_offset(v, first + 4 * i, t->name, f->name, &target)
                || !verify_table(v, target, &wfbs_tables[f->sub], depth + 1, &nested)) {
                return false;
            }
        }
        return true;
    default: /* no message has a field of another kind: see tools/generate.py */
        return true;
    }
}

/* Checks the table at `position` (below 2^33) against `t`, with all its fields. */
static bool
verify_table(verifier *v, uint64_t position, const wfbs_table *t, unsigned depth, frame *f)
{
    if (depth > MAX_DEPTH) {
        return fail(v, WFBS_ERROR_DEPTH, t->name, NULL, position);
    }
    if (!verify_frame(v, position, t->name, f)) {
        return false;
    }
    for (unsigned slot = 0; slot < t->slot_count; slot++) {
        const wfbs_field *field = &t->fields[slot];
        uint64_t place;
        if (!verify_slot(v, f, slot, inline_width[field->kind], t->name, field->name, &place)) {
            return false;
        }
        if (place) {
            if (!verify_field(v, t, field, place, depth)) {
                return false;
            }
        }
        else if ((field->flags & (WFBS_FLAG_REQUIRED | WFBS_FLAG_LENIENT)) == WFBS_FLAG_REQUIRED) {
            return fail(v, WFBS_ERROR_REQUIRED, t->name, field->name, position);
        }
    }
    return true;
}

/* The place of the verified field, 0 if absent or if there is no such slot. */
static uint32_t
place_of(verifier *v, const frame *f, unsigned slot)
{
    return slot == WFBS_NO_SLOT ? 0 : wfbs_slot_position(v->data, (uint32_t)f->table, slot);
}

/* Whether the verified bool or 64-bit integer at `place` is not 0. */
static bool
is_set(const verifier *v, const wfbs_field *field, uint32_t place)
{
    return field->kind == WFBS_KIND_U64 ? wfbs_load_u64(v->data + place) != 0 : v->data[place] != 0;
}

/* A payload excludes args and kwargs. With a payload, the enc_* set must be consistent (custom
 * names are in the metadata, which bindings check). */
static bool
verify_payload_rule(verifier *v, const wfbs_table *t, const frame *f, bool metadata)
{
    uint32_t payload = place_of(v, f, t->slot_of[WFBS_USE_PAYLOAD]);
    if (!payload) {
        return true;
    }
    if (place_of(v, f, t->slot_of[WFBS_USE_ARGS]) || place_of(v, f, t->slot_of[WFBS_USE_KWARGS])) {
        return fail(v, WFBS_ERROR_PAYLOAD_AND_ARGS, t->name, "payload", payload);
    }
    unsigned slots[3] = {t->slot_of[WFBS_USE_ENC_ALGO], t->slot_of[WFBS_USE_ENC_SERIALIZER],
                         t->slot_of[WFBS_USE_PPT_CIPHER]};
    bool present[3];
    for (int i = 0; i < 3; i++) {
        uint32_t place = place_of(v, f, slots[i]);
        uint8_t value = place ? v->data[place] : 0;
        present[i] = value != 0;
        if (value && !wfbs_enums[t->fields[slots[i]].sub].names[value][0]) {
            return fail(v, WFBS_ERROR_ENC_VALUE, t->name, t->fields[slots[i]].attribute, place);
        }
    }
    uint32_t key = place_of(v, f, t->slot_of[WFBS_USE_ENC_KEY]);
    if ((key || present[1] || present[2]) && !present[0] && !metadata) {
        return fail(v, WFBS_ERROR_ENC_WITHOUT_ALGO, t->name, "enc_algo", payload);
    }
    return true;
}

/* The rules of Message.parse about several fields. If the metadata may still supply one of them,
 * the binding decides, because it sees both. */
static bool
verify_rule(verifier *v, const wfbs_table *t, const frame *f, bool metadata)
{
    switch ((wfbs_rule)t->rule) {
    case WFBS_RULE_PAYLOAD:
        return verify_payload_rule(v, t, f, metadata);
    case WFBS_RULE_NEEDS: {
        unsigned cause = t->rule_slots[0], needed = t->rule_slots[1];
        uint32_t place = place_of(v, f, cause);
        return !place || !is_set(v, &t->fields[cause], place) || metadata || place_of(v, f, needed)
               || fail(v, WFBS_ERROR_RESUME_TOKEN, t->name, t->fields[needed].name, place);
    }
    case WFBS_RULE_REVOKE: {
        uint32_t revoked = place_of(v, f, t->rule_slots[0]);
        uint32_t request = place_of(v, f, t->rule_slots[1]);
        bool from_router = !request || !wfbs_load_u64(v->data + request);
        return !revoked || (from_router && wfbs_load_u64(v->data + revoked))
               || fail(v, WFBS_ERROR_REVOCATION, t->name, t->fields[t->rule_slots[0]].name,
                       revoked);
    }
    default:
        return true;
    }
}

bool
wfbs_request_type_is_valid(uint64_t type)
{
    static const uint8_t types[] = {
        WFBS_MessageType_PUBLISH,    WFBS_MessageType_SUBSCRIBE, WFBS_MessageType_UNSUBSCRIBE,
        WFBS_MessageType_CALL,       WFBS_MessageType_REGISTER,  WFBS_MessageType_UNREGISTER,
        WFBS_MessageType_INVOCATION,
    };
    for (size_t i = 0; i < sizeof types; i++) {
        if (types[i] == type) {
            return true;
        }
    }
    return false;
}

/* Whether the string at `name` is the WAMP string of the enum value at `value`. Both have been
 * verified. */
static bool
is_named(const verifier *v, const wfbs_field *field, uint32_t value, uint32_t name)
{
    const wfbs_span text = wfbs_span_at(v->data, name);
    const char *expected = wfbs_enums[field->sub].names[v->data[value]];
    return expected && strlen(expected) == text.size && memcmp(expected, text.data, text.size) == 0;
}

/* Checks that need two fields of one table, but report one of them. */
static bool
verify_dependent(verifier *v, const wfbs_table *t, const frame *f, bool metadata)
{
    for (unsigned slot = 0; slot < t->slot_count; slot++) {
        const wfbs_field *field = &t->fields[slot];
        if (field->check == WFBS_CHECK_URI_MATCH) {
            uint32_t place = wfbs_slot_position(v->data, (uint32_t)f->table, slot);
            uint32_t match = place_of(v, f, WFBS_SLOT_Register_match); /* only REGISTER has it */
            static const wfbs_uri_mode modes[] = {WFBS_URI_NO_EMPTY, WFBS_URI_LAST_EMPTY,
                                                  WFBS_URI_ANY_EMPTY};
            wfbs_span text = wfbs_span_at(v->data, place); /* required, so present */
            uint8_t mode = match ? v->data[match] : 0;     /* a valid enum value, so below 3 */
            if (!wfbs_uri_is_valid(text.data, text.size, modes[mode % 3])) {
                return fail(v, WFBS_ERROR_URI, t->name, field->name, place);
            }
        }
        else if (field->check == WFBS_CHECK_REQUEST_TYPE) {
            uint32_t place = wfbs_slot_position(v->data, (uint32_t)f->table, slot);
            uint16_t type = place ? wfbs_load_u16(v->data + place) : 0;
            if (!wfbs_request_type_is_valid(type)) {
                return fail(v, WFBS_ERROR_REQUEST_TYPE, t->name, field->name, place);
            }
        }
        else if (field->use == WFBS_USE_ENUM_NAME) { /* CHALLENGE: it is in one of three places */
            uint32_t name = place_of(v, f, slot);
            uint32_t value = place_of(v, f, t->slot_of[WFBS_USE_ENUM]);
            if (!metadata && !name && !value) {
                return fail(v, WFBS_ERROR_REQUIRED, t->name, "method", f->table);
            }
            if (name && value && !is_named(v, &t->fields[t->slot_of[WFBS_USE_ENUM]], value, name)) {
                return fail(v, WFBS_ERROR_CONTRADICTION, t->name, field->name, name);
            }
        }
        else if (field->use == WFBS_USE_ROLES) {
            uint32_t place = wfbs_slot_position(v->data, (uint32_t)f->table, slot);
            if (place) {
                const wfbs_table *roles = &wfbs_tables[field->sub];
                uint32_t at = wfbs_follow(v->data, place);
                bool any = false;
                for (unsigned role = 0; role < roles->slot_count; role++) {
                    any = any || wfbs_slot_position(v->data, at, role);
                }
                if (!any) {
                    return fail(v, WFBS_ERROR_ROLES_EMPTY, t->name, field->name, at);
                }
            }
        }
    }
    return true;
}

bool
wfbs_verify(const uint8_t *data, size_t size, wfbs_dialect dialect, const wfbs_limits *limits,
            wfbs_envelope *out, wfbs_error *error)
{
    verifier state = {data, size, 0, limits->max_tables, error};
    verifier *v = &state;
    static const char *const root = "Message";
    *error = (wfbs_error){WFBS_ERROR_OK, NULL, NULL, 0};
    if (size < 8) {
        return fail(v, WFBS_ERROR_TOO_SHORT, root, NULL, 0);
    }
    if (size > limits->max_size || size > INT32_MAX) {
        return fail(v, WFBS_ERROR_TOO_LONG, root, NULL, 0);
    }
    v->budget =
        (uint64_t)size * limits->budget_factor; /* 31 bits times a size_t, evaluated in 64 bits */
    if (limits->budget_factor > UINT32_MAX || v->budget < limits->budget_minimum) {
        v->budget = limits->budget_minimum;
    }
    uint64_t position, tag_place, value_place, metadata_place, target;
    frame f;
    if (!verify_offset(v, 0, root, NULL, &position) || !verify_frame(v, position, root, &f)
        || !verify_slot(v, &f, ROOT_TYPE, 1, root, "msg_type", &tag_place)
        || !verify_slot(v, &f, ROOT_VALUE, 4, root, "msg", &value_place)
        || !verify_slot(v, &f, ROOT_METADATA, 4, root, "metadata", &metadata_place)) {
        return false;
    }
    uint8_t tag = tag_place ? data[tag_place] : 0;
    unsigned message = tag < WFBS_TAG_COUNT ? wfbs_message_by_tag[dialect][tag] : WFBS_NO_MESSAGE;
    if (message == WFBS_NO_MESSAGE) {
        return fail(v, WFBS_ERROR_UNION_TYPE, root, "msg_type", tag_place);
    }
    if (!value_place) {
        return fail(v, WFBS_ERROR_UNION_VALUE, root, "msg", position);
    }
    out->message = message;
    out->metadata = 0;
    out->metadata_size = 0;
    if (metadata_place) {
        uint64_t first, count;
        if (!verify_vector(v, metadata_place, 1, root, "metadata", &first, &count)) {
            return false;
        }
        out->metadata = (uint32_t)first;
        out->metadata_size = (uint32_t)count;
    }
    const wfbs_table *t = &wfbs_tables[wfbs_messages[message].table];
    if (!verify_offset(v, value_place, root, "msg", &target) || !verify_table(v, target, t, 1, &f)
        || (t->has_dependent && !verify_dependent(v, t, &f, metadata_place != 0))
        || (t->rule && !verify_rule(v, t, &f, metadata_place != 0))) {
        return false;
    }
    out->table = (uint32_t)target;
    return true;
}
