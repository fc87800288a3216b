#include "core/trace/rules.h"

/* The weights are of one scale: -100 alone is a forgery, -30 a suspicion, +30 agreement. What
 * honest servers, clocks and administrators get wrong now and then stays above -100 by itself. */
/* clang-format off */
const struct trace_rule rules[RULE_COUNT] = {
    [RULE_TRUSTED] = {"trusted", "The line was written by a host that is trusted.", 100, false, false},
    [RULE_BELOW_FORGED] = {"below-forged", "The line stands below one that is forged: whoever wrote that could write this too.", -100, false, false},

    [RULE_CONTINUITY] = {"continuity", "The line above received from somebody who is not the host that claims to have written this.", -100, false, false},
    [RULE_CONTINUITY_ORDER] = {"continuity-order", "The line that belongs here stands elsewhere in the header.", -100, false, false},
    [RULE_CONTINUITY_NAME] = {"continuity-name", "The host that wrote this is the one that the line above received from, by name.", 40, false, false},
    [RULE_CONTINUITY_ADDRESS] = {"continuity-address", "The host that wrote this has the address that the line above received from.", 40, true, true},
    [RULE_CONTINUITY_ORGANISATION] = {"continuity-organisation", "The host that wrote this and the one that the line above received from belong to one organisation.", 30, false, false},
    [RULE_CONTINUITY_LOCAL] = {"continuity-local", "The message was handed over inside one host or one private network.", 30, false, false},
    [RULE_CONTINUITY_HELO] = {"continuity-helo", "The line above received from a client that only called itself by the name of the host that wrote this.", 0, false, false},

    [RULE_ADDRESS_IMPOSSIBLE] = {"address-impossible", "No host can have this address.", -100, false, false},
    [RULE_ADDRESS_DOCUMENTATION] = {"address-documentation", "The address is set aside for examples; no host has it.", -100, false, false},
    [RULE_ADDRESS_PRIVATE] = {"address-private", "A host of another organisation cannot be reached from a private address.", -50, false, false},
    [RULE_RDNS_FORWARD] = {"rdns-forward", "The name by which the receiver knew the address does not have this address.", -60, true, true},
    [RULE_RDNS_CONFIRMED] = {"rdns-confirmed", "Name and address of the client confirm each other in the DNS.", 20, true, true},
    [RULE_RDNS_REVERSE] = {"rdns-reverse", "The address has another name than the one that the receiver is said to have found.", -40, true, true},
    [RULE_HELO_FORWARD] = {"helo-forward", "The name that the client called itself does not have the address recorded.", -15, true, true},
    [RULE_HELO_CONFIRMED] = {"helo-confirmed", "The name that the client called itself has the address recorded.", 10, true, true},

    [RULE_TIME_ORDER] = {"time-order", "The line is dated later than the one above it, or earlier than the one below.", -100, false, false},
    [RULE_TIME_FUTURE] = {"time-future", "The line is dated in the future.", -60, false, false},
    [RULE_TIME_ZONE] = {"time-zone", "There is no such time zone.", -100, false, false},
    [RULE_TIME_WEEKDAY] = {"time-weekday", "The day of the week is not that date's.", -100, false, false},
    [RULE_TIME_RANGE] = {"time-range", "There is no such day or hour.", -100, false, false},
    [RULE_TIME_MISSING] = {"time-missing", "The line has no date that makes sense.", -10, false, false},
    [RULE_TIME_DELAY] = {"time-delay", "The message lay here for longer than servers keep trying.", -15, false, false},
    [RULE_TIME_ID] = {"time-id", "The id holds the time at which it was made, and that is another than the line's date.", -60, false, false},
    [RULE_TIME_ID_CONFIRMED] = {"time-id-confirmed", "The id holds the time at which it was made, and that is the line's date.", 15, false, false},

    [RULE_ID_FORM] = {"id-form", "The software named never makes such ids.", -100, false, false},
    [RULE_WITH_FORM] = {"with-form", "The software named never writes the protocol like this.", -60, false, false},
    [RULE_CLAUSE_ORDER] = {"clause-order", "The software named writes its clauses in another order.", -60, false, false},
    [RULE_DATE_FORM] = {"date-form", "The software named never writes dates like this.", -60, false, false},
    [RULE_WITH_REGISTERED] = {"with-registered", "The protocol is not registered (RFC 3848), nor known to be written.", -10, false, false},
    [RULE_UNREADABLE] = {"unreadable", "The line says neither who received nor from whom.", -20, false, false},

    [RULE_SPF] = {"spf", "The sender's domain allows the address to send for it.", 20, true, true},
    [RULE_SPF_FAIL] = {"spf-fail", "The sender's domain forbids the address to send for it.", -20, true, true},
    [RULE_DKIM] = {"dkim", "A signature of the organisation that wrote this verifies.", 10, true, true},
    [RULE_ARC] = {"arc", "A chain of ARC seals that validates names the same client address.", 50, true, true},
    [RULE_RESULTS_ADDRESS] = {"results-address", "Results of tests, noted by the same receiver, name the same client address.", 20, false, false},
    [RULE_RESULTS_CONFLICT] = {"results-conflict", "Results of tests, noted by the same receiver, name another client address.", -70, false, false},
    [RULE_TLS_NAME] = {"tls-name", "The client proved the name of this line's host by a certificate.", 40, false, false},
    [RULE_ORIGINATING_IP] = {"originating-ip", "Another field names the same client address.", 10, false, false},

    [RULE_PLACEMENT] = {"placement", "The line stands below what the author's program wrote; servers write on top.", -40, false, false},
    [RULE_PLACEMENT_SET] = {"placement-set", "The line stands between fields that one server writes at once.", -30, false, false},
    [RULE_DUPLICATE] = {"duplicate", "The same line stands above once more.", -60, false, false},
    [RULE_BODY] = {"body", "The body begins with Received lines, as if the header had been cut in two.", -20, false, false},
};
/* clang-format on */

const struct trace_rule *trace_rules(size_t *count)
{
    *count = RULE_COUNT;
    return rules;
}
