/* What the cffi binding sees of the core: written by hand, beside the headers that it
 * repeats, and checked against them by the compiler (API mode). */

/* core/schema.h */
typedef enum {
    WFBS_KIND_NONE,
    WFBS_KIND_BOOL,
    WFBS_KIND_U8,
    WFBS_KIND_U16,
    WFBS_KIND_U32,
    WFBS_KIND_U64,
    WFBS_KIND_ENUM8,
    WFBS_KIND_ENUM16,
    WFBS_KIND_STRING,
    WFBS_KIND_BYTES,
    WFBS_KIND_VECTOR_ENUM8,
    WFBS_KIND_VECTOR_U64,
    WFBS_KIND_VECTOR_STRING,
    WFBS_KIND_TABLE,
    WFBS_KIND_VECTOR_TABLE,
    WFBS_KIND_UNION,
    ...
} wfbs_kind;

typedef enum {
    WFBS_USE_UNUSED,
    WFBS_USE_INT,
    WFBS_USE_BOOL,
    WFBS_USE_STR,
    WFBS_USE_ENUM,
    WFBS_USE_ENUM_NAME,
    WFBS_USE_ENUMS,
    WFBS_USE_INTS,
    WFBS_USE_STRS,
    WFBS_USE_ARGS,
    WFBS_USE_KWARGS,
    WFBS_USE_PAYLOAD,
    WFBS_USE_ENC_ALGO,
    WFBS_USE_ENC_KEY,
    WFBS_USE_ENC_SERIALIZER,
    WFBS_USE_PPT_CIPHER,
    WFBS_USE_PRINCIPALS,
    WFBS_USE_ROLES,
    WFBS_USE_DICT,
    WFBS_USE_LIST,
    WFBS_USE_CUSTOM,
    ...
} wfbs_use;

typedef enum {
    WFBS_CHECK_NONE,
    WFBS_CHECK_ID,
    WFBS_CHECK_URI,
    WFBS_CHECK_URI_PATTERN,
    WFBS_CHECK_URI_MATCH,
    WFBS_CHECK_POSITIVE,
    WFBS_CHECK_NONZERO,
    WFBS_CHECK_LOOSE_BOOL,
    WFBS_CHECK_REQUEST_TYPE,
    ...
} wfbs_check;

typedef enum {
    WFBS_RULE_NONE,
    WFBS_RULE_PAYLOAD,
    WFBS_RULE_NEEDS,
    WFBS_RULE_REVOKE,
    ...
} wfbs_rule;

#define WFBS_FLAG_REQUIRED ...
#define WFBS_FLAG_OPTIONAL ...
#define WFBS_FLAG_POSITIONAL ...
#define WFBS_FLAG_NULLABLE ...
#define WFBS_FLAG_LENIENT ...
#define WFBS_FLAG_OPEN ...
#define WFBS_FLAG_DETAIL ...
#define WFBS_FLAG_OR_NULL ...

typedef struct {
    const char *name;
    const char *attribute;
    const char *detail;
    uint8_t kind;
    uint8_t use;
    uint8_t check;
    uint8_t flags;
    uint16_t sub;
    uint32_t default_value;
    ...;
} wfbs_field;

typedef struct {
    const char *name;
    const wfbs_field *fields;
    uint8_t slot_count;
    uint8_t field_count;
    uint8_t rule;
    uint8_t rule_slots[2];
    const char *role;
    ...;
} wfbs_table;

typedef struct {
    const char *name;
    const char *const *names;
    uint16_t count;
} wfbs_enum;

typedef struct {
    const char *label;
    uint16_t table;
    uint16_t type;
    uint8_t code;
    uint8_t ordinal;
} wfbs_message_type;

#define WFBS_MAX_FIELDS ...

/* generated/tables.h */
#define WFBS_TABLE_COUNT ...
#define WFBS_ENUM_COUNT ...
#define WFBS_MESSAGE_COUNT ...
extern const wfbs_table wfbs_tables[];
extern const wfbs_enum wfbs_enums[];
extern const wfbs_message_type wfbs_messages[];

/* core/verify.h */
typedef struct {
    size_t max_size;
    size_t budget_minimum;
    size_t budget_factor;
    size_t max_tables;
} wfbs_limits;

