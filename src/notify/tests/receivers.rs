//! What receivers get of a notice.

use proptest::prelude::*;
use serde_json::Value;

use super::{ALL, NOW, at};
use crate::config::notify::ReceiverWord;
use crate::notify::letters::{Sheet, letters};
use crate::notify::*;

fn sheet() -> Sheet<'static> {
    Sheet {
        repository: "acme/shop",
        at: at(NOW),
        is_test: false,
    }
}

fn notice(title: &str, lines: &[&str]) -> Notice {
    let redact = |text: &str| {
        text.contains("hunter2")
            .then(|| text.replace("hunter2", "[redacted]"))
    };
    let item = |line: &&str| Item {
        key: "outage/k".into(),
        line: (*line).to_owned(),
    };
    let news = News {
        event: NotifyEvent::Outage,
        title: Title::Fixed(title.to_owned()),
        items: lines.iter().map(item).collect(),
        link: Some("https://github.com/a/b?x=1&y=2".into()),
        ladder: None,
    };
    choose(&[news], &ALL, &BTreeSet::new(), &BTreeMap::new(), &redact)
        .notices
        .remove(0)
}

const HOSTILE: &str =
    "<!channel> <https://evil.example|ok> & @here \u{202e}x\n# head [a](http://b) **b** hunter2";

#[test]
fn slack_gets_blocks_in_which_nobody_is_called() {
    let body = slack::body(&[notice("Tests & <b>", &[HOSTILE])], sheet());
    let value: Value = serde_json::from_str(&body).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap(), @r#"
    {
      "blocks": [
        {
          "text": {
            "emoji": false,
            "text": "Tests ＆ ‹b›",
            "type": "plain_text"
          },
          "type": "header"
        },
        {
          "text": {
            "text": "• &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; @here \\u{202e}x # head [a](http://b) **b** [redacted]",
            "type": "mrkdwn",
            "verbatim": true
          },
          "type": "section"
        },
        {
          "elements": [
            {
              "text": "outage · acme/shop · <https://github.com/a/b?x=1&amp;y=2|Open>",
              "type": "mrkdwn",
              "verbatim": true
            }
          ],
          "type": "context"
        }
      ],
      "text": "acme/shop: Tests &amp; &lt;b&gt;",
      "unfurl_links": false,
      "unfurl_media": false
    }
    "#);
}

#[test]
fn teams_gets_a_card_whose_texts_read_no_markdown() {
    let body = teams::body(&[notice("Tests", &[HOSTILE])], sheet());
    let value: Value = serde_json::from_str(&body).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap(), @r#"
    {
      "attachments": [
        {
          "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "body": [
              {
                "items": [
                  {
                    "inlines": [
                      {
                        "size": "Medium",
                        "text": "Tests",
                        "type": "TextRun",
                        "weight": "Bolder"
                      }
                    ],
                    "type": "RichTextBlock"
                  },
                  {
                    "inlines": [
                      {
                        "text": "• <!channel> <https://evil.example|ok> & @here \\u{202e}x # head [a](http://b) **b** [redacted]",
                        "type": "TextRun"
                      }
                    ],
                    "type": "RichTextBlock"
                  },
                  {
                    "inlines": [
                      {
                        "isSubtle": true,
                        "size": "Small",
                        "text": "outage · acme/shop",
                        "type": "TextRun"
                      }
                    ],
                    "type": "RichTextBlock"
                  },
                  {
                    "actions": [
                      {
                        "title": "Open",
                        "type": "Action.OpenUrl",
                        "url": "https://github.com/a/b?x=1&y=2"
                      }
                    ],
                    "type": "ActionSet"
                  }
                ],
                "separator": false,
                "type": "Container"
              }
            ],
            "msteams": {
              "width": "Full"
            },
            "type": "AdaptiveCard",
            "version": "1.4"
          },
          "contentType": "application/vnd.microsoft.card.adaptive",
          "contentUrl": null
        }
      ],
      "type": "message"
    }
    "#);
}

