/* spf_inside.h: what the files of the SPF machine share: spf.c walks the records, spf_step.c takes
 * answers, spf_name.c finds out what an address is called. */
#pragma once

#include "core/mailauth/spf.h"

/* What the chain that is being followed is for. */
enum spf_step {
    STEP_NONE,
    STEP_RECORD,   /* a domain's TXT */
    STEP_ADDRESS,  /* a: addresses of the target */
    STEP_EXISTS,   /* exists: an A record of the target */
    STEP_MX,       /* mx: the target's MX */
    STEP_MX_HOST,  /* mx: addresses of one of them */
    STEP_PTR,      /* the address's names */
    STEP_PTR_NAME, /* addresses of one of them */
    STEP_EXP,      /* the explanation's TXT */
};

/* What goes on when no question is open. */
enum spf_phase {
    PHASE_TERMS,        /* the next term of the topmost record */
    PHASE_EXPLAIN,      /* the result is fail: where is its explanation? */
    PHASE_EXPLAIN_TEXT, /* the explanation's macros */
};

/* The end, for good. The reason may be of static memory or of the arena. */
void spf_end(struct spf *s, enum spf_result result, struct str reason);
void spf_end_temporary(struct spf *s);
/* Asks for `name` next. */
void spf_ask(struct spf *s, enum spf_step step, struct str name, uint16_t type);
/* Asks for the client's kind of address. */
void spf_ask_address(struct spf *s, enum spf_step step, struct str name);
/* The present term matches; or it does not, and the next one is looked at. */
void spf_match(struct spf *s);
void spf_no_match(struct spf *s);
struct spf_frame *spf_top(struct spf *s);
/* A record was found at the topmost domain; or there is none (spf.c). */
void spf_take_record(struct spf *s, struct str text);
void spf_no_record(struct spf *s);

/* Takes the chain that just ended (spf_step.c). */
void spf_settle(struct spf *s);

/* spf_name.c: whether "p" is known for the topmost domain, or else asks for it. */
bool spf_name_known(struct spf *s);
void spf_name_of_client(struct spf *s); /* the ptr mechanism's question */
void spf_take_names(struct spf *s);     /* STEP_PTR ended */
void spf_take_name(struct spf *s);      /* STEP_PTR_NAME ended */
