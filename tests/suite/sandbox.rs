//! Programs that misbehave, each loose (the breach must be seen, or the case is none) and shut in (it must not), and programs that
//! behave, which must not notice.

#![cfg(target_os = "linux")]

mod cases;
pub(crate) mod house;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{BINARY, assert_published};
use cases::{BENIGN, CASES, Case, FILES, KEEPER, LISTENING, OTHERS, SCRUB, SIGNALS, VIEW, Where};
use house::{House, Mode, eventually, program, small_limits, template};

const ME: Mode = Mode {
    is_nobody: false,
    pretend: None,
};

/// Landlock as it was before it knew signals, and no namespaces.
const OLDER: Mode = Mode {
    is_nobody: false,
    pretend: Some(5),
};

/// What houses are built from, and a binary that everybody may start.
struct Site {
    template: TempDir,
    binary: PathBuf,
    _folder: TempDir,
    /// Whether this is root with all that root may.
    is_root: bool,
    holds: BTreeMap<String, bool>,
}

/// Prepares everything, or says that this machine cannot shut programs in.
fn site() -> Option<Site> {
    let ran = Command::new(BINARY)
        .args(["__confine", "probe"])
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let can = program("python3").arg("--version").output().is_ok();
    if !ran.status.success() || !can {
        assert!(
            std::env::var_os("MAESTRO_REQUIRE").is_none(),
            "MAESTRO_REQUIRE is set: {answer}, python3: {can}"
        );
        eprintln!("skipped: {answer}, python3: {can}");
        return None;
    }
    let holds = answer["properties"].as_array().unwrap().iter();
    let holds: BTreeMap<String, bool> = holds
        .map(|one| {
            (
                one["name"].as_str().unwrap().to_owned(),
                one["holds"].as_bool().unwrap(),
            )
        })
        .collect();
    for (name, holds) in &holds {
        if !holds {
            eprintln!("this kernel lacks: {name}");
        }
    }
    let folder = tempfile::Builder::new()
        .prefix("maestro-site-")
        .tempdir()
        .unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = folder.path().join("maestro");
    if fs::hard_link(BINARY, &binary).is_err() {
        fs::copy(BINARY, &binary).unwrap();
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let capabilities = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .unwrap();
    let capabilities = u64::from_str_radix(capabilities.trim(), 16).unwrap();
    Some(Site {
        template: template(),
        binary,
        _folder: folder,
        is_root: capabilities >> 21 & 1 == 1,
        holds,
    })
}

impl Site {
    fn house(&self, mode: Mode) -> House {
        House::new(self.template.path(), &self.binary, mode, false)
    }

    fn holds(&self, part: &str) -> bool {
        self.holds
            .iter()
            .any(|(name, holds)| name.contains(part) && *holds)
    }

    /// Returns somebody else than root, where one can be had.
    fn nobody(&self) -> Option<Mode> {
        let can = self.is_root && Command::new("setpriv").arg("--version").output().is_ok();
        if !can {
            eprintln!("skipped: somebody else than root");
        }
        can.then_some(Mode {
            is_nobody: true,
            pretend: None,
        })
    }
}

/// Returns a port that nobody listens at, and that nobody is given who asks for any: whoever calls there must not disturb others.
fn quiet_port() -> std::net::SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 5000).unwrap();
    loop {
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let port = 20_000 + (begin + number) % 10_000;
        if let Ok(free) = TcpListener::bind(("127.0.0.1", port)) {
            return free.local_addr().unwrap();
        }
    }
}

/// Does something with every value, several at a time.
pub(crate) fn each<T: Sync>(values: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(value) = values.get(next.fetch_add(1, Ordering::SeqCst)) {
                    work(value);
                }
            });
        }
    });
}

