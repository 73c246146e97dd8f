//! Asking a model that answers as it is told, with money that is counted, on a clock of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::conduct::cassettes::{Player, Recorder};
use crate::ports::World;
use crate::ports::model::Take;

/// What is answered to an attempt.
#[derive(Clone)]
enum Line {
    Says(u16, &'static [(&'static str, &'static str)], String),
    Breaks(u16, String),
    Refuses,
    Unusable,
}

struct Script {
    lines: Mutex<VecDeque<Line>>,
    /// How long each call was given.
    given: Mutex<Vec<Duration>>,
}

impl Script {
    fn new(lines: &[Line]) -> Self {
        Self {
            lines: Mutex::new(lines.iter().cloned().collect()),
            given: Mutex::new(Vec::new()),
        }
    }
}

impl Model for Script {
    fn post(&self, post: &Post<'_>, take: Take<'_>) -> Result<(), Silence> {
        assert!(!post.body.contains(KEY) && !post.url.contains(KEY));
        self.given.lock().unwrap().push(post.patience.total);
        let line = self
            .lines
            .lock()
            .unwrap()
            .pop_front()
            .expect("nobody is asked so often");
        let mut say = |status, headers: &[(&str, &str)], body: &str| {
            let mut headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            headers.push(("set-cookie".into(), KEY.into()));
            if take(Piece::Head { status, headers }) == Wish::More {
                for piece in body.as_bytes().chunks(7) {
                    if take(Piece::Bytes(piece)) != Wish::More {
                        break;
                    }
                }
            }
        };
        match line {
            Line::Says(status, headers, body) => say(status, headers, &body),
            Line::Breaks(status, body) => {
                say(status, &[("content-type", "text/event-stream")], &body);
                return Err(Silence::Unknown("reset".into()));
            }
            Line::Refuses => return Err(Silence::NotSent("refused".into())),
            Line::Unusable => return Err(Silence::Unusable("no certificates".into())),
        }
        Ok(())
    }
}

/// A clock that only goes on when somebody sleeps.
#[derive(Default, Clone)]
struct Slept(Arc<Mutex<Vec<Duration>>>);

impl Clock for Slept {
    fn now(&self) -> Timestamp {
        let slept: Duration = self.0.lock().unwrap().iter().sum();
        let begin: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        begin.saturating_add(slept).unwrap()
    }

    fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }

    fn dice(&self) -> u64 {
        0
    }

    fn shared(&self) -> Arc<dyn Clock> {
        Arc::new(self.clone())
    }
}

/// Money that writes down what becomes of it.
#[derive(Default)]
struct Counted {
    told: Vec<String>,
    room: Option<usize>,
}

impl Till for Counted {
    type Ticket = usize;
    type Problem = &'static str;

    fn reserve(&mut self) -> Result<usize, &'static str> {
        let number = self
            .told
            .iter()
            .filter(|words| words.as_str() == "reserve")
            .count();
        if self.room.is_some_and(|room| number >= room) {
            return Err("no room");
        }
        self.told.push("reserve".into());
        Ok(number)
    }

    fn settle(&mut self, _ticket: usize, answer: &Answer) -> Result<(), &'static str> {
        self.told.push(format!(
            "settle {}",
            answer.for_billing()["usage"]["completion_tokens"]
        ));
        Ok(())
    }

    fn unknown(&mut self, _ticket: usize, _why: &str) -> Result<(), &'static str> {
        self.told.push("unknown".into());
        Ok(())
    }

    fn release(&mut self, _ticket: usize) -> Result<(), &'static str> {
        self.told.push("release".into());
        Ok(())
    }
}

const KEY: &str = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789";

const JSON: &[(&str, &str)] = &[
    ("content-type", "application/json"),
    ("x-request-id", "req_1"),
];
const EVENTS: &[(&str, &str)] = &[("content-type", "text/event-stream; charset=utf-8")];

fn answer() -> String {
    json!({"model": "m", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}).to_string()
}

