/* The structs of the generated tables: the schemas' facts as constant data.
 *
 * The prefix `wfbs` of all shared names means WAMP as FlatBuffers.
 *
 * Nothing here is written by hand for a message: tools/generate.py compiles schemas/ into
 * csrc/generated/tables.[ch], which fill these structs. */
#ifndef WFBS_SCHEMA_H
#define WFBS_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a field is stored in its table. Each kind has a fixed inline width. */
typedef enum {
    WFBS_KIND_NONE = 0, /* no slot: the attribute is only in the metadata */
    WFBS_KIND_BOOL,
    WFBS_KIND_U8,
    WFBS_KIND_U16,
    WFBS_KIND_U32,
    WFBS_KIND_U64,
    WFBS_KIND_ENUM8, /* sub: index of the enum */
    WFBS_KIND_ENUM16,
    WFBS_KIND_STRING,
    WFBS_KIND_BYTES,        /* [ubyte] */
    WFBS_KIND_VECTOR_ENUM8, /* sub: index of the enum */
    WFBS_KIND_VECTOR_U64,
    WFBS_KIND_VECTOR_STRING,
    WFBS_KIND_TABLE, /* sub: index of the table */
    WFBS_KIND_VECTOR_TABLE,
    WFBS_KIND_UNION, /* preceded by its type byte; used only by schemas without WAMP messages */
    WFBS_KIND_COUNT
} wfbs_kind;

/* The meaning of a field's WAMP attribute; bindings map it to their types. */
typedef enum {
    WFBS_USE_UNUSED = 0, /* no attribute: verified, never read, never written */
    WFBS_USE_INT,
    WFBS_USE_BOOL,
    WFBS_USE_STR,
    WFBS_USE_ENUM,      /* a string from the field's enum */
    WFBS_USE_ENUM_NAME, /* in the schema dialect: the string, if the enum lacks it */
    WFBS_USE_ENUMS,     /* a list of such strings */
    WFBS_USE_INTS,
    WFBS_USE_STRS,
    WFBS_USE_ARGS,
    WFBS_USE_KWARGS,
    WFBS_USE_PAYLOAD,
    WFBS_USE_ENC_ALGO,
    WFBS_USE_ENC_KEY,
    WFBS_USE_ENC_SERIALIZER,
    WFBS_USE_PPT_CIPHER, /* ppt_cipher, which Autobahn's classes lack */
    WFBS_USE_PRINCIPALS, /* forward_for */
    WFBS_USE_ROLES,
    WFBS_USE_DICT,   /* authextra, extra */
    WFBS_USE_LIST,   /* an unchecked list, metadata only */
    WFBS_USE_CUSTOM, /* all x_* details together, metadata only */
    WFBS_USE_COUNT
} wfbs_use;

/* Whether a use describes the payload of transparent mode. */
static inline bool
wfbs_use_is_enc(unsigned use)
{
    return use >= WFBS_USE_ENC_ALGO && use <= WFBS_USE_PPT_CIPHER;
}

/* Checks of Message.parse beyond the type. */
typedef enum {
    WFBS_CHECK_NONE = 0,
    WFBS_CHECK_ID,          /* 0 .. 2**53 */
    WFBS_CHECK_URI,         /* loose, no empty component */
    WFBS_CHECK_URI_PATTERN, /* loose, empty components allowed */
    WFBS_CHECK_URI_MATCH,   /* depends on the message's `match` */
    WFBS_CHECK_POSITIVE,    /* 1 and higher */
    WFBS_CHECK_NONZERO,     /* INTERRUPT.mode: not the first enum value */
    WFBS_CHECK_LOOSE_BOOL,  /* force_reregister: also 0 and 1 */
    WFBS_CHECK_REQUEST_TYPE /* ERROR: the type of a request that can fail */
} wfbs_check;

enum {
    WFBS_FLAG_REQUIRED = 1,   /* (required) in the schema: a writer always writes it */
    WFBS_FLAG_OPTIONAL = 2,   /* absent means None, for scalars */
    WFBS_FLAG_POSITIONAL = 4, /* an element of the WAMP list, so None can't be sent */
    WFBS_FLAG_NULLABLE = 8,   /* positional, but null is allowed */
    WFBS_FLAG_LENIENT =
        16,                /* required by the schema, but a reader treats an absent field as None */
    WFBS_FLAG_OPEN = 32,   /* strings outside the enum are allowed */
    WFBS_FLAG_DETAIL = 64, /* an entry in the metadata may state it */
    WFBS_FLAG_OR_NULL = 128 /* and that entry may be null */
};

typedef struct {
    const char *name;      /* the schema's name */
    const char *attribute; /* Autobahn's name; "" when unused */
    const char *detail;    /* the WAMP detail's key */
    uint8_t kind;          /* wfbs_kind */
    uint8_t use;           /* wfbs_use */
    uint8_t check;         /* wfbs_check */
    uint8_t flags;
    uint16_t sub;           /* table or enum, by kind */
    uint32_t default_value; /* scalars: the value of an absent field */
} wfbs_field;

/* Rules about several fields of one message, as in Message.parse. */
typedef enum {
    WFBS_RULE_NONE = 0,
    WFBS_RULE_PAYLOAD, /* payload, args, kwargs and the enc_* set */
    WFBS_RULE_NEEDS,   /* if the first of rule_slots is set, the second must be present */
    WFBS_RULE_REVOKE   /* the first is the revoked ID: only if the second, the request, is 0 */
} wfbs_rule;

enum { WFBS_NO_SLOT = 255 };
enum { WFBS_MAX_FIELDS = 32 }; /* slots and metadata-only attributes of one table */

typedef struct {
    const char *name;         /* "Event" */
    const wfbs_field *fields; /* slots first, then metadata-only attributes */
    uint8_t slot_count;
    uint8_t field_count;
    uint8_t child_count;
    uint8_t order_count;
    const uint8_t *children;         /* slots that contain offsets, in build order */
    const uint8_t *order;            /* all slots that are ever written, in write order */
    const uint8_t *child_rank;       /* by slot: its index in `children` */
    const uint8_t *rank;             /* by slot: its index in `order` */
    uint32_t child_mask;             /* the slots in `children` */
    uint8_t slot_of[WFBS_USE_COUNT]; /* the first field with this use, WFBS_NO_SLOT if none */
    uint8_t rule;                    /* wfbs_rule */
    uint8_t rule_slots[2];           /* the fields of the rule */
    uint8_t has_dependent;           /* some field is checked together with another one */
    const char *role; /* Autobahn's class if this table has the features of a role, else NULL */
} wfbs_table;

typedef struct {
    const char *name;
    const char *const
        *names; /* by value; "" if the value has no WAMP string, NULL if there is no such value */
    uint16_t count; /* the largest value plus 1 */
} wfbs_enum;

typedef struct {
    const char *label; /* "EVENT", for error texts */
    uint16_t table;    /* index into wfbs_tables */
    uint16_t type;     /* WAMP message type, as in Autobahn's MESSAGE_TYPE */
    uint8_t code;      /* the union's type in the autobahn dialect */
    uint8_t ordinal;   /* the union's type in the schema dialect */
} wfbs_message_type;

#endif