typedef enum { WFBS_DIALECT_AUTOBAHN, WFBS_DIALECT_SCHEMA, ... } wfbs_dialect;

typedef enum { WFBS_ERROR_REVOCATION, ... } wfbs_error_code;

typedef enum { WFBS_URI_NO_EMPTY, ... } wfbs_uri_mode;

typedef struct {
    wfbs_error_code code;
    const char *table;
    const char *field;
    uint64_t offset;
    ...;
} wfbs_error;

extern const wfbs_limits wfbs_default_limits;
const char *wfbs_error_text(wfbs_error_code code);
const char *wfbs_error_name(wfbs_error_code code);
_Bool wfbs_request_type_is_valid(uint64_t type);
_Bool wfbs_uri_is_valid(const uint8_t *data, size_t size, wfbs_uri_mode mode);

/* core/cbor_guard.h */
size_t wfbs_cbor_scratch(const uint8_t *data, size_t size);
const char *wfbs_cbor_refusal(const uint8_t *data, size_t size, void *scratch);
_Bool wfbs_cbor_has_text_keys(const wfbs_table *t, const uint8_t *data, size_t size);
size_t wfbs_cbor_skip_tag(const uint8_t *data, size_t size);
const char *wfbs_cbor_malformation(const uint8_t *data, size_t size);
size_t wfbs_cbor_item_size(const uint8_t *data, size_t size);

/* core/key_probes.h */
#define WFBS_PROBES_FREE ...
static char *const WFBS_PROBES_REFUSAL;
typedef struct {
    ...;
} wfbs_probes;
size_t wfbs_probes_places(size_t count);
size_t wfbs_probes_most(size_t places);
void wfbs_probes_begin(wfbs_probes *p, size_t places, uint64_t *taken);
size_t wfbs_probes_words(size_t places);
_Bool wfbs_probes_add_all(wfbs_probes *p, const uint64_t *hashes, size_t count, size_t *places);
void wfbs_probes_leave(wfbs_probes *p, size_t place);
_Bool wfbs_probes_may_mix(size_t numbers, size_t others);

/* core/write.h */
#define WFBS_BLOB_MIN ...

/* cffi/cbor_tokens.h */
#define WFBS_CBOR_DOUBLE ...

/* cffi/flat.h */
#define WFBS_FLAT_MESSAGE ...
#define WFBS_FLAT_METADATA ...
#define WFBS_FLAT_START ...
#define WFBS_FLAT_SIZE ...
#define WFBS_FLAT_DIALECT ...
#define WFBS_FLAT_ASSIGNED ...
#define WFBS_FLAT_EXPOSED ...
#define WFBS_FLAT_CODEC ...
#define WFBS_FLAT_FIELDS ...
#define WFBS_FLAT_ROOM ...
#define WFBS_FLAT_ABSENT ...
#define WFBS_FLAT_LARGE ...
#define WFBS_BUILD_PRESENT ...
#define WFBS_BUILD_METADATA ...
#define WFBS_BUILD_FIELDS ...
#define WFBS_BUILD_ROOM ...
#define WFBS_BUILD_TOO_LONG ...
#define WFBS_BUILD_NO_MEMORY ...
#define WFBS_BUILD_NO_ROOM ...
int wfbs_flat_index(const uint8_t *buffer, int64_t start, int64_t size, int dialect,
                    const wfbs_limits *limits, int64_t *out);
void wfbs_flat_fault(const uint8_t *buffer, int64_t start, int64_t size, int dialect,
                     const wfbs_limits *limits, wfbs_error *error);
void wfbs_flat_tables(const uint8_t *buffer, int64_t first, int64_t count, int table, int64_t *out);
void wfbs_flat_table(const uint8_t *buffer, int64_t position, int table, int64_t *out);
void wfbs_flat_strings(const uint8_t *buffer, int64_t first, int64_t count, int64_t *out);
int64_t wfbs_flat_build(int message, int dialect, int batched, int64_t *record, int64_t count,
                        const uint8_t *text, uint8_t *out, int64_t room);

