#include "cli/verify_tell.h"

#include "cli/print.h"
#include "control/answer.h"

#include <jansson.h>
#include <stdio.h>
#include <sysexits.h>

static void print_line(const char *method, const char *result, struct str who, struct str reason)
{
    (void)printf("%-9s %-9s ", method, result);
    print_text(stdout, who, false);
    (void)printf("%s", who.len > 0 ? ": " : "");
    print_text(stdout, reason, false);
    (void)printf("\n");
}

static void print_spf(const struct spf_verdict *one)
{
    const struct spf *spf = one->spf;
    print_line(str_eq(str_from_cstr(one->property), STR("smtp.helo")) ? "SPF helo" : "SPF",
               spf_result_name(spf->result), one->value, spf->reason);
    for (const struct dns_note *note = spf->notes.first; note; note = note->next) {
        (void)printf("%20s", "");
        print_text(stdout, note->what, false);
        (void)printf("\n");
    }
    if (spf->explanation.len > 0) {
        (void)printf("%20sthe domain explains: ", "");
        print_text(stdout, spf->explanation, false);
        (void)printf("\n");
    }
}

static void print_dkim(const struct dkim *dkim)
{
    size_t count = 0;
    for (size_t i = 0; i < dkim->count; i++) {
        const struct dkim_check *check = &dkim->checks[i];
        if (check->signature.kind == SIGNATURE_DKIM) {
            print_line("DKIM", dkim_result_name(check->result), check->signature.domain,
                       check->reason);
            count++;
        }
    }
    if (count == 0) {
        print_line("DKIM", "none", (struct str){0}, STR("there is no signature"));
    }
    if (dkim->left_out) {
        (void)printf("%20sthere are more signatures or fields than are looked at\n", "");
    }
}

static json_t *spf_facts(const struct spf_verdict *one)
{
    const struct spf *spf = one->spf;
    json_t *steps = json_array();
    for (const struct dns_note *note = spf->notes.first; note; note = note->next) {
        json_array_append_new(steps, answer_text(note->what));
    }
    json_t *facts = json_object();
    json_object_set_new(facts, "property", json_string(one->property));
    json_object_set_new(facts, "value", answer_text(one->value));
    json_object_set_new(facts, "domain", answer_text(spf->domain));
    json_object_set_new(facts, "result", json_string(spf_result_name(spf->result)));
    json_object_set_new(facts, "reason", answer_text(spf->reason));
    if (spf->explanation.len > 0) {
        json_object_set_new(facts, "explanation", answer_text(spf->explanation));
    }
    json_object_set_new(facts, "lookups", json_integer(spf->lookups));
    json_object_set_new(facts, "void_lookups", json_integer(spf->voids));
    json_object_set_new(facts, "steps", steps);
    return facts;
}

static json_t *dkim_facts(const struct dkim_check *check)
{
    const struct signature *s = &check->signature;
    json_t *facts = json_object();
    json_object_set_new(facts, "position", json_integer((json_int_t)check->position));
    json_object_set_new(facts, "domain", answer_text(s->domain));
    json_object_set_new(facts, "selector", answer_text(s->selector));
    json_object_set_new(facts, "identity", answer_text(s->identity));
    json_object_set_new(facts, "algorithm", json_string(signature_algorithm_name(s->algorithm)));
    json_object_set_new(facts, "result", json_string(dkim_result_name(check->result)));
    json_object_set_new(facts, "reason", answer_text(check->reason));
    json_object_set_new(facts, "testing", json_boolean(check->testing));
    return facts;
}

static json_t *arc_facts(const struct arc *arc)
{
    json_t *sets = json_array();
    for (size_t i = 0; i < arc->count; i++) {
        json_t *set = json_object();
        json_object_set_new(set, "instance", json_integer((json_int_t)i + 1));
        json_object_set_new(set, "domain", answer_text(arc->sets[i].domain));
        json_array_append_new(sets, set);
    }
    json_t *facts = json_object();
    json_object_set_new(facts, "result", json_string(arc_result_name(arc->result)));
    json_object_set_new(facts, "reason", answer_text(arc->reason));
    json_object_set_new(facts, "sets", sets);
    return facts;
}

