//! Kills a command at one of its requests to GitHub.

use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex};

use serde_json::json;

use crate::github::{Answer, Fake, Fault};
use crate::harness::Maestro;

/// Starts a command and kills it at a request: before it is done, or before its answer. Tells whether it came so far.
pub(crate) fn crash(
    maestro: &Maestro,
    fake: &Fake,
    args: &[&str],
    at: usize,
    is_done: bool,
) -> bool {
    let victim = Arc::new((Mutex::new(None::<u32>), Condvar::new()));
    let (shared, mut left) = (Arc::clone(&victim), Some(at));
    fake.faults(move |_| {
        match left {
            Some(0) => left = None,
            Some(more) => {
                left = Some(more - 1);
                return None;
            }
            None => return None,
        }
        let (pid, known) = &*shared;
        let pid = known
            .wait_while(pid.lock().unwrap(), |pid| pid.is_none())
            .unwrap()
            .unwrap();
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status();
        assert!(killed.unwrap().success());
        Some(if is_done {
            Fault::Reset
        } else {
            Fault::Instead(Answer::json(500, &json!({})))
        })
    });
    let mut command = maestro.command(args);
    command
        .env("GITHUB_API_URL", fake.api())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    *victim.0.lock().unwrap() = Some(child.id());
    victim.1.notify_all();
    let status = child.wait().unwrap();
    fake.mend();
    !status.success()
}