/* core/flex_read.h */
typedef enum {
    WFBS_FLEX_ERROR_OK,
    WFBS_FLEX_ERROR_UTF8,
    WFBS_FLEX_ERROR_DUPLICATE,
    ...
} wfbs_flex_error;
const char *wfbs_flex_error_text(wfbs_flex_error error);

#define WFBS_FLEX_MAX_DEPTH ...
#define WFBS_FLEX_SHARED_MAX ...
#define WFBS_FLEX_IS_SCALAR ...
#define WFBS_FLEX_IS_MAP ...

typedef struct {
    ...;
} wfbs_flex_ref;

typedef struct {
    uint64_t count;
    ...;
} wfbs_flex_vector;

typedef struct {
    wfbs_flex_vector values;
    wfbs_flex_vector keys;
    ...;
} wfbs_flex_map;

/* core/flex_pool.h */
#define WFBS_FLEX_POOL ...
unsigned wfbs_flex_pool_index(const uint8_t *text, size_t size);

/* core/flex_tokens.h, cffi/flex_calls.h */
#define WFBS_TOKEN_NULL ...
#define WFBS_TOKEN_FALSE ...
#define WFBS_TOKEN_TRUE ...
#define WFBS_TOKEN_INT ...
#define WFBS_TOKEN_UINT ...
#define WFBS_TOKEN_FLOAT ...
#define WFBS_TOKEN_DOUBLE ...
#define WFBS_TOKEN_TEXT ...
#define WFBS_TOKEN_TEXT_AGAIN ...
#define WFBS_TOKEN_BLOB ...
#define WFBS_TOKEN_VECTOR ...
#define WFBS_TOKEN_MAP ...

typedef struct {
    int error;
    uint64_t at;
} wfbs_flex_fault;

int64_t wfbs_cffi_flex_read(const uint8_t *data, size_t size, const wfbs_flex_ref *ref, int whole,
                            int64_t *out, int64_t room, wfbs_flex_fault *fault);
int64_t wfbs_cffi_flex_keys(const uint8_t *data, size_t size, const wfbs_flex_map *map,
                            int64_t *out, int64_t room, wfbs_flex_fault *fault);
void wfbs_cffi_flex_root(const uint8_t *data, size_t size, wfbs_flex_ref *out,
                         wfbs_flex_fault *fault);
int wfbs_cffi_flex_container(const uint8_t *data, size_t size, const wfbs_flex_ref *ref,
                             wfbs_flex_map *out, wfbs_flex_fault *fault);
void wfbs_cffi_flex_item(const uint8_t *data, size_t size, const wfbs_flex_map *map, uint64_t i,
                         wfbs_flex_ref *out);
uint64_t wfbs_cffi_flex_find(const uint8_t *data, size_t size, const wfbs_flex_map *map,
                             const uint8_t *text, size_t text_size, wfbs_flex_fault *fault);

/* core/schema/plan.h */
#define WFBS_NONE ...

typedef enum {
    WFBS_SHAPE_NONE,
    WFBS_SHAPE_SCALAR,
    WFBS_SHAPE_STRUCT,
    WFBS_SHAPE_STRING,
    WFBS_SHAPE_TABLE,
    WFBS_SHAPE_UNION,
    WFBS_SHAPE_VECTOR,
    WFBS_SHAPE_ARRAY,
    ...
} wfbs_shape;

typedef enum {
    WFBS_DEMAND_NONE,
    WFBS_DEMAND_UUID,
    WFBS_DEMAND_ETHADR,
    WFBS_DEMAND_ETHHASH,
    WFBS_DEMAND_ETHVAL,
    ...
} wfbs_demand;

enum {
    WFBS_FIELD_REQUIRED,
    WFBS_FIELD_OPTIONAL,
    WFBS_FIELD_DEPRECATED,
    WFBS_FIELD_KEY,
    WFBS_FIELD_KWARG,
    WFBS_FIELD_TAG,
    WFBS_FIELD_FLEXBUFFER,
    WFBS_FIELD_BYTES,
    ...
};

typedef enum { WFBS_USABLE, ... } wfbs_refusal;

typedef struct {
    const char *data;
    uint32_t size;
} wfbs_name;

