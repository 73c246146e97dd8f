//! `environment`: a container did not come up; a library, tool, locale or permission is missing; a file cannot be created or deleted.
//!
//! Luo's IO, and Eck's platform dependency.

use super::phrases::Hit;
use super::{Class, Failure, Rules};

pub(super) const RULES: Rules = Rules {
    class: Class::Environment,
    words: &[
        "container startup failed",
        "could not create/start container",
        "container…exited with code",
        "container…is unhealthy",
        "could not find a valid docker environment",
        "cannot connect to the docker daemon",
        "did not initialize",
        "command not found",
        "executable file not found",
        "is not recognized as an internal or external command",
        "permission denied",
        "operation not permitted",
        "access is denied",
        "access to the path…is denied",
        "read-only file system",
        "text file busy",
        "being used by another process",
        "unable to delete",
        "could not delete",
        "failed to delete…/",
        "cannot delete file",
        "unable to create file",
        "could not create file",
        "failed to create file",
        "failed to create temp",
        "cannot open shared object file",
        "unable to load library",
        "unable to load dll",
        "no such file to load",
        "library not loaded",
        "cannot find module",
        "no module named",
        "unsupported locale",
        "unknown locale",
        "exec format error",
        "failed to launch the browser",
        "failed to launch browser",
        "chrome failed to start",
        "executable doesn't exist at",
        "session not created:",
        "illegal instruction",
    ],
    names: &[
        "ContainerLaunchException",
        "ClassNotFoundException",
        "NoClassDefFoundError",
        "UnsatisfiedLinkError",
        "ModuleNotFoundError",
        "DllNotFoundException",
        "MODULE_NOT_FOUND",
        "AccessDeniedException",
        "UnauthorizedAccessException",
        "PermissionError",
        "MissingResourceException",
        "SessionNotCreatedException",
        "|EACCES|",
        "|EPERM|",
        "|EROFS|",
        "|ETXTBSY|",
        "|EBUSY|",
    ],
    named: super::no_named,
    refuses: is_failed_initialiser,
    weak: super::no_weak,
};

/// Whether a class is not missing: its initialiser failed before, which is another test's doing.
fn is_failed_initialiser(failure: &Failure<'_>, hit: &Hit) -> bool {
    let line = failure.text.lines.get(hit.line);
    line.is_some_and(|line| {
        failure
            .text
            .line(line)
            .contains("Could not initialize class")
    })
}