#[test]
fn a_program_gets_what_standard_webhooks_signs() {
    // The example of the specification's reference libraries.
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let letters = letters(
        ReceiverWord::Webhook,
        &[notice("Tests", &["a"])],
        sheet(),
        Some(secret),
    );
    let letter = &letters[0];
    let header = |name: &str| {
        &letter
            .headers
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap()
            .1
    };
    insta::assert_snapshot!(letter.body, @r#"{"schema":"maestro.notification/v1","type":"outage","timestamp":"2026-11-26T12:00:00Z","id":"msg_17d8279e63aae3d20390fe3d16e02078","repository":"acme/shop","title":"Tests","lines":["a"],"link":"https://github.com/a/b?x=1&y=2","keys":["outage/k"]}"#);
    assert_eq!(header("webhook-timestamp"), "1795694400");
    assert!(letter.body.contains(header("webhook-id")));
    let signed = format!(
        "{}.{}.{}",
        header("webhook-id"),
        header("webhook-timestamp"),
        letter.body
    );
    // By the definition of HMAC (RFC 2104), with another implementation of SHA-256.
    let mut block = [0_u8; 64];
    let bytes = webhook::key(secret).unwrap();
    block[..bytes.len()].copy_from_slice(&bytes);
    let pad = |byte: u8| block.map(|own| own ^ byte).to_vec();
    let inner = Sha::of(&[pad(0x36), signed.into_bytes()].concat());
    let outer = Sha::of(&[pad(0x5c), inner.0.to_vec()].concat());
    let wanted = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, outer.0);
    assert_eq!(header("webhook-signature"), &format!("v1,{wanted}"));
}

#[test]
fn the_same_news_has_the_same_id_and_a_sample_a_new_one() {
    let notice = notice("Tests", &["a"]);
    let id = |sheet: Sheet<'_>| {
        let letters = letters(
            ReceiverWord::Webhook,
            std::slice::from_ref(&notice),
            sheet,
            None,
        );
        assert_eq!(
            letters[0].headers.len(),
            2,
            "without a secret nothing is signed"
        );
        letters[0].headers[0].1.clone()
    };
    let later = Sheet {
        at: at("2026-11-27T00:00:00Z"),
        ..sheet()
    };
    assert_eq!(id(sheet()), id(later));
    let test = |at: Sheet<'static>| Sheet {
        is_test: true,
        ..at
    };
    assert_ne!(id(test(sheet())), id(test(later)));
}

#[test]
fn a_secret_is_as_long_as_the_specification_wants() {
    assert_eq!(
        webhook::key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .unwrap()
            .len(),
        24
    );
    assert_eq!(webhook::key(&"x".repeat(24)).unwrap().len(), 24);
    assert!(webhook::key("short").is_err());
    assert!(webhook::key("whsec_*").is_err());
    assert!(webhook::key(&"x".repeat(65)).is_err());
}

#[test]
fn letters_hold_as_much_as_a_receiver_takes() {
    let long = "\u{20ac}".repeat(300);
    let notices: Vec<Notice> = (0..20)
        .map(|_| notice("Tests", &[long.as_str(); 14]))
        .collect();
    for (to, most) in [(ReceiverWord::Slack, 12_000), (ReceiverWord::Teams, 24_000)] {
        let letters = letters(to, &notices, sheet(), None);
        assert!(letters.iter().all(|letter| letter.body.len() <= most));
        let held: usize = letters.iter().map(|letter| letter.holds.len()).sum();
        assert_eq!(held, 20);
    }
    let short: Vec<Notice> = (0..20).map(|_| notice("Tests", &["a"])).collect();
    assert_eq!(letters(ReceiverWord::Slack, &short, sheet(), None).len(), 2);
    assert_eq!(
        letters(ReceiverWord::Webhook, &short, sheet(), None).len(),
        20
    );
}

#[test]
fn only_addresses_of_the_web_become_links() {
    for bad in [
        "http://a",
        "javascript:x",
        "https://a|b",
        "https://a>b",
        "https://",
        "https://a b",
        "https://\u{e4}",
    ] {
        assert!(!is_address(bad), "{bad}");
    }
    assert!(is_address("https://github.com/a/b/pull/7"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_text_calls_anybody_or_breaks_a_limit(texts in proptest::collection::vec("(\\PC|[<>&!@#|`*\n\r\u{202e}\"\\\\]){0,400}", 1..14)) {
        let lines: Vec<&str> = texts.iter().map(String::as_str).collect();
        let notice = notice(lines[0], &lines);
        let slack: Value = serde_json::from_str(&slack::body(std::slice::from_ref(&notice), sheet())).unwrap();
        for block in slack["blocks"].as_array().unwrap() {
            let text = block["text"]["text"].as_str().unwrap_or_default();
            let most = if block["type"] == "header" { 150 } else { 3_000 };
            prop_assert!(text.chars().count() <= most);
            let has_control = text.contains(['<', '>', '\u{202e}', '\r']);
            prop_assert!(!has_control, "{}", text);
        }
        let teams = teams::body(&[notice], sheet());
        prop_assert!(teams.len() < 28_000);
        let has_unseen = teams.contains('\u{202e}');
        prop_assert!(!has_unseen);
    }
}