typedef struct {
    uint64_t default_bits;
    uint32_t index;
    uint32_t stride;
    uint32_t nested;
    uint32_t size;
    uint16_t offset;
    uint16_t align;
    uint16_t element_align;
    uint16_t fixed_length;
    uint8_t shape;
    uint8_t element;
    uint8_t scalar;
    uint8_t flags;
    uint8_t demand;
    ...;
} wfbs_plan_field;

typedef struct {
    wfbs_name name;
    uint32_t fields;
    uint32_t field_count;
    uint32_t by_align;
    uint32_t size;
    uint32_t key;
    uint32_t refused_by;
    uint16_t align;
    uint8_t refused;
    _Bool is_struct;
    uint8_t words;
    ...;
} wfbs_plan_object;

typedef struct {
    wfbs_name name;
    uint64_t value;
    uint32_t index;
    uint8_t shape;
    ...;
} wfbs_plan_value;

typedef struct {
    wfbs_name name;
    uint32_t values;
    uint32_t value_count;
    uint64_t all_bits;
    uint8_t scalar;
    _Bool is_union;
    _Bool is_flags;
    _Bool is_ambiguous;
    uint8_t refused;
    ...;
} wfbs_plan_enum;

typedef struct {
    const wfbs_plan_object *objects;
    const wfbs_plan_enum *enums;
    const wfbs_plan_field *fields;
    const wfbs_name *field_names;
    const uint16_t *orders;
    const wfbs_plan_value *values;
    uint32_t object_count;
    uint32_t enum_count;
    uint32_t root;
    wfbs_name identifier;
    ...;
} wfbs_plan;

/* core/schema/reflection.h */
#define WFBS_REFLECTION_SCHEMA ...
extern const wfbs_plan wfbs_reflection;

/* core/schema/fault.h */
typedef enum { WFBS_FAULT_OK, WFBS_FAULT_PATH, WFBS_FAULT_INDEX, ... } wfbs_fault_code;

typedef struct {
    wfbs_fault_code code;
    uint64_t at;
    uint32_t count;
    ...;
} wfbs_fault;

const char *wfbs_fault_name(wfbs_fault_code code);
void wfbs_fault_path(const wfbs_fault *fault, const wfbs_plan *plan, uint32_t root, char *to,
                     size_t room);
void wfbs_fault_reason(const wfbs_fault *fault, char *to, size_t room);

/* core/schema/load.h */
size_t wfbs_plan_measure(const uint8_t *data, size_t size, wfbs_fault *fault);
_Bool wfbs_plan_load(const uint8_t *data, size_t size, _Bool words_in_memory_order, void *memory,
                     wfbs_plan *plan, wfbs_fault *fault);
const char *wfbs_refusal_text(wfbs_refusal refusal);

/* core/schema/verify.h */
typedef struct {
    const wfbs_plan *plan;
    const wfbs_limits *limits;
    _Bool strict;
} wfbs_typed_rules;

_Bool wfbs_typed_verify(const wfbs_typed_rules *rules, uint32_t object, const uint8_t *data,
                        size_t size, const char *identifier, wfbs_fault *fault, uint32_t *root);

typedef struct {
    ...;
} wfbs_verifier;

_Bool wfbs_typed_open(wfbs_verifier *v, const wfbs_typed_rules *rules, const uint8_t *data,
                      size_t size, const char *identifier, wfbs_fault *fault, uint32_t *root);

/* core/schema/path.h */
typedef enum {
    WFBS_PLACE_ABSENT,
    WFBS_PLACE_FIELD,
    WFBS_PLACE_MEMBER,
    WFBS_PLACE_ELEMENT,
    ...
} wfbs_place_kind;

typedef struct {
    wfbs_place_kind kind;
    uint32_t object;
    uint32_t number;
    uint32_t index;
    uint64_t at;
} wfbs_place;

_Bool wfbs_typed_find(wfbs_verifier *v, uint32_t object, uint32_t root, const char *path,
                      size_t size, wfbs_place *place);

/* core/schema/demand.h */
_Bool wfbs_demand_integer(wfbs_demand demand, uint64_t value);
const char *wfbs_demand_name(wfbs_demand demand);
