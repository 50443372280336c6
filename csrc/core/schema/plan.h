/* A FlatBuffers schema, compiled from its binary form (.bfbs) into flat arrays: the plan. It drives
 * verifying, writing and reading buffers of any schema.
 *
 * load.h makes a plan from untrusted bytes. A plan is immutable and borrows its names from those
 * bytes. Every index in it is in range, so code that uses it need not check. */
#ifndef WFBS_PLAN_H
#define WFBS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No index. */
#define WFBS_NONE UINT32_MAX

/* The numbers of reflection.fbs' BaseType. */
typedef enum {
    WFBS_BASE_NONE = 0,
    WFBS_BASE_UTYPE,
    WFBS_BASE_BOOL,
    WFBS_BASE_BYTE,
    WFBS_BASE_UBYTE,
    WFBS_BASE_SHORT,
    WFBS_BASE_USHORT,
    WFBS_BASE_INT,
    WFBS_BASE_UINT,
    WFBS_BASE_LONG,
    WFBS_BASE_ULONG,
    WFBS_BASE_FLOAT,
    WFBS_BASE_DOUBLE,
    WFBS_BASE_STRING,
    WFBS_BASE_VECTOR,
    WFBS_BASE_OBJ,
    WFBS_BASE_UNION,
    WFBS_BASE_ARRAY,
    WFBS_BASE_VECTOR64,
    WFBS_BASE_COUNT
} wfbs_base;

/* The type of a field, an element of a vector or array, or a member of a union. */
typedef enum {
    WFBS_SHAPE_NONE,   /* not usable; a union's type 0 */
    WFBS_SHAPE_SCALAR, /* base type in `scalar`, possibly an enum's */
    WFBS_SHAPE_STRUCT, /* `index` is the object */
    WFBS_SHAPE_STRING,
    WFBS_SHAPE_TABLE,  /* `index` is the object */
    WFBS_SHAPE_UNION,  /* `index` is the enum; the previous field is its type */
    WFBS_SHAPE_VECTOR, /* elements as in `element` */
    WFBS_SHAPE_ARRAY   /* the same, `fixed_length` elements; only in structs */
} wfbs_shape;

/* The requirement of a WAMP attribute for a value (RFC, WAMP IDL). */
typedef enum {
    WFBS_DEMAND_NONE,
    WFBS_DEMAND_WAMPID,
    WFBS_DEMAND_WAMPNAME,
    WFBS_DEMAND_WAMPNAME_STRICT,
    WFBS_DEMAND_WAMPURI,
    WFBS_DEMAND_WAMPURI_STRICT,
    WFBS_DEMAND_WAMPURI_PREFIX, /* _p: any component may be empty */
    WFBS_DEMAND_WAMPURI_PREFIX_STRICT,
    WFBS_DEMAND_WAMPURI_PATTERN, /* _pp: the last component may be empty */
    WFBS_DEMAND_WAMPURI_PATTERN_STRICT,
    WFBS_DEMAND_UUID,
    WFBS_DEMAND_ETHADR,
    WFBS_DEMAND_ETHSIG,
    WFBS_DEMAND_ETHHASH,
    WFBS_DEMAND_ETHVAL, /* ethval and ethblock: an unsigned 256-bit integer */
    WFBS_DEMAND_URL,
    WFBS_DEMAND_CBOR,
    WFBS_DEMAND_COUNT
} wfbs_demand;

enum {
    WFBS_FIELD_REQUIRED = 1 << 0,
    WFBS_FIELD_OPTIONAL = 1 << 1, /* a scalar that may be absent (= null) */
    WFBS_FIELD_DEPRECATED = 1 << 2,
    WFBS_FIELD_KEY = 1 << 3,
    WFBS_FIELD_KWARG = 1 << 4,
    WFBS_FIELD_TAG = 1 << 5,        /* holds the type(s) of the union in the next field */
    WFBS_FIELD_FLEXBUFFER = 1 << 6, /* its bytes are a FlexBuffer */
    WFBS_FIELD_BYTES = 1 << 7       /* a vector or array of ubyte that isn't an enum's */
};

/* Text, borrowed from the schema's bytes: valid UTF-8 without zero bytes. */
typedef struct {
    const char *data;
    uint32_t size;
} wfbs_name;

/* A field of a table (in the order of ids), or of a struct (in the order of offsets). */
typedef struct {
    uint64_t default_bits;  /* as stored in a buffer: the little-endian value, in the low bytes */
    uint32_t index;         /* object or enum, or WFBS_NONE */
    uint32_t stride;        /* size of an element of a vector or array */
    uint32_t nested;        /* the table in a nested_flatbuffer, or WFBS_NONE */
    uint32_t size;          /* inline size: 4 for an offset */
    uint16_t offset;        /* in the vtable, or in the struct */
    uint16_t align;         /* alignment of the inline bytes */
    uint16_t element_align; /* alignment of a vector's elements */
    uint16_t fixed_length;  /* number of elements of an array */
    uint8_t shape;          /* wfbs_shape */
    uint8_t element;        /* wfbs_shape of elements */
    uint8_t scalar;         /* wfbs_base of a scalar or of scalar elements */
    uint8_t flags;          /* WFBS_FIELD_ */
    uint8_t demand;         /* wfbs_demand */
} wfbs_plan_field;

