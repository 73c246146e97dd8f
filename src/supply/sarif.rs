//! Findings of scanners in SARIF 2.1.0 (OASIS), and what each is known by when lines move.
//!
//! What a tool itself calls stable (`fingerprints`, `partialFingerprints`) is used with the rule and the path; else the text that it is about, or its
//! message without places. Findings with one fingerprint are counted: scanners give the same one to several.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

use super::form::Form;
use super::json::{Document, Value};
use super::severity::Severity;
use super::{NotRead, Wanted};
use crate::sha::Sha;

/// How much of a message is kept, in bytes.
const LONGEST: usize = 4096;

/// SARIF's own scale.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    None,
    Note,
    Warning,
    Error,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        let all = [Self::None, Self::Note, Self::Warning, Self::Error];
        all.into_iter().find(|level| level.name() == word)
    }
}

/// What a scanner found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) tool: String,
    pub(crate) rule: String,
    pub(crate) level: Level,
    /// From the rule's `security-severity`.
    pub(crate) severity: Option<Severity>,
    /// From the top of the repository, where that can be told.
    pub(crate) path: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) message: String,
    /// Everything but the path that it is known by.
    pub(crate) mark: String,
}

/// One log, or several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Log {
    pub(crate) tools: Vec<String>,
    /// Tools that say themselves that they did not get to the end.
    pub(crate) failed: Vec<String>,
    pub(crate) findings: Vec<Finding>,
}

/// Reads a log; `checkout` is where the repository lay for the scanner, as far as that is known.
pub(crate) fn read(bytes: &[u8], checkout: Option<&str>) -> Result<Log, NotRead> {
    let text = super::text(bytes)?;
    let document = Document::parse(&text)?;
    let root = document.root();
    Form::of(root, Wanted::Sarif)?;
    let version = root.string("version").unwrap_or_default();
    if version != "2.1.0" {
        let place = root.get("version").unwrap_or(root).place();
        return Err(NotRead::at(
            place,
            format!("SARIF `{version}` is not read; 2.1.0 is"),
        ));
    }
    let mut log = Log::default();
    for value in root.array("runs")? {
        run(value, checkout, &mut log)?;
    }
    if log.tools.is_empty() {
        return Err(NotRead::at(root.place(), "it has no run of a tool"));
    }
    Ok(log)
}

/// A rule's defaults.
#[derive(Clone, Copy)]
struct Rule<'d> {
    value: Value<'d>,
}

impl Rule<'_> {
    fn level(self) -> Option<Level> {
        let level = self
            .value
            .path(&["defaultConfiguration", "level"])?
            .text()?;
        Level::of_word(&level)
    }

    fn severity(self) -> Option<Severity> {
        let score = self.value.path(&["properties", "security-severity"])?;
        let score = score
            .number()
            .or_else(|| score.text()?.trim().parse().ok())?;
        Some(Severity::of_score(score))
    }
}

fn run(value: Value<'_>, checkout: Option<&str>, log: &mut Log) -> Result<(), NotRead> {
    let Some(driver) = value.path(&["tool", "driver"]) else {
        return Err(NotRead::at(value.place(), "a run has no `tool.driver`"));
    };
    let tool = driver.string("name").unwrap_or_default();
    log.tools.push(tool.clone());
    let failed = value.list("invocations").any(|one| {
        one.get("executionSuccessful")
            .is_some_and(|right| !right.is_true())
    });
    if failed {
        log.failed.push(tool.clone());
    }
    let extensions = value
        .path(&["tool"])
        .into_iter()
        .flat_map(|tool| tool.list("extensions"));
    let parts: Vec<Vec<Value<'_>>> = std::iter::once(driver)
        .chain(extensions)
        .map(|part| part.list("rules").collect())
        .collect();
    let mut by_id: HashMap<String, Value<'_>> = HashMap::new();
    for rule in parts.iter().flatten() {
        if let Some(id) = rule.string("id") {
            by_id.entry(id).or_insert(*rule);
        }
    }
    let bases = bases(value, checkout);
    for result in value.array("results")? {
        // What is passed, open or not applicable is no finding.
        if result.string("kind").is_some_and(|kind| kind != "fail") || is_suppressed(result) {
            continue;
        }
        if result.string("baselineState").as_deref() == Some("absent") {
            continue;
        }
        log.findings
            .push(finding(result, &tool, &parts, &by_id, &bases)?);
    }
    Ok(())
}

