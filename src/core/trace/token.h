/* token.h: the words and comments of a trace field. */
#pragma once

#include "core/base/str.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,      /* up to a blank, "(", or a ";" at its end; [ ] and < > hold blanks together */
    TOKEN_COMMENT,   /* without its outer parentheses; comments in it are left as they are */
    TOKEN_SEMICOLON, /* the date follows */
};

struct token {
    enum token_kind kind;
    struct str text;
};

/* Takes the next off `*rest`. A comment without its end goes to the end of the field. */
struct token token_next(struct str *rest);

/* A word of a comment: up to a blank or comma. Empty: no more. */
struct str comment_word(struct str *rest);