/// Returns the breaches of cases in a mode.
fn breaches(site: &Site, mode: Mode) -> Vec<String> {
    let found = Mutex::new(Vec::new());
    each(CASES, |case| {
        if case.stops == SIGNALS && (mode.pretend.is_some() || !site.holds("signalled")) {
            return;
        }
        // An older kernel changes nothing for these.
        if mode.pretend.is_some() && [FILES, OTHERS, SCRUB].contains(&case.stops) {
            return;
        }
        if case.stops == VIEW && (mode.pretend.is_some() || !site.holds("permission bits")) {
            return;
        }
        let mut house = site.house(mode);
        let (mut caught, answer) = house.confined(case.script);
        let later = match case.stops {
            KEEPER => 1800,
            SIGNALS => 300,
            _ => 0,
        };
        if later > 0 {
            std::thread::sleep(Duration::from_millis(later));
            caught.extend(house.caught(""));
        }
        if !caught.is_empty() {
            found
                .lock()
                .unwrap()
                .push(format!("{}: {caught:?} {answer}", case.name));
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn every_case_breaches_where_nothing_shuts_it_in() {
    let Some(site) = site() else { return };
    let caught = Mutex::new(BTreeMap::new());
    each(CASES, |case: &Case| {
        if case.place == Where::AsRoot && !site.is_root {
            return;
        }
        let is_alone = case.name == "signal-to-all";
        let mut house = House::new(site.template.path(), &site.binary, ME, is_alone);
        let found = house.loose(case.script);
        caught
            .lock()
            .unwrap()
            .insert(case.name, (case.place, found));
    });
    let caught = caught.into_inner().unwrap();
    let harmless: Vec<_> = caught
        .iter()
        .filter(|(_, (place, found))| *place != Where::Somewhere && found.is_empty())
        .map(|(name, _)| name)
        .collect();
    assert!(harmless.is_empty(), "these are no cases: {harmless:?}");
    let real = caught
        .values()
        .filter(|(_, found)| !found.is_empty())
        .count();
    let none = caught.iter().filter(|(_, (_, found))| found.is_empty());
    let none: Vec<_> = none.map(|(name, _)| name).collect();
    eprintln!(
        "{real} of {} cases breach, {none:?} do not here",
        caught.len()
    );
    assert!(real >= 45, "{real} cases are real");
}

#[test]
fn no_case_breaches_where_it_is_shut_in() {
    let Some(site) = site() else { return };
    let modes = [Some(ME), site.nobody(), Some(OLDER)];
    for mode in modes.into_iter().flatten() {
        let breaches = breaches(&site, mode);
        assert!(breaches.is_empty(), "{mode:?}: {breaches:#?}");
    }
}

#[test]
fn what_behaves_does_not_notice() {
    let Some(site) = site() else { return };
    let modes = [Some(ME), site.nobody(), Some(OLDER)];
    for mode in modes.into_iter().flatten() {
        let blocked = Mutex::new(Vec::new());
        each(BENIGN, |(name, script)| {
            // A toolchain in root's home is not somebody else's.
            if *name == "rust" && mode.is_nobody {
                return;
            }
            let house = site.house(mode);
            let script = format!("set -e\n{script}");
            let answer = house.run(&script, &|_| {});
            if answer["how"] != json!({ "exited": 0 }) {
                blocked.lock().unwrap().push(format!("{name}: {answer}"));
            }
        });
        let blocked = blocked.into_inner().unwrap();
        assert!(blocked.is_empty(), "{mode:?}: {blocked:#?}");
    }
    if site.holds("loopback") {
        let answer = site.house(ME).run(LISTENING, &|_| {});
        assert_eq!(answer["how"], json!({ "exited": 0 }), "{answer}");
    }
}

#[test]
fn a_limit_is_named() {
    let Some(site) = site() else { return };
    let named = [
        ("sleep 6", "time"),
        ("while :; do :; done", "cpu"),
        ("head -c 67108864 /dev/zero > big", "file-size"),
        ("for n in $(seq 200); do sleep 10 & done; wait", "processes"),
        (
            "#py\nimport os, time\nfor n in range(5):\n  if os.fork() == 0: x = b'x' * (80 << 20); time.sleep(10); os._exit(0)\ntime.sleep(10)",
            "memory",
        ),
        (
            "for n in $(seq 40); do head -c 8388608 /dev/zero > b$n; done; sleep 10",
            "disk",
        ),
        ("exit 3", "none"),
    ];
    each(&named, |(script, limit)| {
        // A shell that is told of a signal exits with its number, so the program itself is what meets the limit.
        let script = if *limit == "file-size" {
            format!("exec {script}")
        } else {
            (*script).to_owned()
        };
        let answer = site.house(ME).run(&script, &|specification| {
            let mut limits = small_limits();
            if *limit != "time" {
                limits["wall"] = json!(20_000);
            }
            if *limit != "disk" {
                // Others write to the same disk.
                limits["disk"] = json!(1_u64 << 40);
            }
            specification["limits"] = limits;
        });
        let named = answer["limit"].as_str().unwrap_or("none");
        assert_eq!(named, *limit, "{answer}");
    });
}

#[test]
fn output_keeps_its_beginning_and_its_end() {
    let Some(site) = site() else { return };
    let answer = site.house(ME).run("echo first; head -c 3000000 /dev/zero | tr '\\0' y; echo; echo last; echo word >&2; exit 7", &|specification| {
        specification["limits"]["output"] = json!(100_000);
    });
    let output = answer["stdout"].as_str().unwrap();
    assert!(
        output.starts_with("first\nyyy") && output.ends_with("yyy\nlast\n"),
        "{}",
        output.len()
    );
    assert_eq!(answer["cut"], 3_000_012 - 100_000);
    assert!(output.contains("\n[2900012 bytes cut]\n"));
    assert_eq!(answer["stderr"], "word\n");
    assert_eq!(answer["how"], json!({ "exited": 7 }));
}

#[test]
fn a_program_reads_what_it_is_given_and_its_signal_is_told() {
    let Some(site) = site() else { return };
    let text = "x".repeat(300_000);
    let answer = site
        .house(ME)
        .run("wc -c; kill -SEGV $$", &|specification| {
            specification["stdin"] = json!(text);
        });
    assert_eq!(answer["stdout"].as_str().unwrap().trim(), "300000");
    assert_eq!(answer["how"], json!({ "killed": 11 }));
}

#[test]
fn only_the_gateway_is_reached() {
    let Some(site) = site() else { return };
    let script = "#py
import os, socket
def reach(host, port):
    try:
        s = socket.create_connection((host, int(port)), 2); s.sendall(b'ping'); s.shutdown(1); return s.recv(9).decode()
    except OSError as e: return e.strerror
print(reach('127.0.0.1', os.environ['GATEWAY']), reach('127.0.0.2', os.environ['GATEWAY']) == 'pong', reach('127.0.0.1', os.environ['PORT']))";
    let modes = [Some(ME), site.nobody(), Some(OLDER)];
    for mode in modes.into_iter().flatten() {
        let gateway = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = gateway.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for mut visitor in gateway.incoming().flatten() {
                let mut text = String::new();
                let _ = visitor.read_to_string(&mut text);
                let _ = visitor.write_all(if text == "ping" { b"pong" } else { b"what" });
            }
        });
        let elsewhere = TcpListener::bind(("127.0.0.2", port)).ok();
        let answer = site.house(mode).run(script, &|specification| {
            specification["network"] = json!({ "gateway": port });
            let told = specification["env"].as_array_mut().unwrap();
            told.push(json!(["GATEWAY", port.to_string()]));
        });
        let output = answer["stdout"].as_str().unwrap();
        assert!(output.starts_with("pong False "), "{mode:?}: {answer}");
        assert!(!output.ends_with("pong\n"), "{mode:?}: {answer}");
        drop(elsewhere);
    }
}

#[test]
fn nothing_runs_when_it_would_see_what_is_hidden_or_cannot_be_shut_in() {
    let Some(site) = site() else { return };
    let house = site.house(ME);
    let answer = house.run("echo ran", &|specification| {
        specification["readable"] = json!([house.at("")]);
    });
    let problem = answer["problem"].as_str().unwrap();
    assert!(problem.contains("must stay unseen"), "{problem}");
    let answer = house.run("echo ran > ran", &|specification| {
        specification["pretend"] = json!(0);
    });
    assert_eq!(
        answer["problem"],
        "this machine cannot shut programs in: its kernel has no Landlock"
    );
    assert!(
        answer["hint"].as_str().unwrap().contains("--sandbox outer"),
        "{answer}"
    );
    let answer = house.run("echo ran > ran", &|specification| {
        specification["pretend"] = json!(3);
        specification["network"] = json!({ "gateway": 9 });
    });
    assert!(
        answer["problem"]
            .as_str()
            .unwrap()
            .contains("knows no ports"),
        "{answer}"
    );
    assert!(!house.at("run/tree/ran").exists());
    let answer = house.run("", &|specification| {
        specification["program"] = json!("no-such-program");
    });
    assert!(
        answer["problem"]
            .as_str()
            .unwrap()
            .starts_with("cannot start `no-such-program`"),
        "{answer}"
    );
}

#[test]
fn a_folder_of_the_system_is_shut_when_something_in_it_is_hidden() {
    let Some(site) = site() else { return };
    let answer = site.house(ME).run("cat /proc/version", &|specification| {
        let hidden = specification["hidden"].as_array_mut().unwrap();
        hidden.push(json!("/proc/version"));
    });
    assert_ne!(answer["how"], json!({ "exited": 0 }), "{answer}");
}

#[test]
fn an_outer_sandbox_keeps_the_environment_the_limits_and_the_end() {
    let Some(site) = site() else { return };
    let outer = |specification: &mut Value| {
        specification["shield"] = json!("outer");
        specification["limits"]["wall"] = json!(2500);
    };
    let house = site.house(ME);
    let answer = house.run(
        "env; cat ../../outside/victim; (setsid sh -c 'sleep 60' &)",
        &outer,
    );
    let output = answer["stdout"].as_str().unwrap();
    assert!(
        output.contains("canary-file") && !output.contains("canary-key"),
        "{output}"
    );
    assert_eq!(house.left_over(), [0; 0]);
    let answer = house.run("sleep 60", &outer);
    assert_eq!(answer["limit"], "time");
}

#[test]
fn nothing_outlives_a_killed_maestro() {
    let Some(site) = site() else { return };
    let house = site.house(ME);
    let mut maestro = house.start("(setsid sleep 60 &); sleep 60");
    assert!(eventually(|| house.left_over().len() >= 2), "it never ran");
    maestro.kill().unwrap();
    maestro.wait().unwrap();
    assert!(
        eventually(|| house.left_over().is_empty()),
        "{:?}",
        house.left_over()
    );
}

#[test]
fn the_cases_are_published() {
    let mut text = String::from(
        "<!-- Written by `MAESTRO_BLESS=1 cargo test sandbox`. -->\n# Misuse cases of the sandbox\n\nEach is run loose, where the breach must be seen, and shut in, where it must not: as root, as somebody else, and as on an older kernel.\n\n| case | what it tries | what stops it | seen loose |\n|---|---|---|---|\n",
    );
    for case in CASES {
        let place = match case.place {
            Where::Everywhere => "always",
            Where::AsRoot => "as root",
            Where::Somewhere => "by kernel",
        };
        text.push_str(&format!(
            "| `{}` | {} | {} | {place} |\n",
            case.name, case.tries, case.stops
        ));
    }
    assert_published("docs/reference/sandbox-cases.md", &text);
}
