/* story_text.h: a message's story in plain words, a line an event, for people. */
#pragma once

#include "path/queue/story.h"

/* Appends the story as it stands at `now`: lines of text ended by LF, in UTF-8. */
void story_render(struct buf *out, const struct story *story, struct instant now);

/* "2026-11-24 10:00:01 UTC" */
void story_time(struct buf *out, struct instant t);
/* "4 days 2 h", "12 min", "30 s": the two largest units. */
void story_span(struct buf *out, struct span d);