/* The reason why an object or enum can't be used. */
typedef enum {
    WFBS_USABLE,
    WFBS_REFUSED_VECTOR64,
    WFBS_REFUSED_OFFSET64,
    WFBS_REFUSED_UNION_TYPE, /* a union with an explicit underlying type */
    WFBS_REFUSED_BASE_TYPE,  /* a base type of a later FlatBuffers */
    WFBS_REFUSED_ATTRIBUTE,  /* a WAMP attribute on a field that can't have it */
    WFBS_REFUSED_ARG_KWARG,  /* both attributes on one field */
    WFBS_REFUSED_NESTED,     /* nested_flatbuffer names a table that isn't in the file */
    WFBS_REFUSED_SIZE,       /* more fields, or bytes in a struct, than supported */
    WFBS_REFUSED_PART        /* something in it can't be used */
} wfbs_refusal;

/* A table or a struct. */
typedef struct {
    wfbs_name name;
    uint32_t fields;      /* its first field in the plan */
    uint32_t field_count; /* of a table: the highest id plus 1 */
    uint32_t
        by_align; /* first of field_count numbers of its fields, sorted by alignment, largest first; index into the plan's orders */
    uint32_t size;       /* size of a struct */
    uint32_t key;        /* number of the key field, or WFBS_NONE */
    uint32_t required;   /* number of the last required field, plus 1 */
    uint32_t refused_by; /* number of the unusable field, or WFBS_NONE */
    uint16_t align;  /* of a struct, 1 to 256; of a table, that of its widest field, at least 4 */
    uint8_t refused; /* wfbs_refusal */
    bool is_struct;
    bool is_checked; /* a struct with a bool or a WAMP check, so its bytes must be checked */
    uint8_t words;   /* a struct uint128_t, uint160_t or uint256_t: 16, 20 or 32; otherwise 0 */
} wfbs_plan_object;

/* A value of an enum, or a member of a union. */
typedef struct {
    wfbs_name name;
    uint64_t value; /* sign-extended to 64 bits if the enum's type is signed */
    uint32_t index; /* the object of a union's member, or WFBS_NONE */
    uint8_t shape;  /* of a union's member: NONE, TABLE, STRUCT or STRING */
} wfbs_plan_value;

typedef struct {
    wfbs_name name;
    uint32_t values; /* its first value in the plan; sorted by number */
    uint32_t value_count;
    uint64_t all_bits; /* of bit flags: all named bits */
    uint8_t scalar;    /* wfbs_base */
    bool is_union;
    bool is_flags;
    bool is_dense;     /* the values are first, first + 1 and so on, without duplicates */
    bool is_ambiguous; /* a union that has a table twice, a struct or a string as members */
    uint8_t refused;   /* wfbs_refusal */
} wfbs_plan_enum;

typedef struct {
    const wfbs_plan_object *objects; /* sorted by name, like the enums */
    const wfbs_plan_enum *enums;
    const wfbs_plan_field *fields;
    const wfbs_name *field_names; /* of each field; empty if an id has no field */
    const uint16_t *orders;
    const wfbs_plan_value *values;
    uint32_t object_count;
    uint32_t enum_count;
    uint32_t field_count;
    uint32_t value_count;
    uint32_t root;              /* object, or WFBS_NONE */
    wfbs_name identifier;       /* 4 bytes, or none */
    bool words_in_memory_order; /* the words of uint128_t and similar structs are in memory order */
} wfbs_plan;

/* The number of the object, or the enum, with this name; WFBS_NONE if there is none. */
uint32_t wfbs_plan_find_object(const wfbs_plan *plan, const char *name, size_t size);
uint32_t wfbs_plan_find_enum(const wfbs_plan *plan, const char *name, size_t size);
/* The number, in its object, of the field with this name; WFBS_NONE if there is none. */
uint32_t wfbs_plan_find_field(const wfbs_plan *plan, const wfbs_plan_object *object,
                              const char *name, size_t size);
/* The index of an enum's value with this name, or number; WFBS_NONE if there is none. */
uint32_t wfbs_plan_find_name(const wfbs_plan *plan, const wfbs_plan_enum *type, const char *name,
                             size_t size);
uint32_t wfbs_plan_find_value(const wfbs_plan *plan, const wfbs_plan_enum *type, uint64_t value);

/* Size of a scalar of base type `base`; 0 if it isn't a scalar. */
static inline uint32_t
wfbs_base_size(unsigned base)
{
    static const uint8_t sizes[WFBS_BASE_COUNT] = {0, 1, 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
    return base < WFBS_BASE_COUNT ? sizes[base] : 0;
}

static inline bool
wfbs_base_is_signed(unsigned base)
{
    return base == WFBS_BASE_BYTE || base == WFBS_BASE_SHORT || base == WFBS_BASE_INT
           || base == WFBS_BASE_LONG;
}

static inline bool
wfbs_base_is_float(unsigned base)
{
    return base == WFBS_BASE_FLOAT || base == WFBS_BASE_DOUBLE;
}

/* Whether `base` is an integer, a bool or a union's type. */
static inline bool
wfbs_base_is_integer(unsigned base)
{
    return base >= WFBS_BASE_UTYPE && base <= WFBS_BASE_ULONG;
}

/* The fields of an object. */
static inline const wfbs_plan_field *
wfbs_fields_of(const wfbs_plan *plan, const wfbs_plan_object *object)
{
    return plan->fields + object->fields;
}

#endif