static json_t *dmarc_facts(const struct dmarc *dmarc)
{
    json_t *facts = json_object();
    json_object_set_new(facts, "domain", answer_text(dmarc->request.from));
    json_object_set_new(facts, "result", json_string(dmarc_result_name(dmarc->result)));
    json_object_set_new(facts, "reason", answer_text(dmarc->reason));
    if (dmarc->domain.len > 0) {
        json_object_set_new(facts, "policy_domain", answer_text(dmarc->domain));
        json_object_set_new(facts, "policy", json_string(dmarc_policy_name(dmarc->policy)));
        json_object_set_new(facts, "percent", json_integer(dmarc->record.percent));
    }
    return facts;
}

/* All of it as the field that a server would write. */
static void write_field(struct buf *out, const struct verdicts *v)
{
    struct results r;
    results_begin(&r, out, v->server);
    for (size_t i = 0; i < v->spf_count; i++) {
        results_spf(&r, v->spf[i].spf, v->spf[i].property, v->spf[i].value);
    }
    for (size_t i = 0; i < v->dkim->count; i++) {
        if (v->dkim->checks[i].signature.kind == SIGNATURE_DKIM) {
            results_dkim(&r, &v->dkim->checks[i]);
        }
    }
    if (v->arc->result != ARC_NONE) {
        results_arc(&r, v->arc);
    }
    if (v->dmarc->result != DMARC_NONE) {
        results_dmarc(&r, v->dmarc);
    }
    results_end(&r);
}

static void tell_facts(const struct verdicts *v)
{
    json_t *spf = json_array();
    json_t *dkim = json_array();
    json_t *all = json_object();
    struct buf field = {0};
    for (size_t i = 0; i < v->spf_count; i++) {
        json_array_append_new(spf, spf_facts(&v->spf[i]));
    }
    for (size_t i = 0; i < v->dkim->count; i++) {
        if (v->dkim->checks[i].signature.kind == SIGNATURE_DKIM) {
            json_array_append_new(dkim, dkim_facts(&v->dkim->checks[i]));
        }
    }
    write_field(&field, v);
    json_object_set_new(all, "spf", spf);
    json_object_set_new(all, "dkim", dkim);
    json_object_set_new(all, "arc", arc_facts(v->arc));
    json_object_set_new(all, "dmarc", dmarc_facts(v->dmarc));
    json_object_set_new(all, "authentication_results", answer_text(buf_str(&field)));
    print_facts(all);
    json_decref(all);
    buf_done(&field);
}

static void tell_words(const struct verdicts *v)
{
    for (size_t i = 0; i < v->spf_count; i++) {
        print_spf(&v->spf[i]);
    }
    if (v->spf_count == 0) {
        print_line("SPF", "-", (struct str){0},
                   STR("not checked: that needs --ip, and --mail-from or --helo"));
    }
    print_dkim(v->dkim);
    print_line("ARC", arc_result_name(v->arc->result), (struct str){0}, v->arc->reason);
    print_line("DMARC", dmarc_result_name(v->dmarc->result), v->dmarc->request.from,
               v->dmarc->reason);
}

/* DMARC has the last word where a domain has a policy; otherwise anything that passes will do. */
static int code_of(const struct verdicts *v)
{
    bool pass = v->arc->result == ARC_PASS;
    bool temporary = v->arc->temporary || v->dmarc->result == DMARC_TEMPERROR;
    for (size_t i = 0; i < v->spf_count; i++) {
        pass = pass || v->spf[i].spf->result == SPF_PASS;
        temporary = temporary || v->spf[i].spf->result == SPF_TEMPERROR;
    }
    for (size_t i = 0; i < v->dkim->count; i++) {
        const struct dkim_check *check = &v->dkim->checks[i];
        bool counts = check->signature.kind == SIGNATURE_DKIM && !check->testing;
        pass = pass || (counts && check->result == DKIM_PASS);
        temporary = temporary || check->result == DKIM_TEMPERROR;
    }
    if (v->dmarc->result == DMARC_PASS || v->dmarc->result == DMARC_FAIL) {
        return v->dmarc->result == DMARC_PASS ? EX_OK : EX_NOPERM;
    }
    return pass ? EX_OK : temporary ? EX_TEMPFAIL : EX_NOPERM;
}

int verify_tell(const struct verdicts *v, bool json)
{
    if (json) {
        tell_facts(v);
    } else {
        tell_words(v);
    }
    return code_of(v);
}
