//! `action.yml` on the mini runner: every way to get the program, and every way in which that goes wrong.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use sha2::{Digest, Sha256};

use super::harness::{BINARY, Maestro, package};
use super::runner::{Outcome, Ran, Runner, VERSION, executable};

/// A server of files by path; those that are shorter than they say are cut.
struct Mirror {
    address: String,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    asked: Arc<AtomicUsize>,
    is_cut: Arc<AtomicUsize>,
}

impl Mirror {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let this = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            files: Arc::default(),
            asked: Arc::default(),
            is_cut: Arc::default(),
        };
        let (files, asked, cut) = (
            Arc::clone(&this.files),
            Arc::clone(&this.asked),
            Arc::clone(&this.is_cut),
        );
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(stream.try_clone().unwrap())
                    .lines()
                    .map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                asked.fetch_add(1, Ordering::SeqCst);
                let path = first.split(' ').nth(1).unwrap_or_default();
                let found = files.lock().unwrap().get(path).cloned();
                let (status, body) =
                    found.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let is_cut = cut
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok();
                let sent = if is_cut {
                    &body[..body.len() / 2]
                } else {
                    &body
                };
                // Whoever has left already does not hear it.
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(sent);
            }
        });
        this
    }
}

/// An action with one release, and the repository that uses it.
pub(crate) struct Scene {
    pub(crate) maestro: Maestro,
    mirror: Mirror,
    pub(crate) runner: Runner,
    archive: PathBuf,
    digest: String,
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name of this machine's archive.
fn archive_name() -> String {
    let system = if cfg!(target_os = "macos") {
        "macos"
    } else {
        "linux"
    };
    let processor = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x64"
    };
    format!("maestro-{VERSION}-{system}-{processor}.tar.gz")
}

/// Writes the program and its archive, which is the same in every scene.
fn archive_of(maestro: &Maestro, archive: &Path) -> Vec<u8> {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    // A build is a hundred megabytes without optimisation: what is archived starts it.
    executable(
        &maestro.path("built/maestro"),
        &format!("#!/bin/sh\nexec '{BINARY}' \"$@\"\n"),
    );
    let bytes = MADE.get_or_init(|| {
        let made = Command::new("tar")
            .args(["-czf", archive.to_str().unwrap(), "-C"])
            .arg(maestro.path("built"))
            .arg("maestro")
            .status();
        assert!(made.unwrap().success());
        fs::read(archive).unwrap()
    });
    fs::write(archive, bytes).unwrap();
    bytes.clone()
}

impl Scene {
    fn new() -> Self {
        Self::with(|runner| runner)
    }

    fn with(made: impl Fn(Runner) -> Runner) -> Self {
        Self::of(Maestro::in_repo(), made)
    }

    /// Of a repository, which is committed.
    pub(crate) fn of(maestro: Maestro, made: impl Fn(Runner) -> Runner) -> Self {
        let mirror = Mirror::start();
        let archive = maestro.path(&format!("built/{}", archive_name()));
        let bytes = archive_of(&maestro, &archive);
        let digest = digest(&bytes);
        let action = maestro.path("action-copy");
        for file in [
            "action.yml",
            "action/install.sh",
            "action/command.sh",
            "action/checksums.txt",
        ] {
            let text = fs::read(package().join(file)).unwrap();
            maestro.file(&format!("action-copy/{file}"), text);
        }
        let runner = Runner::new(&maestro.path(""))
            .action("acme/maestro", &action)
            .action("acme/maestro/save", package().join("save"))
            .env("MAESTRO_BASE_URL", &mirror.address)
            .env("MAESTRO_RETRY_WAIT", "0");
        let mut this = Self {
            maestro,
            mirror,
            runner: made(runner),
            archive,
            digest,
        };
        this.lists(&format!("{}  {}\n", this.digest, archive_name()));
        this.offers(bytes);
        this.runner.push("main");
        this
    }

    /// Writes the committed list.
    fn lists(&self, lines: &str) {
        let head = fs::read_to_string(package().join("action/checksums.txt")).unwrap();
        let head: String = head
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect();
        self.maestro
            .file("action-copy/action/checksums.txt", head + lines);
    }

