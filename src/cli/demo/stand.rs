//! A server on this machine that stands for one that the demo must not ask: it gives every request the same answer, and remembers what it was told.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Demo;
use super::children::{command_line, missing};
use crate::error::CommandError;
use crate::ports::Finished;
use crate::ports::relay::{Decision, Desk, Head, Reply, Serving};

/// Nobody sends or gets more.
const LONGEST: usize = 1024 * 1024;

/// How long requests may take that are under way when it ends.
const GRACE: Duration = Duration::from_secs(2);

/// The server.
struct Stand {
    answer: Vec<u8>,
    heard: Mutex<Heard>,
}

/// What a request told it: its headers and its body.
pub(super) type Heard = Vec<(HeaderMap, Vec<u8>)>;

impl Stand {
    fn reply(&self, status: StatusCode) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Reply {
            status,
            headers,
            body: self.answer.clone(),
        }
    }
}

impl Desk for Stand {
    fn greet(&self, _head: &Head) -> Result<(), Box<Reply>> {
        Ok(())
    }

    fn decide(&self, head: Head, body: Vec<u8>) -> Decision {
        let mut all = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((head.headers, body));
        Decision::Answer(self.reply(StatusCode::OK))
    }

    fn unread(&self, _head: &Head, _is_too_long: bool) -> Reply {
        self.reply(StatusCode::BAD_REQUEST)
    }

    fn close(&self) {}
}

impl Demo<'_, '_> {
    /// Runs maestro beside a server that answers so, whose address is in the variable; returns what the server heard. The server ends with the command.
    pub(super) fn show_beside(
        &mut self,
        args: &[&str],
        (answer, variable): (Vec<u8>, &'static str),
        code: i32,
        words: &[&str],
    ) -> Result<Heard, CommandError> {
        let stand = Arc::new(Stand {
            answer,
            heard: Mutex::default(),
        });
        let until = Arc::new(AtomicBool::new(false));
        let serving = Serving {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            idle: None,
            until: Some(Arc::clone(&until)),
            longest_request: LONGEST,
            longest_answer: LONGEST,
            grace: GRACE,
        };
        let desk: Arc<dyn Desk> = stand.clone();
        let world = self.session.world;
        let mut call = self.maestro_call(args);
        let done: std::io::Result<Finished> = std::thread::scope(|scope| {
            let (begun, port) = channel();
            scope.spawn(|| {
                let begun = begun;
                let mut ready = |port: u16| {
                    // Whoever waits for it is there until it comes.
                    let _heard = begun.send(port);
                    Ok(None)
                };
                // Without it nobody hears a port, which is said below.
                let _ended = world.relay.serve(&serving, desk, &mut ready);
            });
            let Ok(port) = port.recv() else {
                return Err(std::io::Error::other(
                    "no port of this machine can be listened on",
                ));
            };
            let address = format!("http://127.0.0.1:{port}");
            call.env.push((variable.to_owned(), Some(address.into())));
            let done = world.processes.run(&call);
            until.store(true, Ordering::SeqCst);
            done
        });
        let done = done.map_err(|error| missing("maestro", error))?;
        let shown = command_line("maestro", args);
        self.tell_command(&shown);
        self.tell_output(&done, words);
        if done.code != Some(0) {
            let code = done.code.unwrap_or(-1);
            self.tell(&format!("exit code {code}"));
        }
        self.note(shown, &done, Some(code))?;
        let mut heard = stand.heard.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *heard))
    }
}
