//! What a change brings along: components and their licences, known vulnerabilities, findings of scanners; one reader a form.
//!
//! Reports are foreign bytes: nothing in them can make a reader panic, and one that is not understood is refused with its place. An
//! empty report is not a clean one.

pub(crate) mod coverage;
mod cvss;
mod form;
mod json;
pub(crate) mod licence;
mod locks;
mod news;
pub(crate) mod package;
pub(crate) mod sarif;
pub(crate) mod sbom;
pub(crate) mod severity;
pub(crate) mod vex;
pub(crate) mod vulns;

use std::borrow::Cow;

pub(crate) use news::News;
use sbom::{Bill, Component};

/// Larger reports are not read.
pub(crate) const LARGEST: usize = 64 * 1024 * 1024;

/// What a report is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Sbom,
    Vulnerabilities,
    Sarif,
    Vex,
}

impl Wanted {
    fn name(self) -> &'static str {
        match self {
            Self::Sbom => "an SBOM",
            Self::Vulnerabilities => "a report of vulnerabilities",
            Self::Sarif => "a SARIF log",
            Self::Vex => "a VEX document",
        }
    }

    /// Returns the option that takes it.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Sbom => "--sbom",
            Self::Vulnerabilities => "--vulns",
            Self::Sarif => "--sarif",
            Self::Vex => "--vex",
        }
    }
}

/// Why a report was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct NotRead {
    pub(crate) message: String,
    /// Line and column, both from one.
    pub(crate) place: Option<(u32, u32)>,
    pub(crate) hint: Option<String>,
}

impl NotRead {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: None,
            hint: None,
        }
    }

    fn at(place: (u32, u32), message: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            ..Self::new(message)
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Returns a report's text: UTF-8, or UTF-16 as `PowerShell` writes it.
fn text(bytes: &[u8]) -> Result<Cow<'_, str>, NotRead> {
    if bytes.len() > LARGEST {
        let most = LARGEST / 1024 / 1024;
        return Err(NotRead::new(format!("it is larger than {most} MiB")));
    }
    let wide = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((rest, order)) = wide {
        let (pairs, _) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| order(*pair)).collect();
        let text = String::from_utf16(&units).map_err(|_| NotRead::new("it is no valid UTF-16"))?;
        return Ok(Cow::Owned(text));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(fault) => {
            let line = memchr::memchr_iter(b'\n', &bytes[..fault.valid_up_to()]).count();
            let line = u32::try_from(line + 1).unwrap_or(u32::MAX);
            Err(NotRead::at((line, 1), "it is no text in UTF-8"))
        }
    }
}

/// Before or after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Base,
    Head,
}

/// What was given about one side of a change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) bills: Vec<Bill>,
    /// Packages of lock files.
    pub(crate) locked: Vec<Component>,
    pub(crate) scans: Vec<vulns::Scan>,
    /// The findings of all SARIF logs; none where there was no log.
    pub(crate) log: Option<sarif::Log>,
}

/// What was given about a change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Supplied {
    pub(crate) base: Given,
    pub(crate) head: Given,
    /// Of two statements about the same the later one counts.
    pub(crate) vex: Vec<vex::Statement>,
    /// Whether somebody looked for lock files on both sides; without any there is then nothing new in them.
    pub(crate) are_locks_known: bool,
}

impl Supplied {
    fn side(&mut self, side: Side) -> &mut Given {
        match side {
            Side::Base => &mut self.base,
            Side::Head => &mut self.head,
        }
    }

    /// Reads a bill of materials.
    pub(crate) fn add_sbom(&mut self, side: Side, bytes: &[u8]) -> Result<(), NotRead> {
        let bill = sbom::read(bytes)?;
        self.side(side).bills.push(bill);
        Ok(())
    }

    /// Reads a report of vulnerabilities; its name is what findings refer to.
    pub(crate) fn add_vulnerabilities(
        &mut self,
        side: Side,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), NotRead> {
        let scan = vulns::read(name, bytes)?;
        self.side(side).scans.push(scan);
        Ok(())
    }

    /// Reads a SARIF log; `checkout` is where the repository lay for the scanner, as far as that is known.
    pub(crate) fn add_sarif(
        &mut self,
        side: Side,
        bytes: &[u8],
        checkout: Option<&str>,
    ) -> Result<(), NotRead> {
        let read = sarif::read(bytes, checkout)?;
        let log = self.side(side).log.get_or_insert_default();
        log.tools.extend(read.tools);
        log.failed.extend(read.failed);
        log.findings.extend(read.findings);
        Ok(())
    }

    /// Reads a VEX document.
    pub(crate) fn add_vex(&mut self, name: &str, bytes: &[u8]) -> Result<(), NotRead> {
        self.vex.extend(vex::read(name, bytes)?);
        crate::order::sort_by(&mut self.vex, |one, other| one.time.cmp(&other.time));
        Ok(())
    }

    /// Reads a lock file; tells whether its form is one that is read.
    pub(crate) fn add_lock(
        &mut self,
        side: Side,
        path: &str,
        bytes: &[u8],
    ) -> Result<bool, NotRead> {
        let Some(packages) = locks::read(path, bytes)? else {
            return Ok(false);
        };
        self.side(side).locked.extend(packages);
        Ok(true)
    }
}

/// Whether a path is that of a lock file that is read.
pub(crate) fn is_lock(path: &str) -> bool {
    locks::is_one(path)
}

#[cfg(test)]
mod tests;