/// Whether somebody has accepted it; a suppression that is asked for or refused is none (SARIF 3.35.3).
fn is_suppressed(result: Value<'_>) -> bool {
    let mut all = result.list("suppressions").peekable();
    let stands =
        |one: Value<'_>| matches!(one.string("status").as_deref(), None | Some("accepted"));
    all.peek().is_some() && all.all(stands)
}

/// Returns where the checkout lay on the scanner's machine, longest first.
fn bases(run: Value<'_>, checkout: Option<&str>) -> Vec<String> {
    let given = run
        .get("originalUriBaseIds")
        .map(Value::members)
        .into_iter()
        .flatten();
    let given = given.filter_map(|(_, base)| base.string("uri"));
    let folders = run
        .list("invocations")
        .filter_map(|one| one.get("workingDirectory")?.string("uri"));
    let mut bases: Vec<String> = given
        .chain(folders)
        .chain(checkout.map(str::to_owned))
        .map(|uri| plain_path(&uri))
        .collect();
    bases.retain(|base| base.len() > 1 && base.starts_with('/'));
    crate::order::sort_by_key(&mut bases, |base| std::cmp::Reverse(base.len()));
    bases
}

/// Returns a path as git has it: decoded, with slashes, without `./`.
fn plain_path(uri: &str) -> String {
    let decoded = percent_decode_str(uri)
        .decode_utf8_lossy()
        .replace('\\', "/");
    let path = decoded.strip_prefix("file://").unwrap_or(&decoded);
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // Above the top there is nothing.
            ".." if !parts.is_empty() && parts.last() != Some(&"..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}

fn finding(
    result: Value<'_>,
    tool: &str,
    parts: &[Vec<Value<'_>>],
    by_id: &HashMap<String, Value<'_>>,
    bases: &[String],
) -> Result<Finding, NotRead> {
    let named = result.get("rule");
    let index = result.get("ruleIndex").or_else(|| named?.get("index"));
    let part = named
        .and_then(|one| one.path(&["toolComponent", "index"]))
        .and_then(number);
    let by_index = || {
        let rules = parts.get(part.map_or(0, |part| part + 1))?;
        rules.get(number(index?)?).copied()
    };
    let id = result.string("ruleId").or_else(|| named?.string("id"));
    // `CA1000/1` is a finer word for the rule `CA1000` (SARIF 3.27.5).
    let listed = id.as_ref().and_then(|id| {
        let coarse = id.rsplit_once('/').map(|(coarse, _)| coarse);
        by_id.get(id).or_else(|| by_id.get(coarse?)).copied()
    });
    let rule = by_index().or(listed).map(|value| Rule { value });
    let id = id.or_else(|| rule?.value.string("id")).unwrap_or_default();
    let said = result.string("level");
    let level = match said.as_deref() {
        Some(word) => Level::of_word(word)
            .ok_or_else(|| NotRead::at(result.place(), format!("`{word}` is no level of SARIF")))?,
        None => rule.and_then(Rule::level).unwrap_or(Level::Warning),
    };
    let place = result
        .list("locations")
        .find_map(|one| one.get("physicalLocation"));
    let uri = place.and_then(|place| place.get("artifactLocation")?.string("uri"));
    let region = place.and_then(|place| place.get("region"));
    let message = message(result, rule);
    let path = uri.map(|uri| {
        let path = plain_path(&uri);
        let below = bases
            .iter()
            .find_map(|base| path.strip_prefix(base.as_str())?.strip_prefix('/'));
        below.map(str::to_owned).unwrap_or(path)
    });
    let snippet = region.and_then(|region| region.get("snippet")?.string("text"));
    Ok(Finding {
        mark: mark(result, tool, &id, snippet.as_deref(), &message),
        severity: own_severity(result).or_else(|| rule?.severity()),
        line: region.and_then(|region| u32::try_from(number(region.get("startLine")?)?).ok()),
        tool: tool.to_owned(),
        rule: id,
        level,
        path,
        message,
    })
}

fn own_severity(result: Value<'_>) -> Option<Severity> {
    Rule { value: result }.severity()
}

fn number(value: Value<'_>) -> Option<usize> {
    format!("{:.0}", value.number()?).parse().ok()
}

/// Returns the message, with its arguments put in where it is one of the rule's.
fn message(result: Value<'_>, rule: Option<Rule<'_>>) -> String {
    let Some(message) = result.get("message") else {
        return String::new();
    };
    let listed = || {
        let id = message.string("id")?;
        rule?.value.path(&["messageStrings", &id])?.string("text")
    };
    let mut text = message.string("text").or_else(listed).unwrap_or_default();
    let cut = |text: &mut String, most: usize| text.truncate(text.floor_char_boundary(most));
    cut(&mut text, LONGEST);
    let arguments = message.list("arguments").filter_map(Value::text);
    for (number, argument) in arguments.enumerate().take(10) {
        let mut argument = argument.into_owned();
        cut(&mut argument, 256);
        text = text.replace(&format!("{{{number}}}"), &argument);
        cut(&mut text, LONGEST);
    }
    // What was cut off would be held as room to grow.
    text.shrink_to_fit();
    text
}

/// Returns what a finding is known by, besides its path.
fn mark(result: Value<'_>, tool: &str, rule: &str, snippet: Option<&str>, message: &str) -> String {
    let own = |name: &str| -> Option<String> {
        let members = result.get(name)?.members();
        let mut pairs: Vec<String> = members
            .filter_map(|(key, value)| {
                let value = value.text()?;
                // A column is no fingerprint; and one scanner writes this to those who are not signed in.
                let is_one =
                    !value.is_empty() && value != "requires login" && !key.contains("StartColumn");
                is_one.then(|| format!("{key}={value}"))
            })
            .collect();
        crate::order::sort(&mut pairs);
        (!pairs.is_empty()).then(|| pairs.join("\n"))
    };
    let what = own("fingerprints")
        .or_else(|| own("partialFingerprints"))
        .or_else(|| {
            Some(snippet?.split_whitespace().collect::<Vec<_>>().join(" "))
                .filter(|text| !text.is_empty())
        })
        .unwrap_or_else(|| without_places(message));
    Sha::of(format!("{tool}\n{rule}\n{what}").as_bytes()).start(16)
}

/// Returns a message without the numbers of lines and columns in it; other numbers tell findings apart.
fn without_places(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut before = String::new();
    for word in message.split_whitespace() {
        let counts = matches!(
            before.as_str(),
            "line" | "lines" | "column" | "columns" | "col"
        );
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_number = bare.starts_with(|c: char| c.is_ascii_digit())
            && bare
                .chars()
                .all(|c| c.is_ascii_digit() || c == '-' || c == ':');
        text.push_str(match word.split_once(':') {
            _ if counts && is_number => "#",
            // `file.c:12:5`
            Some((path, place))
                if !place.is_empty()
                    && place
                        .chars()
                        .all(|c| c.is_ascii_digit() || ":,.)".contains(c)) =>
            {
                path
            }
            _ => word,
        });
        text.push(' ');
        before = bare.to_ascii_lowercase();
    }
    text
}

/// Returns the findings of one log that another has not, by what they are known by; `moved` says where a path was before.
pub(crate) fn new_since<'f>(
    head: &'f [Finding],
    base: &[Finding],
    moved: &dyn Fn(&str) -> Option<String>,
) -> Vec<&'f Finding> {
    let mut known: HashMap<(Option<String>, &str), usize> = HashMap::new();
    for finding in base {
        *known
            .entry((finding.path.clone(), &finding.mark))
            .or_default() += 1;
    }
    let mut new = Vec::new();
    for finding in head {
        let path = finding.path.clone();
        let former = path.as_deref().and_then(moved);
        let keys = [
            Some((path, finding.mark.as_str())),
            former.map(|former| (Some(former), finding.mark.as_str())),
        ];
        let left = keys
            .into_iter()
            .flatten()
            .find(|key| known.get(key).is_some_and(|left| *left > 0));
        match left.and_then(|key| known.get_mut(&key)) {
            Some(left) => *left -= 1,
            None => new.push(finding),
        }
    }
    new
}

#[cfg(test)]
mod tests;
