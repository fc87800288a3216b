#include "stores/pam_child.h"

#include "core/base/str.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct asked {
    const char *service, *user, *password;
};

/* What PAM gets is its own to free; null where memory is short. */
static char *response_to(int style, const struct asked *asked)
{
    switch (style) {
    case PAM_PROMPT_ECHO_OFF:
        return strdup(asked->password);
    case PAM_PROMPT_ECHO_ON:
        return strdup(asked->user);
    default:
        return NULL;
    }
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
                    void *data)
{
    if (count <= 0 || count > PAM_MAX_NUM_MSG) {
        return PAM_CONV_ERR;
    }
    struct pam_response *all = calloc((size_t)count, sizeof *all);
    for (int i = 0; all && i < count; i++) {
        all[i].resp = response_to(messages[i]->msg_style, data);
    }
    *responses = all;
    return all ? PAM_SUCCESS : PAM_BUF_ERR;
}

/* Who fails waits already, by the server's own rule. */
static void no_delay(int status, unsigned microseconds, void *data)
{
    (void)status;
    (void)microseconds;
    (void)data;
}

static int start(const struct asked *asked, const struct pam_conv *conversation, pam_handle_t **pam)
{
    const char *slash = strrchr(asked->service, '/');
    if (!slash) {
        return pam_start(asked->service, asked->user, conversation, pam);
    }
    char *folder = strndup(asked->service, (size_t)(slash - asked->service));
    int result =
        folder ? pam_start_confdir(slash + 1, asked->user, conversation, folder, pam) : PAM_BUF_ERR;
    free(folder);
    return result;
}

static enum pam_verdict verdict_of(int result)
{
    switch (result) {
    case PAM_SUCCESS:
        return PAM_VERDICT_RIGHT;
    case PAM_AUTH_ERR:
    case PAM_USER_UNKNOWN:
    case PAM_MAXTRIES:
    case PAM_PERM_DENIED:
    case PAM_ACCT_EXPIRED:
    case PAM_NEW_AUTHTOK_REQD:
    case PAM_CRED_EXPIRED:
    case PAM_AUTHTOK_EXPIRED:
        return PAM_VERDICT_NO;
    default:
        return PAM_VERDICT_DOWN;
    }
}

static void ask(const struct asked *asked)
{
    struct pam_conv conversation = {.conv = converse, .appdata_ptr = (void *)(uintptr_t)asked};
    pam_handle_t *pam = NULL;
    int result = start(asked, &conversation, &pam);
    if (result == PAM_SUCCESS) {
        const void *delay = (const void *)(uintptr_t)no_delay;
        (void)pam_set_item(pam, PAM_FAIL_DELAY, delay);
        result = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    }
    if (result == PAM_SUCCESS) {
        result = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    }
    enum pam_verdict verdict = verdict_of(result);
    (void)printf("%c%s", verdict, verdict == PAM_VERDICT_DOWN ? pam_strerror(pam, result) : "");
    (void)fflush(stdout);
    if (pam) {
        (void)pam_end(pam, result);
    }
}

/* Null where no NUL ends it. */
static const char *next_word(const char **rest, const char *end)
{
    const char *word = *rest;
    const char *nul = memchr(word, '\0', (size_t)(end - word));
    if (!nul) {
        return NULL;
    }
    *rest = nul + 1;
    return word;
}

int pam_child_run(void)
{
    char bytes[PAM_QUESTION_MAX] = "";
    size_t len = 0;
    (void)close_range(STDERR_FILENO + 1, ~0U, 0); /* libraries may have left something open */
    for (ssize_t got; len < sizeof bytes; len += (size_t)got) {
        got = read(STDIN_FILENO, bytes + len, sizeof bytes - len);
        if (got <= 0) {
            break;
        }
    }
    const char *rest = bytes, *end = bytes + len;
    struct asked asked = {.service = next_word(&rest, end)};
    asked.user = next_word(&rest, end);
    asked.password = next_word(&rest, end);
    if (!asked.password || rest != end) {
        return EX_USAGE;
    }
    ask(&asked);
    explicit_bzero(bytes, sizeof bytes);
    return EX_OK;
}
