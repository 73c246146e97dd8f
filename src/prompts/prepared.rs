//! A prompt whose templates are compiled: checked values in, messages out, within stated limits.

use std::collections::BTreeMap;
use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::file::{PromptFile, SpeakerWord, VariableFile};
use super::untrusted::delimiter_fault;
use super::variables::{self, Values};
use super::wrap::{self, Frame};
use crate::config::nearest;
use crate::order;

/// What a rendering may do: each step costs 1, each 64 bytes that are read or written too.
const FUEL: u64 = 1_000_000;

/// How deep includes, loops and calls may nest; a file costs 10.
const DEEPEST: usize = 250;

/// Messages larger than this together are sent to nobody.
const MOST_OUTPUT: usize = 4 * 1024 * 1024;

/// More names that nobody declared help nobody.
const MOST_NAMES: usize = 200;

/// The variable that every prompt has.
pub(crate) const DELIMITER: &str = "delimiter";

/// A message, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) role: SpeakerWord,
    pub(crate) content: String,
}

/// Which template something is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Template {
    /// The message of this number, from zero.
    Message(usize),
    /// A file that is included.
    Part(String),
}

/// Why a template does not compile, or values cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where; nothing when it is about the values.
    pub(crate) place: Option<(Template, usize)>,
    pub(crate) words: String,
}

impl Problem {
    fn plain(words: impl Into<String>) -> Self {
        Self {
            place: None,
            words: words.into(),
        }
    }
}

/// A prompt whose templates are compiled.
pub(crate) struct Prepared {
    environment: Environment<'static>,
    speakers: Vec<SpeakerWord>,
    declared: BTreeMap<String, VariableFile>,
    sources: Vec<(Template, String)>,
}

impl Prepared {
    /// Compiles the templates of a prompt and of the parts that they include.
    pub(crate) fn new(
        file: &PromptFile,
        parts: &BTreeMap<String, String>,
    ) -> Result<Self, Problem> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_syntax(syntax());
        environment.set_debug(true);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEEPEST);
        // It tells what the engine knows, values included.
        environment.remove_global("debug");
        environment.add_filter("data", wrap::data);
        let messages = file.messages.iter().enumerate();
        let messages =
            messages.map(|(at, message)| (Template::Message(at), message.content.clone()));
        let parts = parts.iter();
        let parts = parts.map(|(name, text)| (Template::Part(name.clone()), text.clone()));
        let sources: Vec<_> = messages.chain(parts).collect();
        for (template, source) in &sources {
            let added = environment.add_template_owned(name_of(template), source.clone());
            added.map_err(|error| problem(&error, &file.variables, template))?;
        }
        Ok(Self {
            environment,
            speakers: file.messages.iter().map(|message| message.role).collect(),
            declared: file.variables.clone(),
            sources,
        })
    }

    /// Returns names in messages that nobody declared, as far as that is seen without running them.
    pub(crate) fn undeclared(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        for (template, source) in &self.sources {
            let Template::Message(_) = template else {
                continue;
            };
            let Ok(compiled) = self.environment.get_template(&name_of(template)) else {
                continue;
            };
            let mut names: Vec<_> = compiled.undeclared_variables(true).into_iter().collect();
            order::sort(&mut names);
            names.truncate(MOST_NAMES);
            for name in names {
                if let Some(words) = self.unknown(&name) {
                    let line = source.lines().position(|line| line.contains(&name));
                    found.push(Problem {
                        place: Some((template.clone(), line.map_or(1, |line| line + 1))),
                        words,
                    });
                }
            }
        }
        found
    }

    /// Returns declared variables that no template names.
    pub(crate) fn unused(&self) -> Vec<&str> {
        let mut used = std::collections::BTreeSet::new();
        for (template, _) in &self.sources {
            if let Ok(compiled) = self.environment.get_template(&name_of(template)) {
                used.extend(compiled.undeclared_variables(false));
            }
        }
        let names = self.declared.keys().map(String::as_str);
        names
            .filter(|name| *name != DELIMITER && !used.contains(*name))
            .collect()
    }

    /// Says why a way as `issue.title` leads to nothing.
    fn unknown(&self, way: &str) -> Option<String> {
        let mut steps = way.split('.');
        let first = steps.next().unwrap_or_default();
        if first == DELIMITER || self.environment.globals().any(|(name, _)| name == first) {
            return None;
        }
        let Some(mut kind) = self.declared.get(first) else {
            let near = near(
                first,
                self.declared.keys().map(String::as_str).chain([DELIMITER]),
            );
            return Some(format!("`{first}` is no variable of this prompt{near}"));
        };
        for step in steps {
            let fields = kind.fields.as_ref()?;
            match fields.get(step) {
                Some(field) => kind = field,
                None => {
                    let near = near(step, fields.keys().map(String::as_str));
                    return Some(format!(
                        "`{way}` is not declared: there is no key `{step}`{near}"
                    ));
                }
            }
        }
        None
    }

    /// Whether a delimiter is needed.
    pub(crate) fn wants_delimiter(&self) -> bool {
        self.declared.values().any(wrap::has_untrusted)
            || self
                .sources
                .iter()
                .any(|(_, source)| source.contains(DELIMITER))
    }

    /// Renders every message. `delimiter` is among the values where something comes from outside.
    pub(crate) fn render(&self, mut values: Values) -> Result<Vec<Message>, Problem> {
        let delimiter = match values.remove(DELIMITER) {
            None if self.wants_delimiter() => {
                let words = format!(
                    "{DELIMITER}: missing; {}",
                    delimiter_fault("").unwrap_or_default()
                );
                return Err(Problem::plain(words));
            }
            None => String::new(),
            Some(value) => {
                let text = value.as_str().unwrap_or_default().to_owned();
                if let Some(fault) = delimiter_fault(&text) {
                    return Err(Problem::plain(format!("{DELIMITER}: {fault}")));
                }
                text
            }
        };
        let values = variables::check(&self.declared, values).map_err(Problem::plain)?;
        let frame = Frame::new(delimiter.clone());
        let mut seen = wrap::context(&self.declared, values, &frame);
        if !delimiter.is_empty() {
            seen.insert(DELIMITER.into(), Value::from(delimiter));
        }
        let context = Value::from_pairs(seen);
        let mut room = MOST_OUTPUT;
        let mut messages = Vec::with_capacity(self.speakers.len());
        for (at, role) in self.speakers.iter().enumerate() {
            let template = Template::Message(at);
            let failed = |error: Error| problem(&error, &self.declared, &template);
            let compiled = self
                .environment
                .get_template(&name_of(&template))
                .map_err(failed)?;
            let mut out = Bounded {
                bytes: Vec::new(),
                room,
            };
            compiled
                .render_captured_to(context.clone(), &mut out)
                .map_err(failed)?;
            if let Some(path) = frame.leaked() {
                return Err(self.leak(path, &template));
            }
            room = out.room;
            let text = String::from_utf8(out.bytes).unwrap_or_default();
            messages.push(Message {
                role: *role,
                content: text.trim().to_owned(),
            });
        }
        Ok(messages)
    }

    fn leak(&self, path: &str, template: &Template) -> Problem {
        let name = path.rsplit('.').next().unwrap_or(path);
        let name = name.split('[').next().unwrap_or(name);
        let is_it = |line: &str| line.contains(name) && !line.contains("data");
        let own = self.sources.iter().filter(|(one, _)| one == template);
        let parts = self
            .sources
            .iter()
            .filter(|(one, _)| matches!(one, Template::Part(_)));
        let found = own.chain(parts).find_map(|(template, source)| {
            let line = source.lines().position(is_it)?;
            Some((template.clone(), line + 1))
        });
        Problem {
            place: Some(found.unwrap_or_else(|| (template.clone(), 1))),
            words: format!(
                "`{path}` comes from outside: write it as `{{{{ … | data }}}}`, which puts it between delimiters"
            ),
        }
    }
}

