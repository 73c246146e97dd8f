//! The three forms in XML, element by element: nothing is nested here but counted, and no entity but XML's own five is expanded.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Form, Out, clover, cobertura, jacoco};
use crate::supply::NotRead;

/// An element that begins.
pub(super) struct Element<'t> {
    tag: BytesStart<'t>,
}

impl Element<'_> {
    /// Returns its name without a prefix.
    pub(super) fn name(&self) -> &[u8] {
        self.tag.local_name().into_inner()
    }

    /// Returns an attribute; references to what a document defines by itself stay as they are.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let mut attributes = self.tag.attributes();
        attributes.with_checks(false);
        let found = attributes
            .flatten()
            .find(|one| one.key.as_ref() == name.as_bytes())?;
        Some(plain(&found.value).into_owned())
    }

    /// Returns the number of a line.
    pub(super) fn line(&self, name: &str) -> Result<u64, String> {
        let word = self.get(name).unwrap_or_default();
        super::line_number(&word).ok_or_else(|| format!("`{name}` is no number of a line"))
    }

    /// Returns a count; nothing where there is none.
    pub(super) fn count(&self, name: &str) -> Option<f64> {
        super::count(&self.get(name)?)
    }
}

fn plain(bytes: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => quick_xml::escape::unescape(text).unwrap_or(Cow::Borrowed(text)),
        owned @ Cow::Owned(_) => owned,
    }
}

/// What reads a form: elements as they begin, and the text inside the last of them.
pub(super) trait Elements {
    fn begin(&mut self, element: &Element<'_>, out: &mut Out) -> Result<(), String>;

    fn end(&mut self, _name: &[u8]) {}

    fn text(&mut self, _text: &str, _out: &mut Out) {}
}

/// Reads a document whose form its first two elements tell.
pub(super) fn read(text: &str, out: &mut Out) -> Result<Form, NotRead> {
    let form = recognise(text)?;
    let mut elements: Box<dyn Elements> = match form {
        Form::Jacoco => Box::<jacoco::Jacoco>::default(),
        Form::Clover => Box::<clover::Clover>::default(),
        _ => Box::<cobertura::Cobertura>::default(),
    };
    walk(text, &mut |step| match step {
        Step::Begin(element) => elements.begin(&element, out).map(|()| true),
        Step::Text(words) => {
            elements.text(words, out);
            Ok(true)
        }
        Step::End(name) => {
            elements.end(name);
            Ok(true)
        }
    })?;
    Ok(form)
}

/// What a document is made of, here.
enum Step<'s, 't> {
    Begin(Element<'t>),
    Text(&'s str),
    End(&'s [u8]),
}

fn recognise(text: &str) -> Result<Form, NotRead> {
    let mut form = None;
    let mut root = String::new();
    walk(text, &mut |step| {
        let Step::Begin(element) = step else {
            return Ok(true);
        };
        let has = |name| element.get(name).is_some();
        let name = String::from_utf8_lossy(element.name()).into_owned();
        form = match (root.as_str(), name.as_str()) {
            ("", "report") => Some(Form::Jacoco),
            ("", "coverage") if has("line-rate") || has("lines-valid") || has("branch-rate") => {
                Some(Form::Cobertura)
            }
            ("", "coverage") if has("clover") => Some(Form::Clover),
            ("coverage", "project" | "testproject") => Some(Form::Clover),
            ("coverage", "sources" | "packages") => Some(Form::Cobertura),
            _ => None,
        };
        if root.is_empty() {
            root = name;
            return Ok(form.is_none() && root == "coverage");
        }
        Ok(false)
    })?;
    form.ok_or_else(|| {
        NotRead::new(format!(
            "its root element is `{}`, which no report of coverage has that is known",
            short(&root)
        ))
        .hint("Cobertura's and Clover's is `coverage`, JaCoCo's `report`")
    })
}

fn short(name: &str) -> &str {
    name.get(..name.floor_char_boundary(60)).unwrap_or_default()
}

/// Goes over a document while it is wanted; one that ends before its root does is refused.
fn walk(
    text: &str,
    take: &mut dyn FnMut(Step<'_, '_>) -> Result<bool, String>,
) -> Result<(), NotRead> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut depth = 0_u64;
    let mut had_root = false;
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let place = |at| super::super::json::place(text, at);
        let event = reader.read_event().map_err(|error| {
            let at = usize::try_from(reader.error_position()).unwrap_or(at);
            NotRead::at(place(at), format!("it is no XML: {error}"))
        })?;
        let taken = match event {
            Event::Start(tag) => {
                depth += 1;
                take(Step::Begin(Element { tag }))
            }
            Event::Empty(tag) => {
                had_root = true;
                let name = tag.local_name().as_ref().to_vec();
                let begun = take(Step::Begin(Element { tag }));
                begun.and_then(|goes_on| {
                    if goes_on {
                        take(Step::End(&name))
                    } else {
                        Ok(false)
                    }
                })
            }
            Event::End(tag) => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| NotRead::at(place(at), "an element ends that did not begin"))?;
                take(Step::End(tag.local_name().as_ref()))
            }
            Event::Text(words) => take(Step::Text(&String::from_utf8_lossy(&words))),
            Event::Eof if depth > 0 || !had_root => {
                return Err(NotRead::at(place(text.len()), "it ends in the middle"));
            }
            Event::Eof => return Ok(()),
            _ => continue,
        };
        had_root |= depth > 0;
        match taken {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(fault) => return Err(NotRead::at(place(at), fault)),
        }
    }
}
