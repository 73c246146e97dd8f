//! Cobertura's XML (`coverage-04.dtd`), which many tools write: `class` has a `filename`, and `line` a `number` and `hits`. A method's lines
//! stand once more among those of its class, where they belong to them: some tools have its declaration there, which nothing executes.

use super::Out;
use super::xml::{Element, Elements};

/// Sources that are looked at.
const MOST_SOURCES: usize = 16;

#[derive(Default)]
pub(super) struct Cobertura {
    is_in_class: bool,
    is_in_methods: bool,
    is_source: bool,
}

impl Elements for Cobertura {
    fn begin(&mut self, element: &Element<'_>, out: &mut Out) -> Result<(), String> {
        self.is_source = element.name() == b"source";
        match element.name() {
            b"class" => {
                let path = element.get("filename").ok_or("a class has no `filename`")?;
                out.begin(&path);
                self.is_in_class = true;
                self.is_in_methods = false;
            }
            b"methods" => self.is_in_methods = true,
            b"line" if self.is_in_methods => {}
            b"line" if self.is_in_class => {
                let hit = element.count("hits").is_some_and(|hits| hits > 0.0);
                out.line(element.line("number")?, hit)?;
            }
            b"line" => return Err("a line stands outside of any class".into()),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &[u8]) {
        self.is_source = false;
        if name == b"methods" {
            self.is_in_methods = false;
        }
    }

    fn text(&mut self, text: &str, out: &mut Out) {
        let text = text.trim();
        if self.is_source && !text.is_empty() && out.sources.len() < MOST_SOURCES {
            out.sources.push(text.to_owned());
        }
    }
}