    /// What the mirror has as the release of this version.
    fn offers(&self, bytes: Vec<u8>) {
        let path = format!("/v{VERSION}/{}", archive_name());
        self.mirror.files.lock().unwrap().insert(path, bytes);
    }

    /// Runs a job that uses the action with these lines of `with:`.
    fn uses(&mut self, with: &str) -> Outcome {
        let with = with.replace("MIRROR", &self.mirror.address);
        self.runner.run(&format!(
            "
on: push
permissions: {{}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - id: m
        uses: acme/maestro@0123456789012345678901234567890123456789
        with: {{ {with} }}
      - run: |
          maestro --version
          test \"$(command -v maestro)\" = \"$P\"
        env: {{ P: \"${{{{ steps.m.outputs.path }}}}\" }}
"
        ))
    }

    #[track_caller]
    fn installs(&mut self, with: &str) -> Ran {
        let outcome = self.uses(with);
        outcome.green();
        let job = outcome.job("a").clone();
        assert_eq!(job.step("m").outputs["version"], VERSION);
        job.says(&format!("maestro {VERSION}"));
        job
    }

    #[track_caller]
    fn refuses(&mut self, with: &str, words: &str) -> Ran {
        let outcome = self.uses(with);
        outcome.ends(&[("a", "failure")]);
        let job = outcome.job("a").clone();
        job.says("error: ").says("hint: ").says(words);
        assert!(job.annotations.iter().any(|(level, _)| level == "error"));
        assert!(!job.log.contains("is on the path"), "{}", job.log);
        job
    }
}

#[test]
fn it_is_fetched_once_and_comes_from_the_cache_after_that() {
    let mut scene = Scene::with(Runner::keeps_tools);
    let first = scene.installs("base-url: MIRROR");
    assert_eq!(first.step("m").outputs["cache-hit"], "false");
    let second = scene.installs("base-url: \"http://127.0.0.1:1\"");
    assert_eq!(second.step("m").outputs["cache-hit"], "true");
    assert_eq!(scene.mirror.asked.load(Ordering::SeqCst), 1);
    // Another job put something else there.
    let cached = scene.runner.tools();
    let cached = super::harness::files_below(&cached);
    assert_eq!(cached.len(), 1, "{cached:?}");
    fs::write(&cached[0], "poison").unwrap();
    let third = scene.installs("base-url: MIRROR/");
    third.says("the cache of tools had something else");
    assert_eq!(scene.mirror.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn a_mirror_may_be_the_organisations_variable() {
    let mut scene = Scene::new();
    scene.installs(&format!("version: v{VERSION}"));
    assert_eq!(scene.mirror.asked.load(Ordering::SeqCst), 1);
}

#[test]
fn what_is_not_what_it_should_be_is_not_installed() {
    let mut scene = Scene::new();
    let sound = fs::read(&scene.archive).unwrap();
    let mut other = sound.clone();
    *other.last_mut().unwrap() ^= 1;
    scene.offers(other);
    scene.refuses("base-url: MIRROR", "nothing was installed");
    scene.offers(sound[..sound.len() / 2].to_vec());
    scene.refuses("base-url: MIRROR", "nothing was installed");
    // The right hash of something that is no archive of ours.
    scene.offers(b"hello".to_vec());
    scene.lists(&format!("{}  {}\n", digest(b"hello"), archive_name()));
    scene.refuses("base-url: MIRROR", "there is no `maestro` in");
}

#[test]
fn a_download_that_breaks_off_is_tried_again() {
    let mut scene = Scene::new();
    scene.mirror.is_cut.store(2, Ordering::SeqCst);
    scene.installs("base-url: MIRROR");
    assert_eq!(scene.mirror.asked.load(Ordering::SeqCst), 3);
    scene.mirror.is_cut.store(3, Ordering::SeqCst);
    scene.refuses("base-url: MIRROR", "after three tries");
    scene.mirror.files.lock().unwrap().clear();
    scene.refuses("base-url: MIRROR", "could not be fetched");
    scene.refuses("base-url: \"ftp://127.0.0.1\"", "is no address of a file");
}

#[test]
fn what_is_asked_for_has_to_be_there() {
    let mut scene = Scene::new();
    scene.refuses(
        "version: 9.9.9",
        "version 9.9.9 is not in action/checksums.txt",
    );
    scene.refuses("version: \"0.1.0; id\"", "is not in action/checksums.txt");
    scene.refuses("from-source: maybe", "neither true nor false");
    scene.refuses(
        "base-url: MIRROR, attestation: maybe",
        "is none of auto, require and off",
    );
    scene.lists("");
    scene.refuses(
        "base-url: MIRROR",
        "this commit of the action knows no release",
    );
    scene.lists(&format!(
        "{}  maestro-{VERSION}-windows-arm64.tar.gz\n",
        scene.digest
    ));
    scene.refuses("base-url: MIRROR", "has no build for");
    let mut strange = Scene::with(|runner| runner.machine("Linux", "S390X"));
    strange.refuses("base-url: MIRROR", "there is no build for Linux on S390X");
}

#[test]
fn a_file_of_this_machine_does_without_a_network() {
    let mut scene = Scene::new();
    let archive = scene.archive.display().to_string();
    scene.installs(&format!("path: \"{archive}\""));
    let program = scene.maestro.path("built/maestro");
    let digest = digest(&fs::read(&program).unwrap());
    let program = program.display().to_string();
    scene.installs(&format!(
        "path: \"{program}\", checksum: {}",
        digest.to_uppercase()
    ));
    scene.refuses(&format!("path: \"{program}\""), "nobody says which SHA-256");
    let wrong = "0".repeat(64);
    scene.refuses(
        &format!("path: \"{program}\", checksum: \"{wrong}\""),
        "nothing was installed",
    );
    scene.refuses("path: /nowhere", "there is no file /nowhere");
    assert_eq!(scene.mirror.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn it_is_built_where_somebody_says_so() {
    let mut scene = Scene::new();
    scene.maestro.file(
        "action-copy/Cargo.toml",
        "[package]\nname = \"maestro-ci\"\n",
    );
    scene.lists("");
    scene.installs("from-source: true");
}

/// Lets steps find a gh that says so.
fn with_gh(scene: &mut Scene, script: &str) {
    let gh = scene.maestro.path("gh/gh");
    executable(&gh, &format!("#!/bin/sh\n{script}\n"));
    let path = std::env::var("PATH").unwrap();
    let folder = gh.parent().unwrap().display().to_string();
    scene.runner.sets("PATH", &format!("{folder}:{path}"));
}

#[test]
fn who_built_it_is_asked_where_it_can_be() {
    let mut scene = Scene::new();
    let script = "[ \"$4\" != --help ] && [ \"$3\" = --help ] && exit 0; echo \"$@\" >> \"$RUNNER_TEMP/gh\"; [ \"$GH_TOKEN\" ] && cat \"$RUNNER_TEMP/gh\" >&2";
    with_gh(&mut scene, script);
    let job = scene.installs("base-url: MIRROR");
    job.says("--repo acme/maestro --signer-workflow acme/maestro/.github/workflows/release.yml");
    with_gh(
        &mut scene,
        "[ \"$3\" = --help ] || { echo no attestation >&2; exit 1; }",
    );
    let job = scene.refuses("base-url: MIRROR", "does not confirm");
    job.says("no attestation");
    scene.installs("base-url: MIRROR, attestation: \"off\"");
    let job = scene.installs("base-url: MIRROR, github-token: \"\"");
    job.says("who built it was not asked (there is no token)");
    scene.refuses(
        "base-url: MIRROR, github-token: \"\", attestation: require",
        "cannot be asked",
    );
    with_gh(&mut scene, "exit 1");
    let job = scene.installs("base-url: MIRROR");
    job.says("this gh knows no attestations");
}

#[test]
fn who_requires_an_attestation_gets_one_wherever_the_file_comes_from() {
    let mut scene = Scene::with(Runner::keeps_tools);
    let script = "if [ \"$3\" = --help ]; then echo --source-ref; else echo asked \"$@\" >&2; fi";
    with_gh(&mut scene, script);
    let asked = "--deny-self-hosted-runners --source-ref refs/heads/main";
    scene.installs("base-url: MIRROR").says(asked);
    let cached = scene.installs("base-url: MIRROR");
    assert!(!cached.log.contains("asked"), "{}", cached.log);
    scene
        .installs("base-url: MIRROR, attestation: require")
        .says(asked);
    let file = format!("path: \"{}\"", scene.archive.display());
    let plain = scene.installs(&file);
    assert!(!plain.log.contains("asked"), "{}", plain.log);
    scene
        .installs(&format!("{file}, attestation: require"))
        .says(asked);
    scene.refuses(
        "from-source: true, attestation: require",
        "nobody attests to what is built here",
    );
}

#[test]
fn an_input_is_no_command_to_the_runner() {
    let mut scene = Scene::new();
    let job = scene.refuses(
        "version: \"1\\n::add-mask::error\\r::stop-commands::x\"",
        "is not in action/checksums.txt",
    );
    assert!(
        job.log.lines().all(|line| !line.starts_with("::add-mask")),
        "{}",
        job.log
    );
}

#[test]
fn a_command_gets_its_arguments_as_they_are() {
    let mut scene = Scene::new();
    let file = "a $(touch pwned) `id` \\\"x\\\".txt";
    let outcome = scene.uses(&format!(
        "base-url: MIRROR, command: explain, args: \"{file}\\n\\n--format\\njson\""
    ));
    outcome.ends(&[("a", "failure")]);
    outcome.job("a").says("`a $(touch pwned) `id` \"x\".txt`");
    let outcome = scene.uses("base-url: MIRROR, command: \"plan; touch pwned\"");
    outcome.ends(&[("a", "failure")]);
    outcome.job("a").says("plan;");
    // The answer of the command is the step's.
    let outcome =
        scene.uses("base-url: MIRROR, command: check-policy, args: \"--policy\\nnowhere.yaml\"");
    outcome.ends(&[("a", "failure")]);
    let planned = scene.runner.run(&format!(
        "
on: push
jobs:
  plan:
    runs-on: a
    outputs: {{ matrix: \"${{{{ steps.m.outputs.matrix }}}}\", has_jobs: \"${{{{ steps.m.outputs.has_jobs }}}}\" }}
    steps:
      - uses: actions/checkout@v5
      - {{ id: m, uses: acme/maestro@v1, with: {{ base-url: \"{}\", command: plan, args: \"--base\\nHEAD\" }} }}
",
        scene.mirror.address
    ));
    planned.green();
    assert_eq!(planned.job("plan").outputs["has_jobs"], "false");
}

/// Bash 3.2 has none of these; it is what macOS has.
#[test]
fn its_scripts_are_for_old_shells_too() {
    for name in ["install.sh", "command.sh"] {
        let text = fs::read_to_string(package().join("action").join(name)).unwrap();
        for newer in [
            "mapfile",
            "readarray",
            "declare -A",
            "local -A",
            "local -n",
            ",,}",
            "^^}",
            "|&",
            "&>>",
            "coproc",
            "${!",
            "@Q}",
            "-v ",
        ] {
            let is_awk = newer == "-v ";
            let found = text.lines().filter(|line| {
                line.contains(newer)
                    && !(is_awk && (line.contains("awk -v") || line.contains("command -v")))
            });
            assert_eq!(found.count(), 0, "{name}: {newer}");
        }
        assert!(!text.contains("eval "), "{name}");
        let checked = Command::new("bash")
            .arg("-n")
            .arg(package().join("action").join(name))
            .status();
        assert!(checked.unwrap().success());
    }
}

#[test]
fn save_leaves_what_was_stored_as_an_artifact() {
    let mut scene = Scene::new();
    scene.maestro.file(
        "r.xml",
        "<testsuite name=\"s\"><testcase name=\"a\"/></testsuite>",
    );
    scene.maestro.git(&["add", "r.xml"]);
    scene
        .maestro
        .git(&["commit", "--quiet", "--message", "Report"]);
    scene.maestro.git(&["push", "--quiet", "origin", "main"]);
    scene.runner.push("main");
    let workflow = |ingest: &str| {
        format!(
            "
on: push
permissions: {{ contents: read }}
jobs:
  a:
    runs-on: a
    steps:
      - {{ uses: actions/checkout@v5, with: {{ persist-credentials: false }} }}
      - {{ uses: acme/maestro@v1, with: {{ base-url: \"{}\" }} }}
      - run: {ingest}
      - {{ id: s, if: always(), uses: acme/maestro/save@v1, with: {{ retention-days: 3 }} }}
",
            scene.mirror.address
        )
    };
    let stored = workflow("maestro flakes ingest r.xml; exit 3");
    let nothing = workflow("\"true\"");
    let outcome = scene.runner.run(&stored);
    outcome.ends(&[("a", "failure")]);
    let name = outcome.artifacts.keys().next().unwrap();
    assert!(name.starts_with("maestro+"), "{name}");
    assert_eq!(outcome.job("a").step("s").outputs["artifact"], *name);
    let outcome = scene.runner.run(&nothing);
    outcome.green();
    assert!(outcome.artifacts.is_empty());
}

/// Publishes five archives of this version as the release workflow does, with a gh that only writes down what it is told.
fn published(scene: &Scene) -> std::process::Output {
    let folder = scene.maestro.path("archives");
    executable(
        &scene.maestro.path("gh/gh"),
        "#!/bin/sh\necho \"$@\" >> ../gh.log\n",
    );
    let path = format!(
        "{}:{}",
        scene.maestro.path("gh").display(),
        std::env::var("PATH").unwrap()
    );
    Command::new("bash")
        .arg(scene.maestro.path(".ci/publish"))
        .args([VERSION, folder.to_str().unwrap()])
        .env("PATH", path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap()
}

#[test]
fn a_release_is_a_commit_whose_action_installs_it() {
    let maestro = Maestro::in_repo();
    for file in [
        ".ci/publish",
        "action.yml",
        "action/install.sh",
        "action/command.sh",
        "action/checksums.txt",
    ] {
        maestro.file(file, fs::read(package().join(file)).unwrap());
    }
    maestro.file(
        ".gitignore",
        "action-copy/\nbuilt/\narchives/\ngh/\ngh.log\n",
    );
    maestro.commit("The action");
    let mut scene = Scene::of(maestro, |runner| runner);
    let sound = fs::read(&scene.archive).unwrap();
    for platform in ["linux-x64", "linux-arm64", "macos-x64", "macos-arm64"] {
        let file = format!("archives/maestro-{VERSION}-{platform}.tar.gz");
        scene.maestro.file(&file, &sound);
    }
    let incomplete = published(&scene);
    assert!(!incomplete.status.success(), "{incomplete:?}");
    let last = format!("archives/maestro-{VERSION}-windows-x64.tar.gz");
    scene.maestro.file(&last, &sound);
    let built = scene.maestro.git(&["rev-parse", "HEAD"]);
    let done = published(&scene);
    assert!(done.status.success(), "{done:?}");
    let told = fs::read_to_string(scene.maestro.path("gh.log")).unwrap();
    assert!(
        told.starts_with(&format!("release create v{VERSION} --verify-tag")),
        "{told}"
    );
    // The tag is commit B: A and the checksums.
    let tagged = format!("refs/tags/v{VERSION}");
    scene.maestro.git(&["fetch", "--quiet", "origin", &tagged]);
    let parent = scene.maestro.git(&["rev-parse", "FETCH_HEAD^"]);
    assert_eq!(parent, built);
    let listed = scene
        .maestro
        .git(&["show", "FETCH_HEAD:action/checksums.txt"]);
    assert_eq!(listed.matches(&scene.digest).count(), 5, "{listed}");
    scene
        .maestro
        .file("action-copy/action/checksums.txt", &listed);
    scene.installs("");
    let again = published(&scene);
    assert!(!again.status.success(), "{again:?}");
    assert!(String::from_utf8_lossy(&again.stderr).contains("was released already"));
}