/// Takes as many bytes as there is room for.
struct Bounded {
    bytes: Vec<u8>,
    room: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.room.checked_sub(bytes.len()) {
            Some(room) => {
                self.room = room;
                self.bytes.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            None => Err(io::Error::other("full")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A line that holds only a statement leaves nothing behind.
fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true);
    builder.build().unwrap_or_default()
}

fn name_of(template: &Template) -> String {
    match template {
        // No file is called so.
        Template::Message(at) => format!("#{at}"),
        Template::Part(name) => name.clone(),
    }
}

fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    nearest(name, &known).map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

/// Turns an error of the engine into what a reader wants: the innermost place, what is wrong, the nearest name.
fn problem(
    error: &Error,
    declared: &BTreeMap<String, VariableFile>,
    template: &Template,
) -> Problem {
    let mut inner = error;
    while let Some(source) = std::error::Error::source(inner) {
        match source.downcast_ref::<Error>() {
            Some(source) => inner = source,
            None => break,
        }
    }
    let place = match inner.name().and_then(|name| name.strip_prefix('#')) {
        Some(number) => number
            .parse()
            .map_or_else(|_| template.clone(), Template::Message),
        None => inner
            .name()
            .map_or_else(|| template.clone(), |name| Template::Part(name.to_owned())),
    };
    let detail = inner.detail().unwrap_or_default();
    let words = match inner.kind() {
        ErrorKind::OutOfFuel => format!("it takes more than {FUEL} steps"),
        ErrorKind::WriteFailure => format!("the messages are larger than {MOST_OUTPUT} bytes"),
        ErrorKind::UndefinedError => undefined(detail, declared),
        kind if detail.is_empty() => kind.to_string(),
        ErrorKind::SyntaxError | ErrorKind::InvalidOperation => detail.to_owned(),
        kind => format!("{kind}: {detail}"),
    };
    Problem {
        place: Some((place, inner.line().unwrap_or(1))),
        words,
    }
}

fn undefined(detail: &str, declared: &BTreeMap<String, VariableFile>) -> String {
    let Some(name) = detail.split('`').nth(1) else {
        return "a value is not defined".into();
    };
    let mut known = Vec::new();
    for (name, kind) in declared {
        known.push(name.as_str());
        names_below(kind, &mut known);
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    if known.contains(&last) {
        return format!("`{name}` is not given; ask first: `{{% if {name} is defined %}}`");
    }
    format!("`{name}` is not defined{}", near(last, known.into_iter()))
}

fn names_below<'a>(kind: &'a VariableFile, known: &mut Vec<&'a str>) {
    for (name, kind) in kind.fields.iter().flatten() {
        known.push(name);
        names_below(kind, known);
    }
    if let Some(items) = &kind.items {
        names_below(items, known);
    }
}
