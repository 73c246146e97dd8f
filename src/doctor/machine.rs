//! Checks of this machine.

use super::{Facts, Level, Verdict};

/// The oldest git that has all that is used (`git init --initial-branch`).
const OLDEST_GIT: (u32, u32) = (2, 28);

/// Less free room than this fills up within a few runs.
const LITTLE_ROOM: u64 = 1 << 30;

pub(super) fn git(facts: &Facts) -> Verdict {
    let fix = "install git 2.28 or newer";
    let Some(said) = &facts.machine.git else {
        return Verdict::with(Level::Fail, "the program `git` cannot be run", fix);
    };
    let digits = said.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = digits
        .split(|c: char| !c.is_ascii_digit())
        .map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST_GIT => {
            Verdict::ok(format!("git {major}.{minor}"))
        }
        (Some(Ok(major)), Some(Ok(minor))) => {
            Verdict::with(Level::Fail, format!("git {major}.{minor} is too old"), fix)
        }
        _ => Verdict::with(Level::Unknown, format!("git says `{said}`"), fix),
    }
}

pub(super) fn clone(facts: &Facts) -> Verdict {
    match facts.machine.clone {
        Some(false) => Verdict::ok("the clone has the whole history"),
        Some(true) => Verdict::with(
            Level::Warn,
            "the clone is shallow: plans fetch more of it, or run everything",
            "check out with `fetch-depth: 0` in the jobs `plan` and `gate`",
        ),
        None => Verdict::with(
            Level::Fail,
            "there is no git repository here",
            "run it in the repository, or name it with -C",
        ),
    }
}

pub(super) fn config(facts: &Facts) -> Verdict {
    match &facts.machine.config {
        Some(Ok(())) => Verdict::ok("the configuration can be read"),
        Some(Err(words)) => Verdict::with(
            Level::Fail,
            format!("the configuration cannot be read: {words}"),
            "`maestro config show` shows the place",
        ),
        None => Verdict::with(
            Level::Warn,
            "there is no configuration: every change runs everything",
            "`maestro init` writes one that blocks nothing",
        ),
    }
}

pub(super) fn notify(facts: &Facts) -> Verdict {
    let channels = &facts.machine.channels;
    if channels.is_empty() {
        return Verdict::ok("no channel is told of anything");
    }
    let missing: Vec<&str> = channels
        .iter()
        .filter(|(_, is_set)| !is_set)
        .map(|(name, _)| name.as_str())
        .collect();
    let names = missing.join("`, `");
    match (missing.is_empty(), facts.machine.is_job) {
        (true, _) => Verdict::ok("every variable that `notify` names is set"),
        // On a person's machine nobody should have them.
        (false, false) => Verdict::ok(format!(
            "`{names}` has to be set where `notify` tells, not here"
        )),
        (false, true) => Verdict::with(
            Level::Warn,
            format!(
                "`notify` names `{names}`, which is not set: whoever listens there hears nothing"
            ),
            "keep the address as a secret, and hand it to the step: `env: { NAME: \"${{ secrets.NAME }}\" }`",
        ),
    }
}

pub(super) fn disk(facts: &Facts) -> Verdict {
    let gib = |bytes: u64| format!("{}.{} GiB", bytes >> 30, ((bytes % (1 << 30)) * 10) >> 30);
    match facts.machine.free {
        // No number: two equal runs say the same.
        Some(free) if free >= LITTLE_ROOM => Verdict::ok("a gibibyte or more is free"),
        Some(free) => Verdict::with(
            Level::Warn,
            format!("{} are free where the state lies", gib(free)),
            "make room: a full disk is exit 74, and loses nothing that was saved",
        ),
        None => Verdict::with(
            Level::Unknown,
            "it is not known how much room the disk has",
            "look with `df` at the git directory",
        ),
    }
}

pub(super) fn sandbox(facts: &Facts) -> Verdict {
    let outer = "agents need Linux 6.7 or newer with Landlock, or `--sandbox outer` inside a container or virtual machine; nothing else needs it";
    let (abi, missing) = match &facts.machine.sandbox {
        Some(Ok(found)) => found,
        Some(Err(words)) => return Verdict::with(Level::Warn, words, outer),
        None => return Verdict::with(Level::Unknown, "the sandbox was not tried out", outer),
    };
    let names = |needed: bool| {
        let some = missing
            .iter()
            .filter(|(_, is_needed)| *is_needed || !needed);
        some.map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    if missing.iter().any(|(_, is_needed)| *is_needed) {
        let words = format!(
            "agents cannot be shut in here (Landlock {abi}): {}",
            names(true)
        );
        return Verdict::with(Level::Warn, words, outer);
    }
    if missing.is_empty() {
        return Verdict::ok(format!("Landlock {abi}, seccomp and user namespaces hold"));
    }
    Verdict::with(
        Level::Warn,
        format!("Landlock {abi} holds; without: {}", names(false)),
        "agents run all the same; docs/sandbox.md says what each adds",
    )
}

#[cfg(test)]
mod tests {
    use super::super::Machine;
    use super::*;

    fn facts(change: impl Fn(&mut Machine)) -> Facts {
        let mut facts = Facts::default();
        change(&mut facts.machine);
        facts
    }

    #[test]
    fn git_is_read_as_every_platform_says_it() {
        for (said, level) in [
            ("git version 2.47.3", Level::Ok),
            ("git version 2.39.5 (Apple Git-154)", Level::Ok),
            ("git version 2.50.1.windows.1", Level::Ok),
            ("git version 2.17.1", Level::Fail),
            ("git version", Level::Unknown),
        ] {
            let facts = facts(|machine| machine.git = Some(said.to_owned()));
            assert_eq!(git(&facts).level, level, "{said}");
        }
    }

    #[test]
    fn a_sandbox_that_lacks_what_is_needed_is_a_warning() {
        let with = |missing: &[(&str, bool)]| {
            let missing = missing
                .iter()
                .map(|(name, needed)| ((*name).to_owned(), *needed));
            let found = Ok((5, missing.collect::<Vec<_>>()));
            sandbox(&facts(|machine| machine.sandbox = Some(found.clone())))
        };
        assert_eq!(with(&[]).level, Level::Ok);
        assert!(
            with(&[("files", true), ("view", false)])
                .words
                .ends_with(": files")
        );
        assert!(with(&[("view", false)]).words.contains("without: view"));
    }

    #[test]
    fn a_channel_without_its_variable_is_a_warning_in_ci_only() {
        let with = |channels: &[(&str, bool)], is_job: bool| {
            let found: Vec<_> = channels
                .iter()
                .map(|(name, is_set)| ((*name).to_owned(), *is_set))
                .collect();
            notify(&facts(|machine| {
                machine.channels.clone_from(&found);
                machine.is_job = is_job;
            }))
        };
        assert_eq!(with(&[], true).level, Level::Ok);
        assert_eq!(with(&[("A", true)], true).level, Level::Ok);
        assert_eq!(with(&[("A", true), ("B", false)], false).level, Level::Ok);
        let warned = with(&[("A", true), ("B", false)], true);
        assert_eq!(warned.level, Level::Warn);
        assert!(warned.words.contains("`B`") && !warned.words.contains("`A`"));
    }

    #[test]
    fn little_room_is_told_in_round_numbers() {
        let at = |free| disk(&facts(|machine| machine.free = Some(free)));
        assert_eq!(at(5 << 30).level, Level::Ok);
        assert!(at(1 << 29).words.starts_with("0.5 GiB"));
    }
}