fn stream(is_whole: bool) -> String {
    let chunk = json!({"model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 3}});
    let end = if is_whole { "data: [DONE]\n\n" } else { "" };
    format!("data: {chunk}\n\n{end}")
}

fn says(status: u16, body: &str) -> Line {
    Line::Says(status, JSON, body.to_owned())
}

fn asking<R>(act: impl FnOnce(&Asking<'_>) -> R) -> R {
    let endpoint = Endpoint::new(Protocol::Chat, None, Some("http://localhost:1"), false).unwrap();
    let redactor = Redactor::new(&[("API_KEY".to_owned(), KEY.to_owned())]);
    let key = Secret::new(KEY);
    let seconds = Duration::from_secs;
    act(&Asking {
        endpoint: &endpoint,
        key: Some(&key),
        body: "{\"model\":\"m\"}",
        is_streamed: false,
        patience: Patience {
            connect: seconds(1),
            first_byte: seconds(1),
            between: seconds(1),
            total: seconds(60),
        },
        most_attempts: 4,
        waits: true,
        redactor: &redactor,
    })
}

#[track_caller]
fn check(
    lines: &[Line],
    room: Option<usize>,
    told: &[&str],
) -> Result<Asked, NoAnswer<&'static str>> {
    let script = Script::new(lines);
    let mut till = Counted {
        room,
        ..Counted::default()
    };
    let asked = asking(|asking| ask(&script, &Slept::default(), asking, &mut till));
    assert_eq!(till.told, told);
    assert!(script.lines.lock().unwrap().is_empty());
    asked
}

#[test]
fn each_attempt_is_put_aside_before_and_ends_once() {
    let asked = check(&[says(200, &answer())], None, &["reserve", "settle 2"]).unwrap();
    assert_eq!(
        (asked.attempts, asked.request_id.as_deref()),
        (1, Some("req_1"))
    );
    let lines = [
        says(429, "{\"error\": {\"message\": \"slow\"}}"),
        Line::Refuses,
        Line::Says(200, EVENTS, stream(false)),
        Line::Says(200, EVENTS, stream(true)),
    ];
    let told = [
        "reserve", "release", "reserve", "release", "reserve", "unknown", "reserve", "settle 3",
    ];
    let asked = check(&lines, None, &told).unwrap();
    assert_eq!(asked.failed.len(), 3);
}

#[test]
fn what_is_lost_is_charged_and_what_was_whole_before_is_not_lost() {
    let lines = [
        Line::Breaks(200, stream(false)),
        Line::Breaks(200, stream(true)),
    ];
    check(&lines, None, &["reserve", "unknown", "reserve", "settle 3"]).unwrap();
    let lines = [
        says(500, ""),
        says(200, "{\"choices\""),
        says(504, ""),
        says(502, "<html>"),
    ];
    let told = [
        "reserve", "unknown", "reserve", "unknown", "reserve", "unknown", "reserve", "unknown",
    ];
    let error = check(&lines, None, &told).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the provider answered 502: <html>, at the last of 4 attempts"
    );
}

#[test]
fn without_money_nothing_more_is_sent() {
    let error = check(&[], Some(0), &[]).unwrap_err();
    assert!(matches!(error, NoAnswer::Money("no room")));
    let error = check(&[says(500, "")], Some(1), &["reserve", "unknown"]).unwrap_err();
    assert!(matches!(error, NoAnswer::Money("no room")));
}

#[test]
fn what_lasts_is_not_asked_again() {
    for (status, said) in [(400, "bad"), (401, "no"), (302, "there")] {
        let body = json!({"error": {"type": "x", "message": format!("{said} {KEY}")}}).to_string();
        let told: &[&str] = if status == 302 {
            &["reserve", "unknown"]
        } else {
            &["reserve", "release"]
        };
        let error = check(&[says(status, &body)], None, told).unwrap_err();
        assert!(matches!(&error, NoAnswer::Refused { status: found, .. } if *found == status));
        assert_eq!(
            error.to_string(),
            format!("the provider answered {status}: {said} [redacted:variable]")
        );
    }
    let error = check(&[Line::Unusable], None, &["reserve", "release"]).unwrap_err();
    assert!(matches!(error, NoAnswer::Unusable(_)));
}

#[test]
fn the_deadline_is_for_all_attempts_together() {
    let clock = Slept::default();
    let slow: &[(&str, &str)] = &[("retry-after", "40")];
    let script = Script::new(&[
        Line::Says(429, slow, String::new()),
        Line::Says(429, slow, String::new()),
    ]);
    let error = asking(|asking| ask(&script, &clock, asking, &mut Counted::default())).unwrap_err();
    assert!(matches!(error, NoAnswer::TooLate { .. }), "{error}");
    assert_eq!(*clock.0.lock().unwrap(), [Duration::from_secs(40)]);
    let given = script.given.lock().unwrap();
    assert_eq!(*given, [Duration::from_mins(1), Duration::from_secs(20)]);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "looks for the key in all that was written"
)]
fn what_is_recorded_is_played_again_without_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let files = World::disk();
    let lines = [
        says(429, &format!("{{\"error\": {{\"message\": \"{KEY}\"}}}}")),
        Line::Refuses,
        Line::Breaks(200, stream(false)),
        Line::Says(200, EVENTS, stream(true)),
    ];
    let script = Script::new(&lines);
    let first = asking(|asking| {
        let recorder =
            Recorder::new(&script, files.as_ref(), folder.path(), asking.redactor).unwrap();
        let asked = ask(
            &recorder,
            &Slept::default(),
            asking,
            &mut Counted::default(),
        );
        assert!(recorder.problem().is_none());
        asked.unwrap()
    });
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains(KEY), "{text}");
    }
    let player = Player::new(files.as_ref(), folder.path());
    let again =
        || asking(|asking| ask(&player, &Slept::default(), asking, &mut Counted::default()));
    let second = again().unwrap();
    assert_eq!(
        (first.answer, first.attempts),
        (second.answer, second.attempts)
    );
    let error = again().unwrap_err().to_string();
    assert!(error.contains("only 4 exchanges"), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let player = Player::new(files.as_ref(), empty.path());
    let error = asking(|asking| ask(&player, &Slept::default(), asking, &mut Counted::default()))
        .unwrap_err();
    assert!(
        error.to_string().contains("no exchange with this request"),
        "{error}"
    );
}
