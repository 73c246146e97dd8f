//! Changes that `actor` is about, and such that it leaves alone.

use crate::policy::Weight;
use crate::policy::rules::tests::{Case, check_settings, check_weights};

fn by(author: &str, association: &str) -> Case {
    Case::default().asked(|asked| {
        asked.number = Some(1);
        asked.author = Some(author.to_owned());
        asked.association = Some(association.to_owned());
    })
}

#[test]
fn associations_and_accounts_count() {
    let rule = "{rule: actor, associations: [OWNER, MEMBER], allow: ['bot[bot]'], deny: [mallory]}";
    check_weights(rule, by("ada", "MEMBER"), &[]);
    check_weights(rule, by("eve", "NONE"), &[("eve, NONE", None)]);
    check_weights(rule, by("Bot[bot]", "NONE"), &[]);
    check_weights(rule, by("Mallory", "OWNER"), &[("Mallory", None)]);
    check_weights(
        rule,
        by("ada", "MEMBER").asked(|asked| asked.actor = Some("mallory".to_owned())),
        &[("mallory", None)],
    );
}

#[test]
fn bots_and_changing_hands_can_be_refused() {
    let rule = "{rule: actor, bots: deny, same: true}";
    check_weights(
        rule,
        by("x[bot]", "NONE").asked(|asked| asked.is_bot = true),
        &[("x[bot]", None)],
    );
    check_weights(
        rule,
        by("ada", "NONE").asked(|asked| asked.triggering_actor = Some("eve".into())),
        &[("ada, then eve", None)],
    );
    check_weights(
        rule,
        by("ada", "NONE").asked(|asked| asked.actor = Some("ADA".into())),
        &[],
    );
}

#[test]
fn what_nobody_said_is_a_breach_where_there_is_a_pull_request() {
    let rule = "{rule: actor, bots: deny}";
    check_weights(rule, Case::default(), &[("no author", Some(Weight::Warn))]);
    check_weights(
        rule,
        Case::default().asked(|asked| asked.number = Some(1)),
        &[("no author", None)],
    );
    let rule = "{rule: actor, associations: [OWNER]}";
    let case = Case::default().asked(|asked| asked.author = Some("ada".into()));
    check_weights(rule, case, &[("ada, association unknown", None)]);
}

#[test]
fn each_setting_alone_asks_for_something() {
    for setting in [
        "associations: [OWNER]",
        "deny: [mallory]",
        "bots: deny",
        "same: true",
    ] {
        check_settings("actor", setting, None);
    }
    let nothing = "it asks for nothing: set `associations`, `deny`, `bots` or `same`";
    check_settings("actor", "allow: [ada]", Some(nothing));
    check_settings("actor", "bots: allow, same: false", Some(nothing));
}
