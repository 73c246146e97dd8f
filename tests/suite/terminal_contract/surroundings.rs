//! Every command in surroundings that it does not choose: another language, another time zone, no environment, a folder that
//! cannot be written, a disk that takes nothing more.

use std::sync::Mutex;

use super::calls::CALLS;
use super::{made, prepared};
#[cfg(unix)]
use crate::harness::files_below;
use crate::harness::{Maestro, Run};
use crate::sandbox::each;

/// The time that the tests have, as an argument: one that no variable is needed for.
const NOW: [&str; 2] = ["--now", "2026-01-05T09:00:00Z"];

/// What asks programs that the environment leads to, git of another version or cargo without a home: only their exit code is compared.
const ASKS_OTHERS: &[&[&str]] = &[&["doctor"], &["plan", "lint"]];

/// What makes up a port and a token, and says them on standard error: that is not compared.
const MAKES_UP: &[&[&str]] = &[&["gateway"], &["observe", "serve"]];

/// What a run said and answered, without the name of its folder, which is made up.
fn told(maestro: &Maestro, call: &[&str], run: Run) -> (i32, String, String) {
    let folder = maestro.path(".");
    let name = folder.file_name().unwrap().to_str().unwrap();
    let mut plain = [run.stdout, run.stderr].map(|text| text.replace(name, "folder"));
    if MAKES_UP.iter().any(|way| call.starts_with(way)) {
        plain[1].clear();
    }
    let [stdout, stderr] = plain;
    (run.code, stdout, stderr)
}

/// Whoever runs it twice, in Turkey, on the other side of the date line, with backtraces, or with nothing in the environment at all,
/// gets the same bytes.
#[test]
fn no_language_zone_or_environment_changes_a_byte() {
    // Made twice: making them may not differ either.
    let bare = prepared();
    let strange = made()
        .env("LANG", "tr_TR.UTF-8")
        .env("LC_ALL", "tr_TR.UTF-8")
        .env("TZ", "Pacific/Kiritimati")
        .env("RUST_BACKTRACE", "full")
        .env("RUST_LOG", "trace")
        .env("COLUMNS", "40");
    let wrong = Mutex::new(Vec::new());
    each(CALLS, |(call, code)| {
        let args = || call.iter().chain(&NOW);
        let there = strange.copy();
        let strange = told(&there, call, there.run(args()));
        let here = bare.copy();
        let mut command = here.command(args());
        command.env_clear();
        let bare = told(&here, call, Run::of(command));
        let asks_others = ASKS_OTHERS.iter().any(|way| call.starts_with(way));
        let is_same = strange.0 == *code && (strange == bare || (asks_others && bare.0 == *code));
        let has_trace = strange.2.contains("stack backtrace") || strange.2.contains(".rs:");
        if !is_same || has_trace {
            let told = format!("{call:?}, not {code}\n{bare:?}\n{strange:?}");
            wrong.lock().unwrap().push(told);
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a command may answer where it cannot write: what it always does, or that it cannot write, with a way out.
fn is_fair(run: &Run, code: i32) -> bool {
    let says_so = run.stderr.contains("error: ") && run.stderr.contains("hint: ");
    !run.stderr.contains("maestro has a bug") && (run.code == code || (run.code == 74 && says_so))
}

/// A folder that may not be written in. Root, whom a file's mode does not stop, goes there without what makes it so: it still owns everything and
/// reaches the binary wherever that lies, which another user might not.
#[cfg(unix)]
struct ReadOnly {
    maestro: Maestro,
    entrance: &'static str,
}

#[cfg(unix)]
impl ReadOnly {
    /// Nothing where root may not become like others, or could not reach the binary then.
    fn new(maestro: Maestro) -> Option<Self> {
        let does = |script: &str| Run::of(maestro.shell(script, &[])).code == 0;
        let like_others = "exec setpriv --inh-caps=-all --bounding-set=-all --";
        let entrance = if does("test \"$(id -u)\" != 0") {
            "exec"
        } else if does(&format!("{like_others} \"$0\" --version")) {
            like_others
        } else {
            return None;
        };
        let this = Self { maestro, entrance };
        this.sh("chmod -R a-w .");
        // What the test stands on.
        this.sh(&format!(
            "! ({entrance} sh -c ': >made') && {entrance} true"
        ));
        Some(this)
    }

    fn sh(&self, script: &str) {
        let _ = Run::of(self.maestro.shell(script, &[])).success();
    }

    fn run(&self, call: &[&str]) -> Run {
        let script = format!("{} \"$0\" \"$@\"", self.entrance);
        Run::of(self.maestro.shell(&script, call))
    }
}

#[cfg(unix)]
impl Drop for ReadOnly {
    fn drop(&mut self) {
        self.sh("chmod -R u+w .");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_no_obstacle_or_exit_74() {
    let Some(locked) = ReadOnly::new(prepared()) else {
        eprintln!("skipped: without its capabilities root cannot run the binary here");
        return;
    };
    let before = files_below(&locked.maestro.path("."));
    let wrong = Mutex::new(Vec::new());
    each(CALLS, |(call, code)| {
        let run = locked.run(call);
        if !is_fair(&run, *code) {
            let told = format!("{call:?} -> {}, not {code}\n{}", run.code, run.stderr);
            wrong.lock().unwrap().push(told);
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(before, files_below(&locked.maestro.path(".")));
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_nothing_more_is_no_obstacle_or_exit_74() {
    let prepared = prepared();
    let wrong = Mutex::new(Vec::new());
    each(CALLS, |(call, code)| {
        let maestro = prepared.copy();
        // No file may become longer than it is: what is written to it fails in the middle.
        let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
        let run = Run::of(maestro.shell(script, call));
        if !is_fair(&run, *code) {
            let told = format!("{call:?} -> {}, not {code}\n{}", run.code, run.stderr);
            wrong.lock().unwrap().push(told);
            return;
        }
        // Whatever it was, what was stored before is whole.
        let _ = maestro.run(["state", "verify"]).success();
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
